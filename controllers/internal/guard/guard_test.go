// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"

	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

func TestImplicitLimit(t *testing.T) {
	for _, test := range []struct {
		name             string
		minimum, percent *int32
		active, want     int32
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

func TestWhatIsLeftOfTheHour(t *testing.T) {
	organization := &v1alpha1.LambdaTestOrganization{}
	expect := func(what string, active int, now time.Time, want int) {
		t.Helper()
		if left := Left(organization, active, now); left != want {
			t.Errorf("%s: %d are left, want %d", what, left, want)
		}
	}
	expect("nothing was counted yet", 100, guardTime, 20)
	organization.Status.Guard = &v1alpha1.GuardStatus{WindowStart: new(metav1.NewTime(guardTime)), Active: 100, Deprovisioned: 12, Demoted: 5, Activated: 2}
	expect("in the same hour", 100, guardTime.Add(window-time.Second), 1)
	expect("in the same hour, in which more people came", 150, guardTime.Add(window-time.Second), 11)
	expect("in the next hour", 100, guardTime.Add(window), 20)
	organization.Status.Guard.Deprovisioned = 50
	expect("more went than may go now", 100, guardTime, 0)
	if organization.Status.Guard.Active != 100 {
		t.Error("the status was changed")
	}
}

var guardTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// guardWith is the state of an organization with that many active people in an hour that has just begun.
func guardWith(active int) *policy {
	state := policyOf(nil)
	state.roll(guardTime, func() int { return active })
	return state
}

func approval(token string) proposal {
	return proposal{annotation: v1alpha1.ApproveDeprovisionAnnotation, value: token}
}

func rejection(token string) proposal {
	return proposal{annotation: v1alpha1.RejectDeprovisionAnnotation, value: token}
}

// settled is what becomes of a proposal.
func settled(state *policy, proposal proposal) decision {
	return state.settle(proposal, "ada", guardTime).decision
}

func asking(kind Kind, entries ...string) Request {
	return Request{Kind: kind, Entries: entries}
}

func TestGuardCountsAllImplicitKindsTogether(t *testing.T) {
	state, limits := guardWith(6), v1alpha1.DeprovisionGuard{}
	var got []Verdict
	for _, request := range []Request{
		asking(Deprovision, "a"), asking(Demotion, "b: Admin to User"), asking(Activation, "c: active again"),
		asking(Deprovision, "d"), asking(Denial, "e: denied"), asking(Deprovision, "a"),
	} {
		got = append(got, state.decide(request, limits, guardTime))
	}
	want := []Verdict{Admitted, Admitted, Admitted, Held, Admitted, Admitted}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestGuardHoldsAGroupAsAWhole(t *testing.T) {
	state := guardWith(10)
	request := asking(Demotion, "LambdaTestGroup/admins: 6 people lose a role (abc)")
	if got := state.decide(request, v1alpha1.DeprovisionGuard{}, guardTime); got != Held {
		t.Errorf("got %v", got)
	}
	if held := state.export().Held; held.Count != 6 {
		t.Errorf("%d people are held", held.Count)
	}
}

func TestGuardFreesNobodyBecauseTimePasses(t *testing.T) {
	state, limits := guardWith(2), v1alpha1.DeprovisionGuard{}
	state.decide(asking(Deprovision, "a"), limits, guardTime)
	state.decide(asking(Deprovision, "b"), limits, guardTime)
	later := guardTime.Add(window)
	state = policyOf(state.export())
	state.roll(later, func() int { return 2 })
	if got := state.decide(asking(Deprovision, "b"), limits, later); got != Held {
		t.Errorf("who was held an hour ago: %v", got)
	}
	if got := state.decide(asking(Deprovision, "c"), limits, later); got != Admitted {
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
	state.decide(asking(Deprovision, "a"), limits, guardTime)
	note("a")
	state.decide(asking(Deprovision, "b"), limits, guardTime)
	note("a and b")
	state.drop("a", "b")
	later := guardTime.Add(time.Second)
	state.decide(asking(Deprovision, "a"), limits, later)
	note("a, another time")
}

func TestGuardApprovesNothingButTheSet(t *testing.T) {
	state, limits := guardWith(2), v1alpha1.DeprovisionGuard{Minimum: new(int32(0)), Percent: new(int32(0))}
	state.decide(asking(Deprovision, "a"), limits, guardTime)
	stale := state.token()
	state.decide(asking(Deprovision, "b"), limits, guardTime)
	if settled(state, approval(stale)) == decided || settled(state, rejection(stale)) == decided || settled(state, approval("")) == decided {
		t.Fatal("a stale token decided something")
	}
	if settled(state, approval(state.token())) != decided {
		t.Fatal("the current token was refused")
	}
	state = policyOf(state.export())
	if got := state.decide(asking(Deprovision, "a"), limits, guardTime); got != Admitted {
		t.Errorf("who was approved: %v", got)
	}
	if got := state.decide(asking(Demotion, "a: Admin to User"), limits, guardTime); got != Held {
		t.Errorf("something else that happens to the same person: %v", got)
	}
}

// part is the value of an annotation about a part of the held set.
func part(state *policy, names ...string) string {
	return v1alpha1.Decision{Token: state.token(), Only: names}.String()
}

func TestGuardDecidesAboutThePartOfTheSetThatIsNamed(t *testing.T) {
	state, limits := guardWith(2), v1alpha1.DeprovisionGuard{Minimum: new(int32(0)), Percent: new(int32(0))}
	for _, entry := range []string{"a", "b", "b: Admin to User", "c"} {
		state.decide(asking(Deprovision, entry), limits, guardTime)
	}
	whole := state.token()
	if got := settled(state, approval(part(state, "a", "nobody"))); got != notHeld {
		t.Fatalf("a name that is not held: %v", got)
	}
	if got := settled(state, approval(part(state, "b"))); got != decided {
		t.Fatalf("the current token was refused: %v", got)
	}
	exported := state.export()
	if diff := cmp.Diff([]string{"a", "c"}, exported.Held.People); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"b", "b: Admin to User"}, exported.Approved.People); diff != "" {
		t.Errorf("approved (-want +got):\n%s", diff)
	}
	state.drop("b", "b: Admin to User")
	for _, entry := range []string{"b", "b: Admin to User"} {
		state.decide(asking(Deprovision, entry), limits, guardTime)
	}
	if state.token() == whole {
		t.Error("the token of a decision names a set again")
	}
}

func TestGuardSaysWhoDecidedAndWhen(t *testing.T) {
	state, limits := guardWith(2), v1alpha1.DeprovisionGuard{Minimum: new(int32(0)), Percent: new(int32(0))}
	state.decide(asking(Deprovision, "a"), limits, guardTime)
	later := guardTime.Add(time.Minute)
	state.settle(rejection(state.token()), "ada@example.com", later)
	got := policyOf(state.export()).export().Rejected
	if got.By != "ada@example.com" || got.DecidedAt == nil || !got.DecidedAt.Time.Equal(later) {
		t.Errorf("decided by %q at %v", got.By, got.DecidedAt)
	}
}

func TestGuardNeverRejectsADenial(t *testing.T) {
	state, limits := guardWith(1), v1alpha1.DeprovisionGuard{ExplicitPercent: new(int32(1))}
	state.decide(asking(Denial, "a: denied"), limits, guardTime)
	state.decide(asking(Denial, "b: denied"), limits, guardTime)
	settled(state, rejection(state.token()))
	if got := state.decide(asking(Denial, "b: denied"), limits, guardTime); got != Held {
		t.Errorf("got %v", got)
	}
}

func TestGuardLimitGrowsWithTheOrganization(t *testing.T) {
	state, limits := guardWith(5), v1alpha1.DeprovisionGuard{}
	state.roll(guardTime.Add(time.Minute), func() int { return 60 })
	for i := range 12 {
		if got := state.decide(asking(Deprovision, fmt.Sprintf("p%d", i)), limits, guardTime); got != Admitted {
			t.Fatalf("person %d of 60: %v", i, got)
		}
	}
	if got := state.decide(asking(Deprovision, "p12"), limits, guardTime); got != Held {
		t.Errorf("the thirteenth of 60: %v", got)
	}
	state.roll(guardTime.Add(time.Minute), func() int { return 3 })
	if state.decide(asking(Deprovision, "p13"), limits, guardTime); state.counters.Limit != 12 {
		t.Errorf("the limit is %d after most have gone", state.counters.Limit)
	}
}

// The lists of status, whatever is asked: within what the definition takes, and all of them within what etcd takes of one object, of
// which 256 kB may be annotations.
func TestGuardBoundsItsLists(t *testing.T) {
	maxItems := MaxItems(t, "../../../config/crd/bases/iam.lambdatest.io_lambdatestorganizations.yaml", "status", "guard", "held", "people")
	for _, length := range []int{10, 253} {
		name := func(what string, i int) string { return fmt.Sprintf("%s%0*d", what, length-1, i) }
		state := guardWith(1_000_000)
		fill := func(what string, limits v1alpha1.DeprovisionGuard) {
			for i := range maxItems + 5 {
				state.decide(asking(Deprovision, name(what, i)), limits, guardTime)
			}
		}
		none := v1alpha1.DeprovisionGuard{Minimum: new(int32(0)), Percent: new(int32(0))}
		fill("a", v1alpha1.DeprovisionGuard{})
		fill("r", none)
		settled(state, rejection(state.token()))
		fill("y", none)
		settled(state, approval(state.token()))
		fill("h", none)
		exported := state.export()
		for what, set := range map[string]*v1alpha1.HeldSet{
			"admitted": exported.Admitted, "held": exported.Held, "approved": exported.Approved, "rejected": exported.Rejected,
		} {
			if set != nil && len(set.People) > maxItems {
				t.Errorf("%d are %s, and the definition takes %d", len(set.People), what, maxItems)
			}
		}
		encoded, err := json.Marshal(exported)
		if err != nil {
			t.Fatal(err)
		}
		if bound := 1_300_000; len(encoded) > bound {
			t.Errorf("names of %d characters make a status of %d bytes", length, len(encoded))
		}
	}
}

func TestGuardDecidesAnApprovalBeforeARejectionOfTheSameSet(t *testing.T) {
	limits := v1alpha1.DeprovisionGuard{Minimum: new(int32(0)), Percent: new(int32(0))}
	for range 50 { // a map has no order
		state := guardWith(2)
		state.decide(asking(Deprovision, "a"), limits, guardTime)
		approve, reject := approval(state.token()), rejection(state.token())
		both := &batch{proposals: map[proposal]settlement{approve: {}, reject: {}}}
		both.apply(state, &v1alpha1.LambdaTestOrganization{Spec: v1alpha1.LambdaTestOrganizationSpec{DeprovisionGuard: limits}}, guardTime)
		if both.proposals[approve].decision != decided || both.proposals[reject].decision == decided {
			t.Fatalf("decided: %v", both.proposals)
		}
	}
}
