// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package organization

import (
	"net/http"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/hosts"
)

// Dialer makes the client of an organization. It connects only to the hosts; an http client of the caller's, unless nil, decides by itself.
func Dialer(hosts hosts.Hosts, now func() time.Time, http *http.Client) func(baseURL, token string) (connection.Upstream, error) {
	options := []lambdatest.Option{
		lambdatest.WithDialControl(hosts.DialControl),
		lambdatest.WithClock(now),
		lambdatest.WithSameUserName(func(a, b string) bool { return v1alpha1.FoldUserName(a) == v1alpha1.FoldUserName(b) }),
	}
	if http != nil {
		options = append(options, lambdatest.WithHTTPClient(http))
	}
	return func(baseURL, token string) (connection.Upstream, error) {
		return lambdatest.New(baseURL, token, options...)
	}
}
