// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func TestSweepsThatFailGetASmallPartOfTheRate(t *testing.T) {
	set := Settings{perSecond: 10}
	const calls = 3000 // three passes over 100 000 accounts
	took := 300 * time.Second
	for failures, want := range map[int]time.Duration{1: 0, 2: took, 3: 2 * took, 5: 4 * took, 100: 4 * took} {
		if got := set.costOf(calls, failures); got != want {
			t.Errorf("after %d failures the next waits %s, want %s", failures, got, want)
		}
	}
}

func TestASweepThatFailsCountsItsCalls(t *testing.T) {
	server := simulator.Start(simulator.Population(30))
	defer server.Close()
	server.Switch(func(s *simulator.Switches) { s.MaxPageSize, s.RepeatPages = 10, true })
	client, err := lambdatest.New(server.BaseURL(), simulator.DefaultToken)
	if err != nil {
		t.Fatal(err)
	}
	c, set := newTestConnection()
	set.perSecond, set.burst = 1000, 1000
	c.Use(set, client)

	if err := c.Sweep(t.Context()); err == nil {
		t.Fatal("a list that does not add up is believed")
	}
	if got, want := c.LastSweep().calls, len(server.Calls()); got != want || want != 3*sweepPasses {
		t.Errorf("%d calls are counted, LambdaTest saw %d", got, want)
	}
}

func TestASweepThatFailedIsNotRepeatedForLookups(t *testing.T) {
	c, set := newTestConnection()
	c.Use(set, &lambdatest.Client{})
	c.noteSweep(listing{pages: 1}, nil)
	c.noteSweep(listing{pages: 1}, ErrNotCalled)
	<-c.sweepSoon // of use

	for range 100 {
		c.CountLookUp()
	}

	if len(c.sweepSoon) > 0 {
		t.Error("lookups bring the next sweep forward, although the list cannot be believed")
	}
	if c.Accounts.Expecting {
		t.Error("people wait for a sweep that may not come soon")
	}
}
