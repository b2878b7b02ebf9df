// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/deletion"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/guard"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
)

// Options are what all connections have in common.
type Options struct {
	// Backoff bounds the wait between two attempts after a failure.
	Backoff lane.Backoff
	// LeaseDuration is how long another replica waits before it takes the lead over.
	LeaseDuration time.Duration
	// LeadUntil says until when this process certainly leads: no call is begun that could end later. Nil means for ever.
	LeadUntil func() time.Time
	// Now is the clock.
	Now func() time.Time
	// Audit takes the lines of the audit trail.
	Audit audit.Log
}

// Registry knows the connection of every organization. It is a Runnable: connections work while the manager leads.
type Registry struct {
	Options       Options
	reader        client.Reader
	guards        *guard.Store
	Terminations  *deletion.Terminations
	People        *Inbox[claims.PersonKey]
	Organizations *Inbox[reconcile.Request]
	Groups        *Inbox[reconcile.Request]
	Imports       *Inbox[reconcile.Request]

	mu      sync.Mutex
	byName  map[types.NamespacedName]*Connection
	closers map[types.NamespacedName]context.CancelFunc
	// deciding is held while it is decided which of two organizations makes calls.
	deciding sync.Mutex
	ctx      context.Context //nolint:containedctx // the manager's, handed to goroutines that a reconcile starts
}

var _ manager.LeaderElectionRunnable = (*Registry)(nil)

// NewRegistry makes connections whose guards are written with one client and read with another, which asks the API server always.
func NewRegistry(options Options, cached client.Client, live client.Reader, recorder events.EventRecorder) *Registry {
	terminations := deletion.New()
	return &Registry{
		Options:       options,
		reader:        cached,
		guards:        &guard.Store{Client: cached, Live: live, Recorder: recorder, Terminations: terminations, Now: options.Now, Audit: options.Audit},
		Terminations:  terminations,
		People:        newInbox[claims.PersonKey](),
		Organizations: newInbox[reconcile.Request](),
		Groups:        newInbox[reconcile.Request](),
		Imports:       newInbox[reconcile.Request](),
		byName:        map[types.NamespacedName]*Connection{},
		closers:       map[types.NamespacedName]context.CancelFunc{},
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: only the leader calls LambdaTest.
func (c *Registry) NeedLeaderElection() bool { return true }

// Start runs all connections, also those opened later, until ctx ends.
func (c *Registry) Start(ctx context.Context) error {
	c.mu.Lock()
	c.ctx = ctx
	for name, connection := range c.byName {
		c.run(name, connection) //nolint:contextcheck // it takes the context just stored
	}
	c.mu.Unlock()
	<-ctx.Done()
	return nil
}

// Find returns the connection of an organization once it is open: by then it knows what the statuses say, and what the guard holds.
func (c *Registry) Find(organization types.NamespacedName) (*Connection, bool) {
	found, ok := c.Opening(organization)
	if !ok || !found.isOpen() {
		return nil, false
	}
	return found, true
}

// Opening returns the connection of an organization, also while it is being opened.
func (c *Registry) Opening(organization types.NamespacedName) (*Connection, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.byName[organization]
	return found, ok
}

// MayDecide tells whether anything may be decided about a resource of an organization: the connection is open, or the API server says that
// the organization is gone. A new leader that has not opened it yet does not know what the guard holds: it
// releases no finalizer and plans nothing. Once it is open, all resources of the organization are reconciled again.
func MayDecide(ctx context.Context, live client.Reader, name types.NamespacedName, cached *v1alpha1.LambdaTestOrganization, opened *Connection) (bool, error) {
	if cached != nil {
		return opened != nil, nil
	}
	err := live.Get(ctx, name, &v1alpha1.LambdaTestOrganization{})
	switch {
	case apierrors.IsNotFound(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("reading whether the organization is gone: %w", err)
	}
	return false, fmt.Errorf("the cache does not show organization %s yet", name)
}

// Open returns the connection of an organization, and whether it is new. A new connection is not open before Recall has filled its memory,
// and makes no calls before Use.
func (c *Registry) Open(organization types.NamespacedName, createdAt time.Time) (*Connection, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.byName[organization]; ok {
		return found, false
	}
	opened := newConnection(c, organization, createdAt)
	c.byName[organization] = opened
	if c.ctx != nil {
		c.run(organization, opened)
	}
	return opened, true
}

// Close ends the connection of an organization that is gone. Another organization may have waited for that.
func (c *Registry) Close(organization types.NamespacedName) {
	c.mu.Lock()
	if stop, ok := c.closers[organization]; ok {
		stop()
	}
	delete(c.closers, organization)
	delete(c.byName, organization)
	forgetMetrics(organization)
	c.mu.Unlock()
	c.wakeBlocked()
}

func (c *Registry) run(organization types.NamespacedName, opened *Connection) {
	ctx, cancel := context.WithCancel(c.ctx)
	c.closers[organization] = cancel
	go opened.run(ctx)
}

// All lists the connections.
func (c *Registry) All() []*Connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.byName))
}
