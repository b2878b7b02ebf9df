// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/group"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/imports"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/organization"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/person"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/hosts"
)

// Options are the operator's flags that concern the controllers. The zero value of each field means its default.
type Options struct {
	// UpstreamHosts are the hosts that a baseURL may name besides LambdaTest's own: "host", "host:port", or with "http://" in front
	// where plain http is allowed.
	UpstreamHosts []string
	// HTTPClient makes the calls to LambdaTest. Nil is one that connects to the allowed hosts only.
	HTTPClient *http.Client
	// Concurrency is how many people are worked on at once, all organizations together.
	Concurrency int
	// BackoffMin and BackoffMax bound the wait between two attempts after a failure.
	BackoffMin, BackoffMax time.Duration
	// MarkRetention is how long a person whom the identity provider deleted stays denied before the resource is collected.
	MarkRetention time.Duration
	// LeaseDuration is how long another replica waits before it takes the lead over.
	LeaseDuration time.Duration
	// LeadUntil says until when this process certainly leads: no call is begun that could end later, and nothing is written in the API
	// server from then on. It is asked before each of them. Nil means for ever.
	LeadUntil func() time.Time
	// Now is the clock.
	Now func() time.Time
	// Audit takes the lines of the audit trail. The zero value drops them.
	Audit audit.Log
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	o.Concurrency = cmp.Or(o.Concurrency, DefaultConcurrency)
	o.BackoffMin = cmp.Or(o.BackoffMin, DefaultBackoffMin)
	o.BackoffMax = cmp.Or(o.BackoffMax, DefaultBackoffMax)
	o.MarkRetention = cmp.Or(o.MarkRetention, DefaultMarkRetention)
	o.LeaseDuration = cmp.Or(o.LeaseDuration, DefaultLeaseDuration)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func (o Options) validate() error {
	switch {
	case o.Concurrency < 1:
		return errors.New("concurrency must be at least 1")
	case o.BackoffMin <= 0 || o.BackoffMax < o.BackoffMin:
		return errors.New("backoff must be positive, and its minimum no more than its maximum")
	case o.MarkRetention < 0:
		return errors.New("the retention of deleted users must not be negative: deleted users would not stay denied")
	case o.LeaseDuration <= connection.CallTimeout:
		return fmt.Errorf("the lease must last longer than a call, %s", connection.CallTimeout)
	}
	return nil
}

// connections are the options of what is in memory about organizations.
func (o Options) connections() connection.Options {
	return connection.Options{
		Backoff: lane.Backoff{Min: o.BackoffMin, Max: o.BackoffMax}, LeaseDuration: o.LeaseDuration, LeadUntil: o.LeadUntil, Now: o.Now, Audit: o.Audit,
	}
}

// Setup adds all controllers to the manager. They run on the leader only; the caches behind them are warm on every replica. It asks
// for the field indexes on LambdaTestUsers that they need, so it may be called once per manager.
func Setup(mgr ctrl.Manager, options Options) error {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return fmt.Errorf("reading options: %w", err)
	}
	hosts, err := hosts.Parse(options.UpstreamHosts)
	if err != nil {
		return err
	}
	if err := claims.AddIndexes(context.Background(), mgr.GetFieldIndexer()); err != nil {
		return err
	}
	leading, err := leadingClient(mgr, options.LeadUntil, options.Now)
	if err != nil {
		return err
	}
	recorder := status.Recorder{EventRecorder: mgr.GetEventRecorder("lambdatest-operator")}
	registry := connection.NewRegistry(options.connections(), leading, mgr.GetAPIReader(), recorder)
	if err := mgr.Add(registry); err != nil {
		return fmt.Errorf("adding connections: %w", err)
	}
	people := &person.Reconciler{
		Client: leading, Live: mgr.GetAPIReader(), Recorder: recorder,
		Registry: registry, Concurrency: options.Concurrency, MarkRetention: options.MarkRetention,
	}
	organizations := &organization.Reconciler{
		Client: people.Client, Live: people.Live, Recorder: people.Recorder,
		Registry: registry, Hosts: hosts, Dial: organization.Dialer(hosts, options.Now, options.HTTPClient),
	}
	if err := organizations.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("setting up organizations: %w", err)
	}
	groups := &group.Reconciler{
		Client: people.Client, Live: people.Live, Recorder: people.Recorder, Registry: registry, Concurrency: options.Concurrency,
	}
	imports := &imports.Reconciler{Client: people.Client, Registry: registry}
	if err := imports.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("setting up imports: %w", err)
	}
	if err := groups.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("setting up groups: %w", err)
	}
	if err := people.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("setting up people: %w", err)
	}
	return nil
}
