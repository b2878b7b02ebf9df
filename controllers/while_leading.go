// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// errNotLeading is why nothing is written in the API server.
var errNotLeading = errors.New("the lease has ended: another replica may lead, and nothing is written here")

// whileLeading lets requests that write through while this process certainly leads, and those that read always. A replica that was paused
// or cut off until another one took over goes on for up to ten seconds before client-go notices: it must not put what it believes in the
// place of what the new leader says.
type whileLeading struct {
	next      http.RoundTripper
	leadUntil func() time.Time
	now       func() time.Time
}

// RoundTrip implements http.RoundTripper.
func (w whileLeading) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodGet || w.now().Before(w.leadUntil()) {
		return w.next.RoundTrip(request)
	}
	if request.Body != nil {
		_ = request.Body.Close()
	}
	return nil, errNotLeading
}

// leadingClient is the manager's client for what only the leader does: it reads from the manager's cache.
func leadingClient(mgr ctrl.Manager, leadUntil, now func() time.Time) (client.Client, error) {
	if leadUntil == nil {
		return mgr.GetClient(), nil
	}
	config := rest.CopyConfig(mgr.GetConfig())
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return whileLeading{next, leadUntil, now}
	})
	leading, err := client.New(config, client.Options{
		Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), Cache: &client.CacheOptions{Reader: mgr.GetCache()},
	})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return leading, nil
}
