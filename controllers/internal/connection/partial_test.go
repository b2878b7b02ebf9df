// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func TestARoundTakesATenthOfTheRate(t *testing.T) {
	set := Settings{perSecond: 10}
	if got, want := set.RoundOf(600), 10*time.Minute; got != want {
		t.Errorf("600 people take %s, want %s", got, want)
	}
}

func TestListsAreUnreliableFromTheSecondIncompleteOneOn(t *testing.T) {
	var seen lists
	doubt := &incomplete{because: "it is cut short", err: errors.New("cut short")}
	for i, step := range []struct {
		err  error
		want bool
	}{{nil, false}, {doubt, false}, {nil, false}, {doubt, true}, {nil, true}, {doubt, true}} {
		if seen.note(step.err); seen.isUnreliable() != step.want {
			t.Errorf("step %d: unreliable %t, want %t", i, seen.isUnreliable(), step.want)
		}
	}
	for range listsBelieved {
		seen.note(nil)
	}
	if seen != (lists{}) {
		t.Errorf("%d complete lists leave %+v", listsBelieved, seen)
	}
}

func TestASampleStandsForAllMissingAccounts(t *testing.T) {
	all := sample{missing: map[string]lambdatest.User{}, known: 1000}
	for i := range 300 {
		all.missing[fmt.Sprint(i)] = lambdatest.User{}
	}
	if all.read = 20; all.of(7) != 105 || all.of(20) != 300 || all.of(0) != 0 {
		t.Errorf("7 of 20 stand for %d, 20 for %d, 0 for %d of 300", all.of(7), all.of(20), all.of(0))
	}
	if !all.isTooMany(201, true) || all.isTooMany(200, true) {
		t.Error("more than a fifth of 1000 are 201")
	}
}

// More people than a sweep looks up one by one may move at once.
func TestManyPeopleWhoMoveAtOnceAreNoOtherOrganization(t *testing.T) {
	const people, moved = 600, maxLookUpsPerSweep + 10
	server := simulator.Start(simulator.Population(people))
	defer server.Close()
	server.AddSubOrganization("mobile", "the-token-of-the-sub-organization")
	client, err := lambdatest.New(server.BaseURL(), simulator.DefaultToken)
	if err != nil {
		t.Fatal(err)
	}
	c, set := newTestConnection()
	now := c.Options.Now()
	c.Options.Now = func() time.Time { now = now.Add(time.Second); return now }
	set.perSecond, set.burst = 1000, 1000
	c.Use(set, client)
	if err := c.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	members := make([]string, moved)
	for i := range members {
		members[i] = fmt.Sprintf("user-%06d@example.com", i+1)
	}
	server.SetGroup("Mobile", nil, members...)
	if err := server.MapGroup("Mobile", simulator.Mapping{Kind: simulator.SubOrganization, Target: "mobile"}); err != nil {
		t.Fatal(err)
	}
	server.ResetCalls()

	if err := c.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	if got := server.Count("GET /Users/{id}"); got != mismatchSample {
		t.Errorf("%d accounts are read by id, want %d", got, mismatchSample)
	}
	if got := c.Accounts.Size(); got != people-moved {
		t.Errorf("%d accounts are known, want %d", got, people-moved)
	}
}
