// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"cmp"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// This file is what groups mean for the people in them.

// defaultRoleAfterGroups gives the role User to a person who left the last group with a role and for whom no claim sets one, as LambdaTest
// does. status.effective keeps it until a claim sets a role.
func (w *work) defaultRoleAfterGroups() {
	now := &w.Desired.Effective
	if w.Desired.Fate != claims.FateKept || now.Role != "" {
		return
	}
	for _, claim := range w.Living {
		before := claim.Status.Effective
		if before != nil && before.Role != "" && (before.RoleFrom == "" || strings.HasPrefix(before.RoleFrom, v1alpha1.GroupKind+"/")) {
			now.Role, now.RoleFrom = cmp.Or(w.Desired.DefaultRole(), v1alpha1.RoleUser), ""
			w.Desired.RoleFromProvider = w.Desired.ProviderAlone
			return
		}
	}
}

// roleElsewhere tells whether LambdaTest's groups decide the role, so that setting it here would be a second write, or a fight: a group
// that is not pushed yet will give it, or one that is there still gives another.
func (w *work) roleElsewhere() bool {
	account, _ := w.connection.Accounts.Get(w.user)
	if !w.roleDiffers() || w.organization.Spec.GroupMode == v1alpha1.GroupRolesOnly {
		return false
	}
	if given := w.connection.Groups.GivenRole(account.ID); given != "" && string(given) == account.Role {
		return true
	}
	group := w.fromGroups.Group
	if group == nil || w.Desired.Effective.RoleFrom != w.fromGroups.From {
		return false
	}
	upstream, there := w.connection.Groups.ByID(group.Status.GroupID)
	return !there || !upstream.Gives(account.ID, group.Spec.Roles)
}

// roleDiffers tells whether another role is wanted than was read.
func (w *work) roleDiffers() bool {
	account, known := w.connection.Accounts.Get(w.user)
	role := w.Desired.Effective.Role
	return known && role != "" && string(role) != account.Role
}

// roleFollows is the outcome while a group is to give the role.
func (w *work) roleFollows() status.Outcome {
	source := "a group at LambdaTest that no resource declares, or that is about to change"
	if from := w.fromGroups.From; from != "" {
		source = from + ", which LambdaTest does not have yet"
	}
	return status.Progressingf(v1alpha1.ProgressingReason, "The role follows from %s: see there if it does not.", source)
}

// roleHeld tells whether the role comes from a group that the guard keeps from being deleted.
func (w *work) roleHeld() bool {
	group := w.fromGroups.Group
	return group != nil && w.connection != nil && !group.DeletionTimestamp.IsZero() &&
		w.connection.Guard.Holds(claims.GroupReference(group)) && w.Desired.Effective.RoleFrom == w.fromGroups.From
}
