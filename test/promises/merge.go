// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"cmp"
	"slices"
	"strings"
)

// Desired is what the claims about one person ask for. It follows the text of docs/gitops.md, "How the operator merges claims", and
// docs/groups.md, and shares no code with the controllers.
type Desired struct {
	// Claimed is true when a claim counts; without one, a person who is a member of groups gets no account.
	Claimed bool
	// Denied is true when any claim denies.
	Denied bool
	// Role is empty when neither a group nor a claim sets one: then a new account is User, and an existing one keeps its role.
	Role string
	// FromGroup is true for a role that groups give.
	FromGroup bool
}

// On reports whether the person may sign in.
func (d Desired) On() bool { return d.Claimed && !d.Denied }

// Merge merges the last version of each claim about a person, and of each group of the organization.
func Merge(subject string, claims, groups []Version) Desired {
	claims = slices.DeleteFunc(slices.Clone(claims), func(v Version) bool { return v.Subject != subject || !v.Counts })
	slices.SortFunc(claims, precedence)
	desired := Desired{Claimed: len(claims) > 0}
	declared := false
	for _, claim := range claims {
		desired.Denied = desired.Denied || claim.Denies
		younger := claim.Source == "" && declared // of two declared ones, only a denial of the younger counts
		declared = declared || claim.Source == ""
		if !younger {
			desired.Role = cmp.Or(desired.Role, claim.Role)
		}
	}
	if role := roleFromGroups(subject, groups); role != "" {
		desired.Role, desired.FromGroup = role, true
	}
	return desired
}

// precedence orders resources about one person or group: declared ones first, then the oldest, then by name.
func precedence(a, b Version) int {
	return cmp.Or(strings.Compare(a.Source, b.Source), a.Created.Compare(b.Created), strings.Compare(a.Name, b.Name))
}

// ranks are the roles from the lowest to the highest.
var ranks = []string{"", "Guest", "User", "Admin"}

func rank(role string) int { return slices.Index(ranks, role) }

// roleFromGroups is the highest of the roles that the person's groups give. Of several resources with one displayName, only the first one
// is carried out.
func roleFromGroups(subject string, groups []Version) string {
	organization := OrganizationOf(subject)
	person := strings.TrimPrefix(subject, organization+"/")
	carriedOut := map[string]Version{}
	for _, group := range groups {
		first, taken := carriedOut[group.Subject]
		if group.Counts && OrganizationOf(group.Subject) == organization && (!taken || precedence(group, first) < 0) {
			carriedOut[group.Subject] = group
		}
	}
	highest := 0
	for _, group := range carriedOut {
		if !group.Members[person] {
			continue
		}
		for role := range strings.FieldsSeq(group.Roles) {
			highest = max(highest, rank(role))
		}
	}
	return ranks[highest]
}
