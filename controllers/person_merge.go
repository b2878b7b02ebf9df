// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// groupRole is the role that a person's groups give, and which group does. The zero value is "none of them does".
type groupRole struct {
	role v1alpha1.Role
	from string // "LambdaTestGroup/<name>"
	// group is the cache's own.
	group *v1alpha1.LambdaTestGroup
}

// person is what all claims about somebody come to.
type person struct {
	// claims about the person, in order of precedence: declared before SCIM's, the oldest first, then by name.
	claims []*v1alpha1.LambdaTestUser
	// living claims count: Full, and not being deleted.
	living []*v1alpha1.LambdaTestUser
	// leaving claims are being deleted and have our finalizer. Without it a claim counts for nothing any more, also where another's
	// finalizer keeps it.
	leaving []*v1alpha1.LambdaTestUser
	// desired is what the living claims want. Without any, it is what the leaving ones want.
	desired desired
	// denial is the first living claim that denies, if one does.
	denial *v1alpha1.LambdaTestUser
}

// desired is what LambdaTest should have of a person.
type desired struct {
	userName   string
	givenName  string
	familyName string
	fate       fate
	// wasDenied says, of somebody whom nobody claims any more, that one of those who did denied them.
	wasDenied bool
	effective v1alpha1.EffectiveState
}

// fate is what shall become of the account.
type fate int

const (
	// fateKept: somebody claims the person; effective says how.
	fateKept fate = iota
	// fateDeactivated: nobody claims the person any more, and one of those who did wants it deactivated.
	fateDeactivated
	// fateLeft: nobody claims the person, and the account is left as it is.
	fateLeft
)

// denies tells whether the person is to have no access.
func (d desired) denies() bool {
	return d.fate == fateDeactivated || d.fate == fateKept && !d.effective.Active
}

// merge turns all claims about one person, in order of precedence, into one wish:
//
//   - Only Full claims that are not being deleted count.
//   - Active is what every one of them says; a denial by any wins. A claim that the identity provider marked deleted denies.
//   - Role and concurrency group are the first claim's that sets it. Of declared claims only the oldest speaks.
//   - A role from groups comes before any claim's.
//   - Without a claim that counts, one Deactivate among those that go deactivates.
func merge(claims []*v1alpha1.LambdaTestUser, fromGroups groupRole) person {
	p := person{claims: claims}
	for _, claim := range claims {
		switch {
		case isGone(claim):
		case !claim.DeletionTimestamp.IsZero():
			p.leaving = append(p.leaving, claim)
		case isFull(claim):
			p.living = append(p.living, claim)
		}
	}
	if len(p.living) > 0 {
		p.denial = firstDenial(p.living)
		p.desired = wish(p.living, p.denial, fromGroups)
		return p
	}
	p.desired = farewell(p.leaving)
	return p
}

// observing is the wish that there would be if the claim counted.
func (p person) observing(claim *v1alpha1.LambdaTestUser, fromGroups groupRole) desired {
	if len(p.living) > 0 && isFull(claim) {
		return p.desired
	}
	living := append(slices.Clone(p.living), claim)
	slices.SortFunc(living, byPrecedence)
	return wish(living, firstDenial(living), fromGroups)
}

// speakers are the claims that may set attributes: a declared claim only if no older one is there.
func speakers(living []*v1alpha1.LambdaTestUser) []*v1alpha1.LambdaTestUser {
	var speaking []*v1alpha1.LambdaTestUser
	for _, claim := range living {
		if duplicateOf(claim, living) == nil {
			speaking = append(speaking, claim)
		}
	}
	return speaking
}

// duplicateOf returns the older declared claim because of which this one contributes only its denial, if there is one.
func duplicateOf(claim *v1alpha1.LambdaTestUser, living []*v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
	if !v1alpha1.IsDeclared(claim) {
		return nil
	}
	first := living[slices.IndexFunc(living, func(c *v1alpha1.LambdaTestUser) bool { return v1alpha1.IsDeclared(c) })]
	if first.UID == claim.UID && first.Name == claim.Name {
		return nil
	}
	return first
}

func wish(living []*v1alpha1.LambdaTestUser, denial *v1alpha1.LambdaTestUser, fromGroups groupRole) desired {
	speaking := speakers(living)
	d := desired{
		userName:   speaking[0].Spec.UserName,
		givenName:  speaking[0].Spec.Name.GivenName,
		familyName: speaking[0].Spec.Name.FamilyName,
		fate:       fateKept,
		effective:  v1alpha1.EffectiveState{Active: denial == nil, Role: fromGroups.role, RoleFrom: fromGroups.from},
	}
	if denial != nil {
		d.effective.ActiveFrom = claimReference(denial)
	}
	for _, claim := range speaking {
		if d.effective.Role == "" && claim.Spec.Role != "" {
			d.effective.Role, d.effective.RoleFrom = claim.Spec.Role, claimReference(claim)
		}
		if d.effective.ConcurrencyGroup == "" && claim.Spec.ConcurrencyGroup != "" {
			d.effective.ConcurrencyGroup, d.effective.ConcurrencyGroupFrom = claim.Spec.ConcurrencyGroup, claimReference(claim)
		}
	}
	return d
}

// farewell is the wish of claims that are all being deleted.
func farewell(leaving []*v1alpha1.LambdaTestUser) desired {
	d := desired{fate: fateLeft}
	for _, claim := range leaving {
		if isFull(claim) && claim.Spec.DeletionPolicy != v1alpha1.DeletionOrphan {
			d.fate, d.userName = fateDeactivated, claim.Spec.UserName
		}
		d.wasDenied = d.wasDenied || isFull(claim) && claim.IsDenial()
	}
	return d
}

// isGone tells whether a claim is being deleted without our finalizer: it was let go, or never got as far as an account.
func isGone(claim *v1alpha1.LambdaTestUser) bool {
	return !claim.DeletionTimestamp.IsZero() && !controllerutil.ContainsFinalizer(claim, v1alpha1.Finalizer)
}

func firstDenial(living []*v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
	for _, claim := range living {
		if claim.IsDenial() {
			return claim
		}
	}
	return nil
}

func isFull(claim *v1alpha1.LambdaTestUser) bool {
	return claim.Spec.ManagementPolicy != v1alpha1.ManagementObserve
}

// claimReference names a claim as status does.
func claimReference(claim *v1alpha1.LambdaTestUser) string {
	return v1alpha1.UserKind + "/" + claim.Name
}

// byPrecedence orders claims about one person: declared before SCIM's, the oldest first, then by name.
func byPrecedence(a, b *v1alpha1.LambdaTestUser) int {
	return cmp.Or(
		cmp.Compare(sourceRank(a), sourceRank(b)),
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Name, b.Name),
	)
}

func sourceRank(claim *v1alpha1.LambdaTestUser) int {
	if v1alpha1.IsDeclared(claim) {
		return 0
	}
	return 1
}
