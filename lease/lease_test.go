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

func TestTheTimeOfDayMayOnlyShortenTheLead(t *testing.T) {
	const passed = 4 * time.Second
	for name, test := range map[string]struct{ jump, left time.Duration }{
		"both clocks agree":               {jump: 0, left: duration - passed},
		"the machine was paused":          {jump: 5 * time.Second, left: duration - passed - 5*time.Second},
		"it was paused beyond the lease":  {jump: time.Hour, left: duration - passed - time.Hour},
		"the time of day was put back":    {jump: -time.Hour, left: duration - passed},
		"and by less than what passed":    {jump: -time.Second, left: duration - passed},
		"the time of day is years behind": {jump: -20 * 365 * 24 * time.Hour, left: duration - passed},
	} {
		lock, inner := newLock()
		var jumped time.Duration
		lock.wall = func() time.Time { return inner.clock.Add(jumped) }
		sent := *inner.clock
		if err := lock.Update(t.Context(), mine()); err != nil {
			t.Fatal(err)
		}
		*inner.clock, jumped = sent.Add(passed), test.jump

		if left := lock.Until().Sub(*inner.clock); left != test.left {
			t.Errorf("%s: leads for %s more, expected %s", name, left, test.left)
		}
		if err := lock.Update(t.Context(), mine()); err != nil {
			t.Fatal(err)
		}
		if until, expected := lock.Until(), sent.Add(passed+duration); !until.Equal(expected) {
			t.Errorf("%s: leads until %s after the next renewal, expected %s", name, until, expected)
		}
	}
}

func TestTheTimeOfDayHasNoMonotonicReading(t *testing.T) {
	if now := timeOfDay(); now != now.Round(0) {
		t.Errorf("%s has one: it would stand still while the machine is paused", now)
	}
}

func newLock() (*Lock, *lockDouble) {
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	inner := &lockDouble{clock: &clock}
	now := func() time.Time { return clock }
	return &Lock{Interface: inner, duration: duration, now: now, wall: now}, inner
}

func mine() resourcelock.LeaderElectionRecord {
	return resourcelock.LeaderElectionRecord{HolderIdentity: "me"}
}
