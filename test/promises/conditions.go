// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// Conditions returns the users whose Ready condition does not say what is so, once everything has settled: its reason does not fit the claims,
// the organization and the account. docs/users.md says what each reason means.
func (s *Snapshot) Conditions() []Violation {
	var found []Violation
	people, groups := s.claims()
	accounts := s.accounts()
	organizations := map[string]*v1alpha1.LambdaTestOrganization{}
	for i := range s.Organizations {
		organizations[s.Organizations[i].Name] = &s.Organizations[i]
	}
	for i := range s.Users {
		user := &s.Users[i]
		claim := UserVersion(0, user, false)
		x := situation{
			claim: claim, claims: people[claim.Subject], desired: Merge(claim.Subject, people[claim.Subject], groups),
			account: accounts[claim.Subject], organization: organizations[OrganizationOf(claim.Subject)],
		}
		if wrong := x.wrong(); wrong != "" {
			found = append(found, violationf("conditions", claim.Subject, "%s says Ready=%s (%s): %s",
				claim.Name, claim.Ready.Status, claim.Ready.Reason, wrong))
		}
		if wrong := contradiction(user.Status.Conditions); wrong != "" {
			found = append(found, violationf("conditions", claim.Subject, "%s %s", claim.Name, wrong))
		}
	}
	return found
}

// situation is a claim, and all that its condition may be about.
type situation struct {
	claim        Version
	claims       []Version
	desired      Desired
	account      simulator.Account
	organization *v1alpha1.LambdaTestOrganization
}

// wrong says why the reason does not fit; empty when it does, or when only LambdaTest knows.
func (x situation) wrong() string {
	held := slices.ContainsFunc(x.claims, func(v Version) bool { return isHeld(v.Ready.Reason) })
	agrees := x.account.Active == x.desired.On() && (x.desired.Role == "" || x.account.ID == "" || x.desired.Role == x.account.Role)
	fits := func(is bool, otherwise string) string {
		if is {
			return ""
		}
		return otherwise
	}
	switch reason := x.claim.Ready.Reason; reason {
	case v1alpha1.SyncedReason:
		return fits(agrees || held, "LambdaTest has something else")
	case v1alpha1.DeniedByAnotherClaimReason:
		return fits(x.claim.Counts && !x.claim.Denies && x.desired.Denied || held, "no other claim denies the person")
	case v1alpha1.ObservedReason:
		return fits(!x.claim.Counts && !x.claim.Deleting, "the resource does not only observe")
	case v1alpha1.DuplicateUserNameReason:
		older := func(v Version) bool {
			return v.Source == "" && v.Counts && v.Name != x.claim.Name && precedence(v, x.claim) < 0
		}
		return fits(x.claim.Source == "" && slices.ContainsFunc(x.claims, older), "no older declared resource is about the person")
	case v1alpha1.DeniedButActiveReason:
		return fits(x.desired.Denied || held, "no claim denies the person")
	case v1alpha1.DeprovisionHeldReason, v1alpha1.DemotionHeldReason, v1alpha1.ActivationHeldReason:
		return fits(x.claim.Deleting || x.desired.Denied, "the resource is not being deleted")
	case v1alpha1.SuspendedReason:
		return fits(x.organization != nil && x.organization.Spec.Suspend, "the organization is not suspended")
	case v1alpha1.DriftedReason:
		reports := x.organization != nil && x.organization.Spec.DriftPolicy == v1alpha1.DriftReport
		return fits(!agrees && reports, "nothing differs, or differences are corrected")
	case v1alpha1.OrganizationNotFoundReason:
		return fits(x.organization == nil, "there is an organization of that name")
	case v1alpha1.OrganizationNotReadyReason:
		ready := x.organization != nil && meta.IsStatusConditionTrue(x.organization.Status.Conditions, v1alpha1.ReadyCondition)
		return fits(!ready, "the organization is ready")
	case v1alpha1.OwnedByAnotherOrganizationReason, v1alpha1.AccountMovedReason:
		return fits(x.account.ID == "", "the account is in this organization")
	}
	return ""
}

// contradiction says what is wrong with the conditions whatever they are about: Ready excludes the other two of kstatus.
func contradiction(conditions []metav1.Condition) string {
	ready := meta.IsStatusConditionTrue(conditions, v1alpha1.ReadyCondition)
	reconciling := meta.IsStatusConditionTrue(conditions, v1alpha1.ReconcilingCondition)
	stalled := meta.IsStatusConditionTrue(conditions, v1alpha1.StalledCondition)
	switch {
	case ready && (reconciling || stalled):
		return "is Ready, and Reconciling or Stalled"
	case reconciling && stalled:
		return "is Reconciling and Stalled"
	}
	return ""
}
