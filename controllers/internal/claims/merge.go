// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// GroupRole is the role that a person's groups give, and the group that gives it. The zero value is no role.
type GroupRole struct {
	role v1alpha1.Role
	From string // "LambdaTestGroup/<name>"
	// Group is the cache's own.
	Group *v1alpha1.LambdaTestGroup
}

// Person is what all claims about a person come to.
type Person struct {
	// Claims about the person, in order of precedence: declared before SCIM's, the oldest first, then by name.
	Claims []*v1alpha1.LambdaTestUser
	// Living claims count: Full, and not being deleted.
	Living []*v1alpha1.LambdaTestUser
	// Leaving claims are being deleted and have our finalizer. Without ours a claim counts for nothing any more, although another
	// finalizer may keep it.
	Leaving []*v1alpha1.LambdaTestUser
	// Desired is what the living claims want. Without any, it is what the leaving ones want.
	Desired Desired
	// Denial is the first living claim that denies, if one does.
	Denial *v1alpha1.LambdaTestUser
}

// Desired is what LambdaTest should have of a person.
type Desired struct {
	UserName   string
	GivenName  string
	FamilyName string
	Fate       fate
	// WasDenied says, where no living claim is left, that a leaving one denies.
	WasDenied bool
	Effective v1alpha1.EffectiveState
	// MaxRole is the highest role that the identity provider may give; empty is no limit.
	MaxRole v1alpha1.Role
	// ProviderAlone says that no declared claim counts, and RoleFromProvider that the provider decides the role.
	ProviderAlone, RoleFromProvider bool
}

// fate is what shall become of the account.
type fate int

const (
	// FateKept means: a living claim is there; Effective says what it wants.
	FateKept fate = iota
	// FateDeactivated means: no living claim is left, and a leaving one deactivates.
	FateDeactivated
	// FateLeft means: no living claim is left, and the account stays as it is.
	FateLeft
)

// Denies tells whether the person is to have no access.
func (d Desired) Denies() bool {
	return d.Fate == FateDeactivated || d.Fate == FateKept && !d.Effective.Active
}

// Exceeds tells whether a role is more than the identity provider may give. A custom role of LambdaTest may be, so it is.
func (d Desired) Exceeds(role string) bool {
	rank := v1alpha1.Role(role).Rank()
	return d.MaxRole != "" && role != "" && (rank == 0 || rank > d.MaxRole.Rank())
}

// DefaultRole is the role of a new account that no claim gives a role; empty leaves it to LambdaTest, which gives User.
func (d Desired) DefaultRole() v1alpha1.Role {
	if d.ProviderAlone && d.Exceeds(string(v1alpha1.RoleUser)) {
		return d.MaxRole
	}
	return ""
}

// MaxRoleOf is the highest role that the identity provider of an organization may give; empty is no limit.
func MaxRoleOf(organization *v1alpha1.LambdaTestOrganization) v1alpha1.Role {
	if organization == nil || organization.Spec.SCIM.MaxRole == v1alpha1.RoleAdmin {
		return ""
	}
	return organization.Spec.SCIM.MaxRole
}

// capped is a role that the owner of the resource may give: the identity provider none that is higher than maxRole.
func capped(role v1alpha1.Role, owner metav1.Object, maxRole v1alpha1.Role) v1alpha1.Role {
	if maxRole != "" && v1alpha1.IsSCIM(owner) && role.Rank() > maxRole.Rank() {
		return maxRole
	}
	return role
}

// Merge turns all claims about one person, in order of precedence, into one wish:
//
//   - Only Full claims that are not being deleted count.
//   - A person is active unless one of them denies. A claim that the identity provider marked deleted denies.
//   - Role and concurrency group are those of the first claim that sets them. Of declared claims only the oldest may; one that says nothing but
//     active: false does not count as one.
//   - A role from groups comes before the role of any claim.
//   - The identity provider gives no role that is higher than maxRole.
//   - Where all claims are being deleted, one with deletionPolicy Deactivate among them is enough to deactivate.
func Merge(claims []*v1alpha1.LambdaTestUser, fromGroups GroupRole, maxRole v1alpha1.Role) Person {
	p := Person{Claims: claims}
	for _, claim := range claims {
		switch {
		case IsReleased(claim):
		case !claim.DeletionTimestamp.IsZero():
			p.Leaving = append(p.Leaving, claim)
		case IsFull(claim):
			p.Living = append(p.Living, claim)
		}
	}
	if len(p.Living) > 0 {
		p.Denial = FirstDenial(p.Living)
		p.Desired = Wish(p.Living, p.Denial, fromGroups, maxRole)
		return p
	}
	p.Desired = wishOfLeaving(p.Leaving)
	return p
}

// Observing is the wish that there would be if the claim counted.
func (p Person) Observing(claim *v1alpha1.LambdaTestUser, fromGroups GroupRole, maxRole v1alpha1.Role) Desired {
	if len(p.Living) > 0 && IsFull(claim) {
		return p.Desired
	}
	living := append(slices.Clone(p.Living), claim)
	slices.SortFunc(living, ByPrecedence)
	return Wish(living, FirstDenial(living), fromGroups, maxRole)
}

