// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
)

// alonePeople are as many as take some seconds.
const alonePeople = 2_000

// apiAlone is the number of new people per second that an API server without watches can process on this machine: each resource is created,
// read once more (as before a call), and gets a status. The operator cannot be faster, whatever LambdaTest allows.
func (r *run) apiAlone(ctx context.Context) (float64, error) {
	env, err := r.environment(ctx)
	if err != nil {
		return 0, err
	}
	root, err := controlplane.ModuleRoot()
	if err != nil {
		return 0, err
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{})
	if err != nil {
		return 0, err
	}
	defer plane.Stop()
	if err := plane.InstallCRDs(filepath.Join(root, "config/crd/bases")); err != nil {
		return 0, err
	}
	config := plane.Config()
	config.QPS = -1
	raw, err := client.New(config, client.Options{Scheme: env.Client.Scheme()})
	if err != nil {
		return 0, fmt.Errorf("making a client: %w", err)
	}
	started := time.Now()
	err = sideBySide(hands, alonePeople, func(i int) error {
		user := person{"nobody", i + 1}.resource()
		if err := raw.Create(ctx, user); err != nil {
			return err
		}
		if err := raw.Get(ctx, client.ObjectKeyFromObject(user), user); err != nil {
			return err
		}
		before := user.DeepCopy()
		user.Status = v1alpha1.LambdaTestUserStatus{ObservedGeneration: user.Generation, Conditions: []metav1.Condition{{
			Type: v1alpha1.ReadyCondition, Status: metav1.ConditionTrue, Reason: v1alpha1.SyncedReason, LastTransitionTime: metav1.Now(),
		}}}
		return raw.Status().Patch(ctx, user, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	})
	return alonePeople / time.Since(started).Seconds(), err
}

// listAlone is how long the API server takes to send all people once, with the request of a starting replica, to a client that only waits
// for the end. No replica can be ready sooner.
func (r *run) listAlone(ctx context.Context) (time.Duration, error) {
	env, err := r.environment(ctx)
	if err != nil {
		return 0, err
	}
	config := env.Plane.Config()
	transport, err := rest.HTTPClientFor(config)
	if err != nil {
		return 0, fmt.Errorf("making a client: %w", err)
	}
	defer transport.CloseIdleConnections()
	const everybody = "/apis/iam.lambdatest.io/v1alpha1/lambdatestusers"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, config.Host+everybody, http.NoBody)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Accept-Encoding", "identity")
	started := time.Now()
	answer, err := transport.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("listing everybody: %s", answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return time.Since(started), err
}
