// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func TestEveryWriteAtLambdaTestHasAReason(t *testing.T) {
	const second = time.Second
	made := func(at Moment, call string, lost bool) AccountChange {
		return AccountChange{At: at, Call: call, Lost: lost, Before: simulator.Account{ID: "1"}, After: simulator.Account{ID: "1", Active: true}}
	}
	const call = "PATCH /Users/{id}"
	cases := map[string]struct {
		reasons  []Moment
		changes  []AccountChange
		trouble  []Period
		needless bool
	}{
		"one change, one call":                 {reasons: []Moment{30 * second}, changes: []AccountChange{made(31*second, call, false)}},
		"one change, two calls":                {reasons: []Moment{30 * second}, changes: []AccountChange{made(31*second, call, false), made(32*second, call, false)}, needless: true},
		"an edit at LambdaTest is set back":    {reasons: []Moment{30 * second}, changes: []AccountChange{made(31*second, call, false), made(32*second, "", false), made(33*second, call, false)}},
		"a lost answer is repeated":            {reasons: []Moment{30 * second}, changes: []AccountChange{made(31*second, call, true), made(32*second, call, false)}},
		"a call in trouble is repeated":        {reasons: []Moment{30 * second}, changes: []AccountChange{made(31*second, call, false), made(42*second, call, false)}, trouble: []Period{{From: 32 * second, To: 33 * second}}},
		"trouble of an hour ago is no excuse":  {reasons: []Moment{30 * second}, changes: []AccountChange{made(31*second, call, false), made(32*second, call, false)}, trouble: []Period{{From: 0, To: 1}}, needless: true},
		"a list that lies is no reason":        {reasons: []Moment{30 * second}, changes: []AccountChange{made(31*second, call, false), made(33*second, call, false)}, trouble: []Period{{From: 32 * second, To: 33 * second, ListsOnly: true}}, needless: true},
		"two changes in a row become one call": {reasons: []Moment{30 * second, 31 * second}, changes: []AccountChange{made(32*second, call, false)}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := NeedlessWrites(Evidence{Subject: "org/ada", Changes: c.changes, Trouble: c.trouble, Bounds: Promised(10 * second)}, c.reasons)
			if needless := len(found) > 0; needless != c.needless {
				t.Errorf("found %v, want needless %v", found, c.needless)
			}
		})
	}
}

func TestACallThatChangesNothingIsNeedlessUnlessSomethingWasUnclear(t *testing.T) {
	same := simulator.Account{ID: "1", Active: true}
	changes := []AccountChange{{At: time.Minute, Call: "PATCH /Users/{id}", Before: same, After: same}}
	terms := []Period{{From: 0, To: time.Minute - time.Second, Whom: "operator-1"}}
	about := func(changes []AccountChange) Evidence {
		return Evidence{Subject: "org/ada", Changes: changes, Bounds: Promised(10 * time.Second)}
	}

	if found := IdleWrites(about(changes)); len(found) != 1 {
		t.Errorf("found %v", found)
	}
	edited := append([]AccountChange{{At: time.Minute - time.Second, Before: same, After: same}}, changes...)
	if found := IdleWrites(about(edited)); len(found) != 0 {
		t.Errorf("right after an edit at LambdaTest: found %v", found)
	}
	known := append([]AccountChange{{At: 1, Call: "POST /Users", After: same}}, changes...)
	if found := IdleWrites(about(known)); len(found) != 1 {
		t.Errorf("where it was as the call before left it: found %v", found)
	}
	known[0].After.Active = false
	if found := IdleWrites(about(known)); len(found) != 1 {
		t.Errorf("LambdaTest computes roles and nothing else: found %v", found)
	}
	known[0].After.Role = "Admin"
	if found := IdleWrites(about(known)); len(found) != 0 {
		t.Errorf("where LambdaTest computed another role since: found %v", found)
	}
	ended := about(changes)
	ended.Terms = terms
	if found := IdleWrites(ended); len(found) != 0 {
		t.Errorf("right after a leader ended: found %v", found)
	}
}

func TestReasonsAreGenerationsEndsAndMemberships(t *testing.T) {
	people := []Version{
		{At: 1, Name: "ns/a", Subject: "org/ada", Generation: 1, Counts: true},
		{At: 2, Name: "ns/a", Subject: "org/ada", Generation: 1, Counts: true}, // status
		{At: 3, Name: "ns/a", Subject: "org/ada", Generation: 2, Counts: true},
		{At: 4, Name: "ns/a", Subject: "org/ada", Generation: 3},
	}
	groups := []Version{
		{At: 5, Name: "ns/g", Subject: "org/qa", Members: map[string]bool{"ada": true}, Roles: "Admin"},
		{At: 6, Name: "ns/g", Subject: "org/qa", Members: map[string]bool{"ada": true, "bob": true}, Roles: "Admin"},
	}

	reasons := ReasonsOf(people, groups)

	if len(reasons["org/ada"]) != 6 || len(reasons["org/bob"]) != 1 {
		t.Errorf("got %v", reasons)
	}
}
