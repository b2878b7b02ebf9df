// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package groups

import (
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Wish is what LambdaTest should have of a group.
type Wish struct {
	DisplayName string
	// Roles and members (ids of accounts) are in order, each once.
	Roles, Members []string
}

// Group is a group at LambdaTest, with roles and members in order.
type Group struct {
	ID string
	Wish
}

// Observed is what is known of a group at LambdaTest.
type Observed struct {
	// Group is nil when there is none, or when it is unknown; Known tells which.
	Group *Group
	Known bool
	// Doubtful says that a change was sent, that its outcome is unknown, and that the group was not read since.
	Doubtful bool
}

// Missing returns what is in the first list and not in the second; both are in order.
func Missing(in, from []string) []string {
	var lacking []string
	for _, item := range in {
		if _, found := slices.BinarySearch(from, item); !found {
			lacking = append(lacking, item)
		}
	}
	return lacking
}

// Common returns what is in both lists; the second is in order.
func Common(in, and []string) []string {
	var both []string
	for _, item := range in {
		if _, found := slices.BinarySearch(and, item); found {
			both = append(both, item)
		}
	}
	return both
}

// FromUpstream puts what LambdaTest said into order.
func FromUpstream(said lambdatest.Group) Group {
	group := Group{ID: said.ID, Wish: Wish{DisplayName: said.DisplayName, Roles: Ordered(said.Roles)}}
	ids := make([]string, len(said.Members))
	for i, member := range said.Members {
		ids[i] = member.ID
	}
	group.Members = Ordered(ids)
	return group
}

// Ordered returns the items in order, each once.
func Ordered(items []string) []string {
	items = slices.Clone(items)
	slices.Sort(items)
	return slices.Compact(items)
}

// RoleNames are roles as LambdaTest has them, in order.
func RoleNames(roles []v1alpha1.Role) []string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	return Ordered(names)
}

// Upstream is the wish as the client sends it.
func (w Wish) Upstream() lambdatest.Group {
	group := lambdatest.Group{DisplayName: w.DisplayName, Roles: w.Roles, Members: make([]lambdatest.Member, len(w.Members))}
	for i, id := range w.Members {
		group.Members[i].ID = id
	}
	return group
}

// Gives tells whether the group already gives its members a role at LambdaTest.
func (g Group) Gives(account string, roles []v1alpha1.Role) bool {
	_, member := slices.BinarySearch(g.Members, account)
	return member && slices.Equal(g.Roles, RoleNames(roles))
}

// placePrefix begins the places of groups in the lane; no userName begins so.
const placePrefix = "\x00group/"

// Place is the name under which a group waits in the lane.
func Place(resource string) string { return placePrefix + resource }

// ResourceAt is the resource of a place, if it is the place of a group.
func ResourceAt(place string) (string, bool) { return strings.CutPrefix(place, placePrefix) }
