// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lease

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

const duration = 15 * time.Second

// lockDouble is a Lease that answers what it is told; the time passes while it answers.
type lockDouble struct {
	resourcelock.Interface
	clock  *time.Time
	fails  error
	holder string
	writes int
}

func (l *lockDouble) Identity() string { return "me" }

func (l *lockDouble) Update(context.Context, resourcelock.LeaderElectionRecord) error {
	*l.clock = l.clock.Add(3 * time.Second)
	l.writes++
	return l.fails
}

func (l *lockDouble) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	return &resourcelock.LeaderElectionRecord{HolderIdentity: l.holder}, nil, nil
}

func TestOnlyOnesOwnLeaseIsReleased(t *testing.T) {
	for holder, released := range map[string]bool{"me": true, "another": false, "": false} {
		lock, inner := newLock()
		if err := lock.Update(t.Context(), mine()); err != nil {
			t.Fatal(err)
		}
		inner.holder, inner.writes = holder, 0
		if _, _, err := lock.Get(t.Context()); err != nil {
			t.Fatal(err)
		}

		err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{})

		if (err == nil) != released || (inner.writes > 0) != released {
			t.Errorf("a lease held by %q: %d writes (%v), want it released: %v", holder, inner.writes, err, released)
		}
		if until := lock.Until(); !until.IsZero() {
			t.Errorf("a lease held by %q: leads until %s after the release", holder, until)
		}
	}
}

func TestTheLeadCountsFromWhenTheRenewalWasSent(t *testing.T) {
	lock, inner := newLock()
	sent := *inner.clock
	if err := lock.Update(t.Context(), mine()); err != nil {
		t.Fatal(err)
	}
	if until := lock.Until(); !until.Equal(sent.Add(duration)) {
		t.Errorf("leads until %s, expected %s: the API server may have counted from the moment it was asked", until, sent.Add(duration))
	}
}

func TestAFailedRenewalDoesNotProlongTheLead(t *testing.T) {
	lock, inner := newLock()
	sent := *inner.clock
	if err := lock.Update(t.Context(), mine()); err != nil {
		t.Fatal(err)
	}
	inner.fails = errors.New("timeout")
	if err := lock.Update(t.Context(), mine()); err == nil {
		t.Fatal("the failure of the renewal is swallowed")
	}
	if until := lock.Until(); !until.Equal(sent.Add(duration)) {
		t.Errorf("leads until %s, expected %s", until, sent.Add(duration))
	}
}

func TestNobodyLeadsBeforeTheFirstRenewalOrAfterARelease(t *testing.T) {
	lock, _ := newLock()
	if until := lock.Until(); !until.IsZero() {
		t.Errorf("leads until %s before it ever had the lease", until)
	}
	if err := lock.Update(t.Context(), mine()); err != nil {
		t.Fatal(err)
	}
	if err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{}); err != nil {
		t.Fatal(err)
	}
	if until := lock.Until(); !until.IsZero() {
		t.Errorf("leads until %s after the release", until)
	}
}

func newLock() (*Lock, *lockDouble) {
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	inner := &lockDouble{clock: &clock}
	return &Lock{Interface: inner, duration: duration, now: func() time.Time { return clock }}, inner
}

func mine() resourcelock.LeaderElectionRecord {
	return resourcelock.LeaderElectionRecord{HolderIdentity: "me"}
}
