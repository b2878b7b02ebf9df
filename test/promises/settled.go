// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// Differences are the differences between the claims and LambdaTest that no resource explains. They are computed from the promises, without
// code of the controllers.
func (s *Snapshot) Differences() []Violation {
	var found []Violation
	differ := func(whom, format string, args ...any) {
		found = append(found, violationf("settled", whom, format, args...))
	}
	people, groups := s.claims()
	accounts := s.accounts()
	for subject, claims := range people {
		s.comparePerson(claims, accounts[subject], Merge(subject, claims, groups), differ)
	}
	for subject, account := range accounts {
		if people[subject] == nil && account.Active {
			differ(subject, "no resource claims the person, but the account is active")
		}
	}
	s.compareGroups(accounts, differ)
	slices.SortFunc(found, func(a, b Violation) int { return cmp.Compare(a.Whom, b.Whom) })
	return found
}

type differ func(whom, format string, args ...any)

// comparePerson compares the claims about a person with the account, which has no ID when there is none.
func (s *Snapshot) comparePerson(claims []Version, account simulator.Account, desired Desired, differ differ) {
	subject, x, there := claims[0].Subject, s.standingOf(claims, differ), account.ID != ""
	switch {
	case x.observed, x.excused && !desired.Denied, x.alarmed && desired.Denied:
	case x.held && (!desired.Claimed || desired.On()): // the guard keeps the account active that should be inactive, or inactive that should be active
	case desired.On() && !account.Active:
		differ(subject, "the account is not active and should be (there: %v)", there)
	case !desired.On() && account.Active:
		differ(subject, "the account is active and should not be")
	}
	if there && desired.Claimed && !x.held && !x.excused && desired.Role != "" && desired.Role != account.Role {
		differ(subject, "the role is %s and should be %s", account.Role, desired.Role)
	}
}

// standing is what the conditions of a person's claims say together.
type standing struct {
	// held: the guard waits for an approval of something. observed: nothing is carried out.
	held, observed bool
	// excused: a claim has a reason that the run caused itself. alarmed: it is DeniedButActive.
	excused, alarmed bool
}

// standingOf reads the conditions, and tells of those that do not say why the person is not ready.
func (s *Snapshot) standingOf(claims []Version, differ differ) standing {
	x := standing{observed: true}
	for _, claim := range claims {
		reason, explains := claim.explains()
		excused := claim.Current && slices.Contains(s.Explained, reason)
		x.held, x.observed, x.excused = x.held || isHeld(reason), x.observed && reason == v1alpha1.ObservedReason, x.excused || excused
		x.alarmed = x.alarmed || excused && reason == v1alpha1.DeniedButActiveReason
		if !explains && !excused {
			differ(claim.Subject, "%s is not ready and does not say why: %q", claim.Name, reason)
		}
		if claim.Deleting && !isHeld(reason) && !excused {
			differ(claim.Subject, "%s is deleted and stays: %q", claim.Name, reason)
		}
	}
	return x
}

// isHeld reports whether a resource waits for an approval.
func isHeld(reason string) bool {
	return slices.Contains([]string{
		v1alpha1.DeprovisionHeldReason, v1alpha1.DemotionHeldReason, v1alpha1.ActivationHeldReason,
	}, reason)
}

// explains is the reason of the Ready condition, and whether it explains the state to a reader.
func (v Version) explains() (reason string, explained bool) {
	if !v.Current {
		return "", false
	}
	passing := []string{
		v1alpha1.ProgressingReason, v1alpha1.RateLimitedReason, v1alpha1.UpstreamUnavailableReason, v1alpha1.UnauthorizedReason,
		v1alpha1.OrganizationNotReadyReason,
	}
	return v.Ready.Reason, v.Ready.Status == metav1.ConditionTrue || v.Ready.Message != "" && !slices.Contains(passing, v.Ready.Reason)
}

func (s *Snapshot) compareGroups(accounts map[string]simulator.Account, differ differ) {
	unclaimed := s.upstream()
	upstream := maps.Clone(unclaimed)
	for i := range s.Groups {
		group := GroupVersion(0, &s.Groups[i], false)
		if reason, explained := group.explains(); !explained || group.Deleting {
			differ(group.Subject, "group %s is not ready, or deleted and stays: %q", group.Name, reason)
			continue
		}
		there := upstream[group.Subject]
		delete(unclaimed, group.Subject)
		if want, have := membersOf(group, accounts), namesOf(there); there.ID == "" || want != have {
			differ(group.Subject, "LambdaTest has a group (%v) with members %q and should have %q", there.ID != "", have, want)
		}
	}
	for subject := range unclaimed {
		differ(subject, "LambdaTest has a group that no resource claims")
	}
}

// membersOf are those of a group's members who have accounts.
func membersOf(group Version, accounts map[string]simulator.Account) string {
	var names []string
	for userName := range group.Members {
		if accounts[OrganizationOf(group.Subject)+"/"+userName].ID != "" {
			names = append(names, userName)
		}
	}
	return SetOf(names)
}

func namesOf(group simulator.Group) string {
	names := make([]string, len(group.Members))
	for i, member := range group.Members {
		names[i] = v1alpha1.FoldUserName(member.UserName)
	}
	return SetOf(names)
}

// personOf is the second part of a subject.
func personOf(subject string) string { return strings.TrimPrefix(subject, OrganizationOf(subject)+"/") }