// DuplicateOf returns the older declared claim because of which this one contributes only its denial, if there is one.
func DuplicateOf(claim *v1alpha1.LambdaTestUser, living []*v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
	if !v1alpha1.IsDeclared(claim) || onlyDenies(claim) {
		return nil
	}
	first := firstOf(living, func(c *v1alpha1.LambdaTestUser) bool { return v1alpha1.IsDeclared(c) && !onlyDenies(c) })
	if first.UID == claim.UID && first.Name == claim.Name {
		return nil
	}
	return first
}

// onlyDenies tells whether a claim says nothing but that the person is denied, as "kubectl lambdatest deny" writes it. It decides nothing else, so it
// is no duplicate of another declared claim, and none of it.
func onlyDenies(claim *v1alpha1.LambdaTestUser) bool {
	return claim.IsDenial() && claim.Spec.Name == (v1alpha1.PersonName{}) && claim.Spec.Role == "" && claim.Spec.ConcurrencyGroup == ""
}

// Wish is what living claims want. There is at least one, and they are in order of precedence.
func Wish(living []*v1alpha1.LambdaTestUser, denial *v1alpha1.LambdaTestUser, fromGroups GroupRole, maxRole v1alpha1.Role) Desired {
	speaking := slices.DeleteFunc(slices.Clone(living), func(claim *v1alpha1.LambdaTestUser) bool { return DuplicateOf(claim, living) != nil })
	d := Desired{
		UserName:  speaking[0].Spec.UserName,
		Fate:      FateKept,
		Effective: v1alpha1.EffectiveState{Active: denial == nil, Role: fromGroups.role, RoleFrom: fromGroups.From},

		MaxRole:          maxRole,
		ProviderAlone:    !slices.ContainsFunc(living, func(claim *v1alpha1.LambdaTestUser) bool { return !v1alpha1.IsSCIM(claim) }),
		RoleFromProvider: fromGroups.Group != nil && v1alpha1.IsSCIM(fromGroups.Group),
	}
	if denial != nil {
		d.Effective.ActiveFrom = Reference(denial)
	}
	for _, claim := range speaking {
		if d.GivenName == "" { // a claim that denies needs no name
			d.GivenName, d.FamilyName = claim.Spec.Name.GivenName, claim.Spec.Name.FamilyName
		}
		if d.Effective.Role == "" && claim.Spec.Role != "" {
			d.Effective.Role, d.Effective.RoleFrom = capped(claim.Spec.Role, claim, maxRole), Reference(claim)
			d.RoleFromProvider = v1alpha1.IsSCIM(claim)
		}
		if d.Effective.ConcurrencyGroup == "" && claim.Spec.ConcurrencyGroup != "" {
			d.Effective.ConcurrencyGroup, d.Effective.ConcurrencyGroupFrom = claim.Spec.ConcurrencyGroup, Reference(claim)
		}
	}
	return d
}

// wishOfLeaving is the wish of claims that are all being deleted.
func wishOfLeaving(leaving []*v1alpha1.LambdaTestUser) Desired {
	d := Desired{Fate: FateLeft}
	for _, claim := range leaving {
		if IsFull(claim) && claim.Spec.DeletionPolicy != v1alpha1.DeletionOrphan {
			d.Fate, d.UserName = FateDeactivated, claim.Spec.UserName
		}
		d.WasDenied = d.WasDenied || IsFull(claim) && claim.IsDenial()
	}
	return d
}

// IsReleased tells whether a claim is being deleted without our finalizer: it was let go, or never got as far as an account.
func IsReleased(claim *v1alpha1.LambdaTestUser) bool {
	return !claim.DeletionTimestamp.IsZero() && !controllerutil.ContainsFinalizer(claim, v1alpha1.Finalizer)
}

// FirstDenial is the first of the living claims that denies; nil when none does.
func FirstDenial(living []*v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
	return firstOf(living, (*v1alpha1.LambdaTestUser).IsDenial)
}

func firstOf(claims []*v1alpha1.LambdaTestUser, is func(*v1alpha1.LambdaTestUser) bool) *v1alpha1.LambdaTestUser {
	if i := slices.IndexFunc(claims, is); i >= 0 {
		return claims[i]
	}
	return nil
}

// IsFull tells whether a claim counts: one that only observes does not.
func IsFull(claim *v1alpha1.LambdaTestUser) bool {
	return claim.Spec.ManagementPolicy != v1alpha1.ManagementObserve
}

// Reference names a claim as status does.
func Reference(claim *v1alpha1.LambdaTestUser) string {
	return v1alpha1.UserKind + "/" + claim.Name
}

// ByPrecedence orders claims about one person, or groups of one displayName: declared before SCIM's, the oldest first, then by name.
func ByPrecedence[T metav1.Object](a, b T) int {
	rank := func(object T) int {
		if v1alpha1.IsDeclared(object) {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(rank(a), rank(b)),
		a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time),
		cmp.Compare(a.GetName(), b.GetName()),
	)
}

// Demotes tells whether a role is lower. No role at all leaves the one that is there.
func Demotes(from, to v1alpha1.Role) bool { return to != "" && to.Rank() < from.Rank() }
