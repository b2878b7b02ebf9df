// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
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
	Person    PersonKey
	UserName  string
	Action    Action
	Changes   []v1alpha1.PlannedChange
	Effective v1alpha1.EffectiveState
}

// PreviewPeople says what would be done about every person that the claims are about, if there were exactly those groups, and LambdaTest
// had exactly those accounts. It is the decision that is taken at run time, without guard and limits, and calls nobody. Claims with a
// deletionTimestamp are on their way out, as at run time.
func PreviewPeople(all []*v1alpha1.LambdaTestUser, groups []*v1alpha1.LambdaTestGroup, accounts []lambdatest.User) []Preview {
	fromGroups := rolesByPerson(groups)
	byName := map[string]*lambdatest.User{}
	for i := range accounts {
		byName[v1alpha1.FoldUserName(accounts[i].UserName)] = &accounts[i]
	}
	ofPerson := map[PersonKey][]*v1alpha1.LambdaTestUser{}
	var order []PersonKey
	for _, claim := range all {
		key := personKeyOf(claim)
		if _, known := ofPerson[key]; !known {
			order = append(order, key)
		}
		ofPerson[key] = append(ofPerson[key], claim)
	}
	previews := make([]Preview, 0, len(order))
	for _, key := range order {
		slices.SortFunc(ofPerson[key], byPrecedence)
		previews = append(previews, preview(key, ofPerson[key], fromGroups[key], byName[key.UserName]))
	}
	return previews
}

func preview(key PersonKey, all []*v1alpha1.LambdaTestUser, fromGroups groupRole, account *lambdatest.User) Preview {
	merged := merge(all, fromGroups)
	next := plan(merged.desired, observed{account: account, known: true, current: true}, circumstances{})
	made := Preview{
		Person:    key,
		UserName:  all[0].Spec.UserName,
		Action:    actionOf(next.step),
		Changes:   next.differences,
		Effective: merged.desired.effective,
	}
	if made.Action == ActionDeactivate {
		made.Changes = []v1alpha1.PlannedChange{{Attribute: "active", From: "true", To: "false"}}
	}
	return made
}

// rolesByPerson is what groupRoles answers about everybody at once, from a list instead of a cache.
func rolesByPerson(groups []*v1alpha1.LambdaTestGroup) map[PersonKey]groupRole {
	families := map[string][]*v1alpha1.LambdaTestGroup{}
	for _, group := range groups {
		family := group.Namespace + "/" + familyOf(group)
		families[family] = append(families[family], group)
	}
	leading := map[PersonKey][]*v1alpha1.LambdaTestGroup{}
	for _, family := range families {
		leader := leaderOf(family)
		if leader == nil {
			continue
		}
		for _, user := range membersOf(leader) {
			key := memberKey(leader, user)
			leading[key] = append(leading[key], leader)
		}
	}
	roles := map[PersonKey]groupRole{}
	for key, groups := range leading {
		roles[key] = highest(groups)
	}
	return roles
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
