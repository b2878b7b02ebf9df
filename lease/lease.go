// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package lease knows until when this process certainly leads. client-go's leader election reports when the lead is lost; a call to
// LambdaTest has to know beforehand whether it can end in time. It imports client-go only.
package lease

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// namespaceFile holds the namespace of the pod this process runs in.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// Lock is a Lease that remembers when it was last written by this process.
type Lock struct {
	resourcelock.Interface
	duration time.Duration
	// now measures what passes, and wall is the time of day; see Until.
	now, wall func() time.Time
	renewed   atomic.Pointer[moment]
	// holder had the lease when it was last read.
	holder atomic.Pointer[string]
}

// moment is one moment by both clocks.
type moment struct{ now, wall time.Time }

// errOthers says that another replica holds the lease.
var errOthers = errors.New("another replica holds the lease by now: it is not released")

// New returns a lock on the Lease of that namespace and name, held for duration after each renewal. An empty namespace is the pod's
// own; outside a pod it must be given.
func New(config *rest.Config, namespace, name string, duration, renewDeadline time.Duration) (*Lock, error) {
	if namespace == "" {
		own, err := os.ReadFile(namespaceFile)
		if err != nil {
			return nil, fmt.Errorf("finding the namespace of the lease, which must be given outside a pod: %w", err)
		}
		namespace = strings.TrimSpace(string(own))
	}
	inner, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, namespace, name,
		resourcelock.ResourceLockConfig{Identity: identity()}, config, renewDeadline)
	if err != nil {
		return nil, fmt.Errorf("creating the lock: %w", err)
	}
	return &Lock{Interface: inner, duration: duration, now: time.Now, wall: timeOfDay}, nil
}

// timeOfDay has no monotonic reading, so that a difference of two is one of the time of day.
func timeOfDay() time.Time { return time.Now().Round(0) }

// Until returns when another replica may take over at the earliest: the lease counts from when the last successful renewal was sent.
// Before the first one it is the zero time.
//
// Two clocks measure the lease, and the earlier end counts; so ask again before each use. The monotonic clock stands still while a virtual
// machine is paused, and the time of day does not. A time of day that jumps cannot lengthen the lease: after a jump backward the monotonic
// clock decides, and a jump forward ends the lease early, until the next renewal a few seconds later. A pause stays unnoticed while the time
// of day stands still as well, which it does until a resumed machine sets its clock.
func (l *Lock) Until() time.Time {
	renewed := l.renewed.Load()
	if renewed == nil {
		return time.Time{}
	}
	now := l.now()
	passed := max(now.Sub(renewed.now), l.wall().Sub(renewed.wall))
	return now.Add(l.duration - passed)
}

// Get reads the lease.
func (l *Lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if err == nil {
		l.holder.Store(&record.HolderIdentity)
	}
	return record, raw, err
}

// Create takes a lease that did not exist.
func (l *Lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.write(func() error { return l.Interface.Create(ctx, record) }, record)
}

// Update takes, renews or releases the lease. A replica that was paused until another one took over must not release the lease of the other,
// or a third replica would lead beside it. client-go would release it: it reads the lease right before, and writes a record without holder.
func (l *Lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.write(func() error { return l.Interface.Update(ctx, record) }, record)
}

func (l *Lock) write(send func() error, record resourcelock.LeaderElectionRecord) error {
	sent := moment{now: l.now(), wall: l.wall()}
	if record.HolderIdentity != l.Identity() {
		// Released: whatever the answer, another replica may already have it.
		l.renewed.Store(nil)
		if holder := l.holder.Load(); holder != nil && *holder != l.Identity() {
			return errOthers
		}
		return send()
	}
	if err := send(); err != nil {
		return err
	}
	l.renewed.Store(&sent)
	return nil
}

// identity is unique per process, also when a pod name comes back.
func identity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "_" + string(uuid.NewUUID())
}
