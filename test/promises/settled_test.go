// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// ready says that a resource is as it should be.
func ready[T interface{ SetConditions([]metav1.Condition) }](object T) T {
	object.SetConditions([]metav1.Condition{{Type: v1alpha1.ReadyCondition, Status: metav1.ConditionTrue, Reason: v1alpha1.SyncedReason}})
	return object
}

func TestWhatDoesNotAgreeInTheEndIsTold(t *testing.T) {
	claim := func() *UserBuilder { return MakeUser("ada@example.com").Of("org") }
	failing := claim().Obj()
	failing.SetConditions([]metav1.Condition{{Type: v1alpha1.ReadyCondition, Status: metav1.ConditionFalse, Reason: v1alpha1.ProgressingReason, Message: "Wait."}})
	held := ready(claim().Obj())
	held.DeletionTimestamp = new(metav1.Now())
	held.Status.Conditions[0].Reason = v1alpha1.DeprovisionHeldReason
	on, off := simulator.Account{ID: "1", Active: true, Role: "User"}, simulator.Account{ID: "1", Role: "User"}
	because := func(user *v1alpha1.LambdaTestUser, reason string) *v1alpha1.LambdaTestUser {
		user.SetConditions([]metav1.Condition{{Type: v1alpha1.ReadyCondition, Status: metav1.ConditionFalse, Reason: reason, Message: "Because."}})
		return user
	}
	observing := ready(claim().Obj())
	observing.Spec.ManagementPolicy, observing.Status.Conditions[0].Reason = v1alpha1.ManagementObserve, v1alpha1.ObservedReason
	inTheRun := []string{v1alpha1.SuspendedReason, v1alpha1.DeniedButActiveReason}
	cases := map[string]struct {
		claims    []*v1alpha1.LambdaTestUser
		account   simulator.Account
		explained []string
		told      string
	}{
		"suspended":                       {claims: []*v1alpha1.LambdaTestUser{because(claim().Obj(), v1alpha1.SuspendedReason)}, account: off, explained: inTheRun},
		"suspended, which nobody did":     {claims: []*v1alpha1.LambdaTestUser{because(claim().Obj(), v1alpha1.SuspendedReason)}, account: off, told: "not active"},
		"DeniedButActive":                 {claims: []*v1alpha1.LambdaTestUser{because(claim().Denied().Obj(), v1alpha1.DeniedButActiveReason)}, account: on, explained: inTheRun},
		"DeniedButActive, which is wrong": {claims: []*v1alpha1.LambdaTestUser{because(claim().Denied().Obj(), v1alpha1.DeniedButActiveReason)}, account: on, told: "should not be"},
		"denied, on, and not alarmed":     {claims: []*v1alpha1.LambdaTestUser{because(claim().Denied().Obj(), v1alpha1.SuspendedReason)}, account: on, explained: inTheRun, told: "should not be"},
		"active and wanted":               {claims: []*v1alpha1.LambdaTestUser{ready(claim().Obj())}, account: on},
		"denied and off":                  {claims: []*v1alpha1.LambdaTestUser{ready(claim().Denied().Obj())}, account: off},
		"denied and on":                   {claims: []*v1alpha1.LambdaTestUser{ready(claim().Denied().Obj())}, account: on, told: "should not be"},
		"denied by one of two":            {claims: []*v1alpha1.LambdaTestUser{ready(claim().Obj()), ready(claim().FromSCIM().Denied().Obj())}, account: on, told: "should not be"},
		"wanted and off":                  {claims: []*v1alpha1.LambdaTestUser{ready(claim().Obj())}, account: off, told: "not active"},
		"wanted and absent":               {claims: []*v1alpha1.LambdaTestUser{ready(claim().Obj())}, told: "not active"},
		"of another role":                 {claims: []*v1alpha1.LambdaTestUser{ready(claim().Role(v1alpha1.RoleAdmin).Obj())}, account: on, told: "the role is User"},
		"declared comes first":            {claims: []*v1alpha1.LambdaTestUser{ready(claim().FromSCIM().Role(v1alpha1.RoleAdmin).Obj()), ready(claim().Role(v1alpha1.RoleUser).Obj())}, account: on},
		"does not say why":                {claims: []*v1alpha1.LambdaTestUser{failing}, account: on, told: "does not say why"},
		"only observed":                   {claims: []*v1alpha1.LambdaTestUser{observing}, account: on},
		"nobody claims":                   {account: on, told: "no resource claims"},
		"the guard holds a deletion":      {claims: []*v1alpha1.LambdaTestUser{held}, account: on},
		"held, denied and on":             {claims: []*v1alpha1.LambdaTestUser{held, ready(claim().FromSCIM().Denied().Obj())}, account: on, told: "should not be"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := &Snapshot{Accounts: map[string][]simulator.Account{}, Explained: c.explained}
			if c.account.ID != "" {
				c.account.UserName = "ada@example.com"
				s.Accounts["org"] = []simulator.Account{c.account}
			}
			for _, user := range c.claims {
				s.Users = append(s.Users, *user)
			}
			found := s.Differences()
			if c.told == "" && len(found) > 0 || c.told != "" && (len(found) != 1 || !strings.Contains(found[0].Detail, c.told)) {
				t.Errorf("found %v, want %q", found, c.told)
			}
		})
	}
}

func TestGroupsThatDoNotAgreeInTheEndAreTold(t *testing.T) {
	group := ready(MakeGroup("QA").Of("org").With("ada@example.com", "bob@example.com").Obj())
	s := &Snapshot{
		Groups:   []v1alpha1.LambdaTestGroup{*group},
		Accounts: map[string][]simulator.Account{"org": {{ID: "1", UserName: "ada@example.com"}}},
		Upstream: map[string][]simulator.Group{"org": {{ID: "2", DisplayName: "QA", Members: []simulator.Member{{ID: "1", UserName: "ada@example.com"}}}}},
	}
	if found := s.Differences(); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	s.Upstream["org"] = []simulator.Group{{ID: "2", DisplayName: "QA"}, {ID: "3", DisplayName: "Other"}}
	if found := s.Differences(); len(found) != 2 {
		t.Errorf("found %v, want a member who is missing, and a group that nobody claims", found)
	}
}
