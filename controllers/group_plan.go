// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"slices"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// groupWish is what LambdaTest should have of a group.
type groupWish struct {
	displayName string
	// roles and members (ids of accounts) are in order, each once.
	roles, members []string
}

// upstreamGroup is a group at LambdaTest, with roles and members in order.
type upstreamGroup struct {
	id string
	groupWish
}

// observedGroup is what is known of a group at LambdaTest.
type observedGroup struct {
	// group is nil when there is none, or when nobody knows; known tells which.
	group *upstreamGroup
	known bool
	// doubtful says that a change was sent, that nobody knows what came of it, and that the group was not read since.
	doubtful bool
}

// groupTarget is what a group at LambdaTest is to be.
type groupTarget int

const (
	// groupDeclared is what the resource says.
	groupDeclared groupTarget = iota
	// groupMakesRoom is the same under another name for a moment, so that groups can exchange names.
	groupMakesRoom
	// groupSetAside has another name and gives no role, while another resource of the displayName is carried out.
	groupSetAside
)

// asideName is the displayName of a group at LambdaTest that leaves its own to another one. No two groups have the same id.
func asideName(id string) string { return asidePrefix + id }

// asidePrefix tells people at LambdaTest where the name comes from.
const asidePrefix = "lambdatest-operator: set aside "

// groupStep is the kind of a change.
type groupStep int

const (
	groupStays groupStep = iota
	groupLookUp
	// groupFindHolder looks for the group that has the displayName.
	groupFindHolder
	groupCreate
	groupPatch
	groupReplace
)

// groupChange is what a plan comes to: at most one call.
type groupChange struct {
	step    groupStep
	id      string
	create  lambdatest.Group
	update  lambdatest.GroupChange
	replace lambdatest.Group
	// differences are for people to read; reported says that they are left as they are, by driftPolicy.
	differences []string
	reported    bool
	// touched are the ids of the accounts whose roles LambdaTest computes anew.
	touched []string
}

func (c groupChange) mutates() bool { return c.step >= groupCreate }

// planGroup decides what to do next about a group:
//
//	known at LambdaTest   then
//	nobody knows          look it up: a POST is only for a name that is not there
//	not there             create
//	there                 one PATCH with all differences, or one PUT where that is shorter; reported only, if it is drift and the
//	                      policy says so
func planGroup(want groupWish, have observedGroup, reportOnly bool) groupChange {
	switch {
	case !have.known || have.doubtful:
		return groupChange{step: groupLookUp}
	case have.group == nil:
		return groupChange{
			step: groupCreate, create: want.upstream(),
			differences: []string{"there is no group"}, touched: touchedBy(groupWish{}, want),
		}
	}
	return updateGroup(want, *have.group, reportOnly)
}

func updateGroup(want groupWish, have upstreamGroup, reportOnly bool) groupChange {
	c := groupChange{id: have.id, touched: touchedBy(have.groupWish, want)}
	if want.displayName != have.displayName {
		c.update.DisplayName = &want.displayName
		c.differences = append(c.differences, fmt.Sprintf("displayName is %q", have.displayName))
	}
	if !slices.Equal(want.roles, have.roles) {
		c.update.Roles = &want.roles
		c.differences = append(c.differences, fmt.Sprintf("roles are %v", have.roles))
	}
	c.update.AddMembers, c.update.RemoveMembers = missing(want.members, have.members), missing(have.members, want.members)
	if added, removed := len(c.update.AddMembers), len(c.update.RemoveMembers); added+removed > 0 {
		c.differences = append(c.differences, fmt.Sprintf("%d members are missing, and %d are not wanted", added, removed))
	}
	switch {
	case len(c.differences) == 0:
	case reportOnly:
		c.reported = true
	case len(c.update.AddMembers)+len(c.update.RemoveMembers) > len(want.members):
		c.step, c.replace = groupReplace, want.upstream()
	default:
		c.step = groupPatch
	}
	return c
}

// touchedBy are the members whose role may change between the two.
func touchedBy(before, after groupWish) []string {
	switch {
	case len(before.roles) == 0 && len(after.roles) == 0:
		return nil
	case slices.Equal(before.roles, after.roles):
		return append(missing(before.members, after.members), missing(after.members, before.members)...)
	}
	return append(slices.Clone(before.members), missing(after.members, before.members)...)
}

// missing returns what is in the first list and not in the second; both are in order.
func missing(in, from []string) []string {
	var lacking []string
	for _, item := range in {
		if _, found := slices.BinarySearch(from, item); !found {
			lacking = append(lacking, item)
		}
	}
	return lacking
}

func (w groupWish) upstream() lambdatest.Group {
	group := lambdatest.Group{DisplayName: w.displayName, Roles: w.roles, Members: make([]lambdatest.Member, len(w.members))}
	for i, id := range w.members {
		group.Members[i].ID = id
	}
	return group
}

// upstreamGroupOf puts what LambdaTest said into order.
func upstreamGroupOf(said lambdatest.Group) upstreamGroup {
	group := upstreamGroup{id: said.ID, groupWish: groupWish{displayName: said.DisplayName, roles: ordered(said.Roles)}}
	ids := make([]string, len(said.Members))
	for i, member := range said.Members {
		ids[i] = member.ID
	}
	group.members = ordered(ids)
	return group
}

func ordered(items []string) []string {
	items = slices.Clone(items)
	slices.Sort(items)
	return slices.Compact(items)
}

func roleNames(roles []v1alpha1.Role) []string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	return ordered(names)
}

// gives tells whether the group already gives its members a role at LambdaTest.
func (g upstreamGroup) gives(account string, roles []v1alpha1.Role) bool {
	_, member := slices.BinarySearch(g.members, account)
	return member && slices.Equal(g.roles, roleNames(roles))
}
