// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

func TestImplicitLimit(t *testing.T) {
	for _, test := range []struct {
		name             string
		minimum, percent *int32
		active, want     int
	}{
		{name: "a fifth of many", active: 1000, want: 200},
		{name: "ten of a few", active: 30, want: 10},
		{name: "never more than half", active: 12, want: 6},
		{name: "half of an odd number is rounded down", active: 3, want: 1},
		{name: "the only one may go", active: 1, want: 1},
		{name: "nobody, when both are zero", minimum: new(int32(0)), percent: new(int32(0)), active: 100, want: 0},
		{name: "a percentage of its own", percent: new(int32(50)), active: 1000, want: 500},
		{name: "a minimum of its own", minimum: new(int32(40)), active: 100, want: 40},
	} {
		t.Run(test.name, func(t *testing.T) {
			limits := v1alpha1.DeprovisionGuard{Minimum: test.minimum, Percent: test.percent}
			if got := implicitLimit(limits, test.active); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

var guardTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// guardWith is the state of an organization with that many active people in an hour that has just begun.
func guardWith(active int) *guardState {
	state := guardStateOf(nil)
	state.roll(guardTime, func() int { return active })
	return state
}

func asking(kind guardKind, entries ...string) guardRequest {
	return guardRequest{kind: kind, entries: entries}
}

func TestGuardCountsAllImplicitKindsTogether(t *testing.T) {
	state, limits := guardWith(6), v1alpha1.DeprovisionGuard{}
	var got []guardOutcome
	for _, request := range []guardRequest{
		asking(guardDeprovision, "a"), asking(guardDemotion, "b: Admin to User"), asking(guardActivation, "c: active again"),
		asking(guardDeprovision, "d"), asking(guardDenial, "e: denied"), asking(guardDeprovision, "a"),
	} {
		got = append(got, state.decide(request, limits, guardTime))
	}
	want := []guardOutcome{guardAdmits, guardAdmits, guardAdmits, guardHolds, guardAdmits, guardAdmits}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestGuardHoldsAGroupAsAWhole(t *testing.T) {
	state := guardWith(10)
	request := asking(guardDemotion, "LambdaTestGroup/admins: 6 people lose a role (abc)")
	if got := state.decide(request, v1alpha1.DeprovisionGuard{}, guardTime); got != guardHolds {
		t.Errorf("got %v", got)
	}
	if held := state.export().Held; held.Count != 6 {
		t.Errorf("%d people are held", held.Count)
	}
}

func TestGuardFreesNobodyBecauseTimePasses(t *testing.T) {
	state, limits := guardWith(2), v1alpha1.DeprovisionGuard{}
	state.decide(asking(guardDeprovision, "a"), limits, guardTime)
	state.decide(asking(guardDeprovision, "b"), limits, guardTime)
	later := guardTime.Add(guardWindow)
	state = guardStateOf(state.export())
	state.roll(later, func() int { return 2 })
	if got := state.decide(asking(guardDeprovision, "b"), limits, later); got != guardHolds {
		t.Errorf("who was held an hour ago: %v", got)
	}
	if got := state.decide(asking(guardDeprovision, "c"), limits, later); got != guardAdmits {
		t.Errorf("somebody else in a new hour: %v", got)
	}
}

func TestGuardTokenNamesExactlyOneSet(t *testing.T) {
	state, limits := guardWith(2), v1alpha1.DeprovisionGuard{Minimum: new(int32(0)), Percent: new(int32(0))}
	tokens := map[string]string{}
	note := func(what string) {
		token := state.token()
		if before, taken := tokens[token]; taken {
			t.Errorf("%s has the token of %s", what, before)
		}
		tokens[token] = what
	}
	state.decide(asking(guardDeprovision, "a"), limits, guardTime)
	note("a")
	state.decide(asking(guardDeprovision, "b"), limits, guardTime)
	note("a and b")
	state.drop(entrySet{"a": {}, "b": {}})
	later := guardTime.Add(time.Second)
	state.decide(asking(guardDeprovision, "a"), limits, later)
	note("a, another time")
}

func TestGuardApprovesNothingButTheSet(t *testing.T) {
	state, limits := guardWith(2), v1alpha1.DeprovisionGuard{Minimum: new(int32(0)), Percent: new(int32(0))}
	state.decide(asking(guardDeprovision, "a"), limits, guardTime)
	stale := state.token()
	state.decide(asking(guardDeprovision, "b"), limits, guardTime)
	if state.approve(stale) || state.reject(stale) || state.approve("") {
		t.Fatal("a stale token decided something")
	}
	if !state.approve(state.token()) {
		t.Fatal("the current token was refused")
	}
	state = guardStateOf(state.export())
	if got := state.decide(asking(guardDeprovision, "a"), limits, guardTime); got != guardAdmits {
		t.Errorf("who was approved: %v", got)
	}
	if got := state.decide(asking(guardDemotion, "a: Admin to User"), limits, guardTime); got != guardHolds {
		t.Errorf("something else that happens to the same person: %v", got)
	}
}

func TestGuardNeverRejectsADenial(t *testing.T) {
	state, limits := guardWith(1), v1alpha1.DeprovisionGuard{ExplicitPercent: new(int32(1))}
	state.decide(asking(guardDenial, "a: denied"), limits, guardTime)
	state.decide(asking(guardDenial, "b: denied"), limits, guardTime)
	state.reject(state.token())
	if got := state.decide(asking(guardDenial, "b: denied"), limits, guardTime); got != guardHolds {
		t.Errorf("got %v", got)
	}
}

func TestGuardBoundsItsLists(t *testing.T) {
	state, limits := guardWith(100_000), v1alpha1.DeprovisionGuard{Minimum: new(int32(0)), Percent: new(int32(0))}
	for i := range maxHeld + 5 {
		if got := state.decide(asking(guardDeprovision, fmt.Sprintf("p%05d", i)), limits, guardTime); got != guardHolds {
			t.Fatalf("person %d: %v", i, got)
		}
	}
	if held := state.export().Held; len(held.People) != maxHeld {
		t.Errorf("%d are listed", len(held.People))
	}
}
