// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"slices"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/accounts"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Action is what would be done about a person at LambdaTest.
type Action string

// The actions of a Preview.
const (
	ActionNone       Action = "none"
	ActionCreate     Action = "create"
	ActionUpdate     Action = "update"
	ActionDeactivate Action = "deactivate"
)

// Preview is what would be done about one person, and what was decided by whom.
type Preview struct {
	Person    claims.PersonKey
	UserName  string
	Action    Action
	Changes   []v1alpha1.PlannedChange
	Effective v1alpha1.EffectiveState
}

// PreviewPeople says what would be done about every person that the claims are about, if there were exactly those groups, and LambdaTest
// had exactly those accounts. It is the decision that is taken at run time, without guard and limits, and makes no call. Claims with a
// deletionTimestamp are on their way out, as at run time.
func PreviewPeople(all []*v1alpha1.LambdaTestUser, groups []*v1alpha1.LambdaTestGroup, upstream []lambdatest.User) []Preview {
	fromGroups := claims.RolesByPerson(groups)
	byName := map[string]*lambdatest.User{}
	for i := range upstream {
		byName[v1alpha1.FoldUserName(upstream[i].UserName)] = &upstream[i]
	}
	ofPerson := map[claims.PersonKey][]*v1alpha1.LambdaTestUser{}
	var order []claims.PersonKey
	for _, claim := range all {
		key := claims.KeyOf(claim)
		if _, known := ofPerson[key]; !known {
			order = append(order, key)
		}
		ofPerson[key] = append(ofPerson[key], claim)
	}
	previews := make([]Preview, 0, len(order))
	for _, key := range order {
		slices.SortFunc(ofPerson[key], claims.ByPrecedence)
		previews = append(previews, preview(key, ofPerson[key], fromGroups[key], byName[key.UserName]))
	}
	return previews
}

func preview(key claims.PersonKey, all []*v1alpha1.LambdaTestUser, fromGroups claims.GroupRole, account *lambdatest.User) Preview {
	merged := claims.Merge(all, fromGroups)
	if account != nil {
		account = new(withStatuses(*account, all))
	}
	next := plan(merged.Desired, accounts.Observed{Account: account, Known: true, Current: true}, constraints{})
	made := Preview{
		Person:    key,
		UserName:  all[0].Spec.UserName,
		Action:    actionOf(next.step),
		Changes:   next.differences,
		Effective: merged.Desired.Effective,
	}
	if made.Action == ActionDeactivate {
		made.Changes = []v1alpha1.PlannedChange{{Attribute: "active", From: "true", To: "false"}}
	}
	return made
}

// withStatuses fills in what LambdaTest does not show of an account, from the statuses, as after a restart.
func withStatuses(account lambdatest.User, all []*v1alpha1.LambdaTestUser) lambdatest.User {
	for _, claim := range all {
		if claim.Status.Account != nil {
			account = accounts.WithUnshown(account, accounts.Remembered(claim))
		}
	}
	return account
}

func actionOf(next step) Action {
	switch next {
	case stepCreate:
		return ActionCreate
	case stepUpdate:
		return ActionUpdate
	case stepDeactivate:
		return ActionDeactivate
	default:
		return ActionNone
	}
}
