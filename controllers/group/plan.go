// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"fmt"
	"slices"

	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// target is what a group at LambdaTest is to be.
type target int

const (
	// declared is what the resource says.
	declared target = iota
	// makesRoom is the same under another name for a moment, so that groups can exchange names.
	makesRoom
	// setAside has another name and gives no role, while another resource of the displayName is carried out.
	setAside
)

// AsideName is the displayName of a group at LambdaTest that leaves its own to another one. No two groups have the same id.
func AsideName(id string) string { return asidePrefix + id }

// asidePrefix shows in LambdaTest's user interface where the name comes from.
const asidePrefix = "lambdatest-operator: set aside "

// step is the kind of a change.
type step int

const (
	stepNone step = iota
	stepLookUp
	// stepFindHolder looks for the group that has the displayName.
	stepFindHolder
	stepCreate
	stepPatch
	stepReplace
)

// change is what a plan comes to: at most one call.
type change struct {
	step    step
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

func (c change) mutates() bool { return c.step >= stepCreate }

// planChange decides what to do next about a group:
//
//	known at LambdaTest   then
//	unknown               look it up: a POST is only for a name that is not there
//	not there             create
//	there                 one PATCH with all differences, or one PUT where that is shorter; reported only, if it is drift and the
//	                      policy says so
func planChange(want groups.Wish, have groups.Observed, reportOnly bool) change {
	switch {
	case !have.Known || have.Doubtful:
		return change{step: stepLookUp}
	case have.Group == nil:
		return change{
			step: stepCreate, create: want.Upstream(),
			differences: []string{"there is no group"}, touched: touchedBy(groups.Wish{}, want),
		}
	}
	return planUpdate(want, *have.Group, reportOnly)
}

func planUpdate(want groups.Wish, have groups.Group, reportOnly bool) change {
	c := change{id: have.ID, touched: touchedBy(have.Wish, want)}
	if want.DisplayName != have.DisplayName {
		c.update.DisplayName = &want.DisplayName
		c.differences = append(c.differences, fmt.Sprintf("displayName is %q", have.DisplayName))
	}
	if !slices.Equal(want.Roles, have.Roles) {
		c.update.Roles = &want.Roles
		c.differences = append(c.differences, fmt.Sprintf("roles are %v", have.Roles))
	}
	c.update.AddMembers, c.update.RemoveMembers = groups.Missing(want.Members, have.Members), groups.Missing(have.Members, want.Members)
	if added, removed := len(c.update.AddMembers), len(c.update.RemoveMembers); added+removed > 0 {
		c.differences = append(c.differences, fmt.Sprintf("%d members are missing, and %d are not wanted", added, removed))
	}
	switch {
	case len(c.differences) == 0:
	case reportOnly:
		c.reported = true
	case len(c.update.AddMembers)+len(c.update.RemoveMembers) > len(want.Members):
		c.step, c.replace = stepReplace, want.Upstream()
	default:
		c.step = stepPatch
	}
	return c
}

// touchedBy are the members whose role may change between the two.
func touchedBy(before, after groups.Wish) []string {
	switch {
	case len(before.Roles) == 0 && len(after.Roles) == 0:
		return nil
	case slices.Equal(before.Roles, after.Roles):
		return append(groups.Missing(before.Members, after.Members), groups.Missing(after.Members, before.Members)...)
	}
	return append(slices.Clone(before.Members), groups.Missing(after.Members, before.Members)...)
}
