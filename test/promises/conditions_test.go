// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

func TestAReasonThatDoesNotFitIsTold(t *testing.T) {
	claim := func() *UserBuilder { return MakeUser("ada@example.com").Of("org") }
	// says gives a resource a Ready condition.
	says := func(user *v1alpha1.LambdaTestUser, status metav1.ConditionStatus, reason string) *v1alpha1.LambdaTestUser {
		user.SetConditions([]metav1.Condition{{Type: v1alpha1.ReadyCondition, Status: status, Reason: reason, Message: "Because."}})
		return user
	}
	const yes, no = metav1.ConditionTrue, metav1.ConditionFalse
	deleting := func() *v1alpha1.LambdaTestUser {
		user := claim().Obj()
		user.DeletionTimestamp = new(metav1.Now())
		return user
	}
	observing := claim().Obj()
	observing.Spec.ManagementPolicy = v1alpha1.ManagementObserve
	younger := claim().Named("younger").Obj()
	younger.CreationTimestamp = metav1.NewTime(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	contradictory := says(claim().Obj(), yes, v1alpha1.SyncedReason)
	contradictory.Status.Conditions = append(contradictory.Status.Conditions, metav1.Condition{Type: v1alpha1.StalledCondition, Status: yes})
	suspended := v1alpha1.LambdaTestOrganization{ObjectMeta: metav1.ObjectMeta{Name: "org"}, Spec: v1alpha1.LambdaTestOrganizationSpec{Suspend: true}}
	reporting := v1alpha1.LambdaTestOrganization{ObjectMeta: metav1.ObjectMeta{Name: "org"}, Spec: v1alpha1.LambdaTestOrganizationSpec{DriftPolicy: v1alpha1.DriftReport}}
	calm := v1alpha1.LambdaTestOrganization{ObjectMeta: metav1.ObjectMeta{Name: "org"}}
	calm.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ReadyCondition, Status: yes}}
	type users = []*v1alpha1.LambdaTestUser
	cases := map[string]struct {
		users        users
		account      simulator.Account
		organization v1alpha1.LambdaTestOrganization
		wrong        bool
	}{
		"Synced, and so it is":                    {users: users{says(claim().Obj(), yes, v1alpha1.SyncedReason)}, account: userOn},
		"Synced, and off":                         {users: users{says(claim().Obj(), yes, v1alpha1.SyncedReason)}, account: userOff, wrong: true},
		"Synced, with another role":               {users: users{says(claim().Role(v1alpha1.RoleAdmin).Obj(), yes, v1alpha1.SyncedReason)}, account: userOn, wrong: true},
		"Synced, denied and off":                  {users: users{says(claim().Denied().Obj(), yes, v1alpha1.SyncedReason)}, account: userOff},
		"Synced, denied and on":                   {users: users{says(claim().Denied().Obj(), yes, v1alpha1.SyncedReason)}, account: userOn, wrong: true},
		"DeniedByAnotherClaim, and one does":      {users: users{says(claim().Obj(), yes, v1alpha1.DeniedByAnotherClaimReason), says(claim().FromSCIM().Denied().Obj(), yes, v1alpha1.SyncedReason)}, account: userOff},
		"DeniedByAnotherClaim, and none does":     {users: users{says(claim().Obj(), yes, v1alpha1.DeniedByAnotherClaimReason)}, account: userOn, wrong: true},
		"Observed":                                {users: users{says(observing, yes, v1alpha1.ObservedReason)}},
		"Observed, and carried out":               {users: users{says(claim().Obj(), yes, v1alpha1.ObservedReason)}, account: userOn, wrong: true},
		"DuplicateUserName":                       {users: users{says(claim().Obj(), yes, v1alpha1.SyncedReason), says(younger, no, v1alpha1.DuplicateUserNameReason)}, account: userOn},
		"DuplicateUserName, and the only one":     {users: users{says(claim().Obj(), no, v1alpha1.DuplicateUserNameReason)}, account: userOn, wrong: true},
		"DeniedButActive":                         {users: users{says(claim().Denied().Obj(), no, v1alpha1.DeniedButActiveReason)}, account: userOn},
		"DeniedButActive, and not denied":         {users: users{says(claim().Obj(), no, v1alpha1.DeniedButActiveReason)}, account: userOn, wrong: true},
		"DeprovisionHeld":                         {users: users{says(deleting(), no, v1alpha1.DeprovisionHeldReason)}, account: userOn},
		"DeprovisionHeld, and not deleted":        {users: users{says(claim().Obj(), no, v1alpha1.DeprovisionHeldReason)}, account: userOn, wrong: true},
		"Suspended":                               {users: users{says(claim().Obj(), no, v1alpha1.SuspendedReason)}, organization: suspended},
		"Suspended, and the organization is not":  {users: users{says(claim().Obj(), no, v1alpha1.SuspendedReason)}, organization: calm, wrong: true},
		"Drifted":                                 {users: users{says(claim().Obj(), no, v1alpha1.DriftedReason)}, account: userOff, organization: reporting},
		"Drifted, and nothing differs":            {users: users{says(claim().Obj(), no, v1alpha1.DriftedReason)}, account: userOn, organization: reporting, wrong: true},
		"OrganizationNotFound, and it is there":   {users: users{says(claim().Obj(), no, v1alpha1.OrganizationNotFoundReason)}, organization: calm, wrong: true},
		"OrganizationNotReady, and it is":         {users: users{says(claim().Obj(), no, v1alpha1.OrganizationNotReadyReason)}, organization: calm, wrong: true},
		"OrganizationNotReady":                    {users: users{says(claim().Obj(), no, v1alpha1.OrganizationNotReadyReason)}, organization: suspended},
		"AccountMoved, and the account is here":   {users: users{says(claim().Obj(), no, v1alpha1.AccountMovedReason)}, account: userOn, wrong: true},
		"AccountMoved":                            {users: users{says(claim().Obj(), no, v1alpha1.AccountMovedReason)}},
		"Ready and Stalled":                       {users: users{contradictory}, account: userOn, wrong: true},
		"UpstreamRejected, which LambdaTest says": {users: users{says(claim().Obj(), no, v1alpha1.UpstreamRejectedReason)}, account: userOff},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := &Snapshot{Accounts: map[string][]simulator.Account{}}
			if c.organization.Name != "" {
				s.Organizations = []v1alpha1.LambdaTestOrganization{c.organization}
			}
			if c.account.ID != "" {
				c.account.UserName = "ada@example.com"
				s.Accounts["org"] = []simulator.Account{c.account}
			}
			for _, user := range c.users {
				s.Users = append(s.Users, *user)
			}
			found := s.Conditions()
			if wrong := len(found) > 0; wrong != c.wrong {
				t.Errorf("found %v, want wrong %v", found, c.wrong)
			}
		})
	}
}
