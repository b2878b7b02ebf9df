// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// This file is what groups mean for the people in them.

// leaveGroups is the role of somebody whose last group that gave one is left, and for whom nobody claims one: User, as at LambdaTest.
// Status remembers it until somebody says something.
func (w *personWork) leaveGroups() {
	now := &w.desired.effective
	if w.desired.fate != fateKept || now.Role != "" {
		return
	}
	for _, claim := range w.living {
		before := claim.Status.Effective
		if before != nil && before.Role != "" && (before.RoleFrom == "" || strings.HasPrefix(before.RoleFrom, v1alpha1.GroupKind+"/")) {
			now.Role, now.RoleFrom = v1alpha1.RoleUser, ""
			return
		}
	}
}

// roleElsewhere tells whether LambdaTest's groups decide the role, so that setting it here would be a second write, or a fight: a group
// on the way there will give it, or one that is there still gives another.
func (w *personWork) roleElsewhere() bool {
	account, _ := w.connection.accounts.get(w.user)
	if !w.roleDiffers() || w.organization.Spec.GroupMode == v1alpha1.GroupRolesOnly {
		return false
	}
	if given := w.connection.groups.givenRole(account.ID); given != "" && string(given) == account.Role {
		return true
	}
	group := w.fromGroups.group
	if group == nil || w.desired.effective.RoleFrom != w.fromGroups.from {
		return false
	}
	upstream, there := w.connection.groups.get(group.Status.GroupID)
	return !there || !upstream.gives(account.ID, group.Spec.Roles)
}

// roleDiffers tells whether another role is wanted than was read.
func (w *personWork) roleDiffers() bool {
	account, known := w.connection.accounts.get(w.user)
	role := w.desired.effective.Role
	return known && role != "" && string(role) != account.Role
}

// roleFollows tells people that their role is on its way, or somebody else's business.
func (w *personWork) roleFollows() situation {
	source := "a group at LambdaTest that no resource declares, or that is about to change"
	if from := w.fromGroups.from; from != "" {
		source = from + ", which LambdaTest does not have yet"
	}
	return situation{
		readiness: progressing, reason: v1alpha1.ProgressingReason,
		message: fmt.Sprintf("The role follows from %s: see there if it does not.", source),
	}
}

// tellGroupHeld is what a person is told whose group the guard keeps from being deleted.
func (w *personWork) tellGroupHeld(now situation) situation {
	group := w.fromGroups.group
	if group == nil || w.connection == nil || group.DeletionTimestamp.IsZero() || now.readiness != ready {
		return now
	}
	if !w.connection.guard.holds(groupReference(group)) || w.desired.effective.RoleFrom != w.fromGroups.from {
		return now
	}
	return w.heldSituation(guardDemotion, guardHolds)
}
