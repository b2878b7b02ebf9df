// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"slices"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/accounts"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/guard"
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
	// Claims are all resources about the person, in order of precedence, and Living those of them that count.
	Claims, Living []*v1alpha1.LambdaTestUser
	// Guarded says that what would be done follows from the deletion of users, so that the guard may hold it. The guard also limits what follows
	// from the deletion of groups.
	Guarded bool
}

// IsRefusal tells whether the reason of a person's Ready says that LambdaTest refuses something of what is desired.
func IsRefusal(reason string) bool { return slices.Contains(connection.RefusalReasons, reason) }

// PreviewPeople says what would be done about every person that the claims are about, if there were exactly those groups, and LambdaTest
// had exactly those accounts. It is the decision that is taken at run time, without guard and limits, and makes no call. Claims with a
// deletionTimestamp are on their way out, as at run time. The organization is the one of all of them.
func PreviewPeople(
	organization *v1alpha1.LambdaTestOrganization, all []*v1alpha1.LambdaTestUser, groups []*v1alpha1.LambdaTestGroup, upstream []lambdatest.User,
) []Preview {
	maxRole := claims.MaxRoleOf(organization)
	fromGroups := claims.RolesByPerson(groups, maxRole)
	byName := map[string][]lambdatest.User{}
	for _, account := range upstream {
		user := v1alpha1.FoldUserName(account.UserName)
		byName[user] = append(byName[user], account)
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
		merged := claims.Merge(ofPerson[key], fromGroups[key], maxRole)
		made := preview(key, merged, byName[key.UserName])
		made.Guarded = isGuarded(merged, made.Action, byName[key.UserName], fromGroups[key], maxRole)
		previews = append(previews, made)
	}
	return previews
}

func preview(key claims.PersonKey, merged claims.Person, upstream []lambdatest.User) Preview {
	have := accounts.Observed{Known: true, Current: true}
	switch len(upstream) {
	case 0:
	case 1:
		have.Account = new(withStatuses(upstream[0], merged.Claims))
	default:
		have.Several = upstream
	}
	next := plan(merged.Desired, have, constraints{})
	made := Preview{
		Person:    key,
		UserName:  merged.Claims[0].Spec.UserName,
		Action:    actionOf(next.step),
		Changes:   next.differences,
		Effective: merged.Desired.Effective,
		Claims:    merged.Claims,
		Living:    merged.Living,
	}
	if made.Action == ActionDeactivate {
		made.Changes = []v1alpha1.PlannedChange{{Attribute: "active", From: "true", To: "false"}}
	}
	return made
}

// isGuarded tells whether the guard is asked before something is done that no claim asks for, as at run time.
func isGuarded(merged claims.Person, action Action, upstream []lambdatest.User, fromGroups claims.GroupRole, maxRole v1alpha1.Role) bool {
	if action == ActionDeactivate {
		return !merged.Desired.WasDenied
	}
	var account *lambdatest.User
	if len(upstream) == 1 {
		account = &upstream[0]
	}
	request, _ := departure(merged, account, fromGroups, maxRole)
	return len(request.Entries) > 0
}

// GuardLeft is how many more people the guard would let go now without an explicit denial, if so many are active.
func GuardLeft(organization *v1alpha1.LambdaTestOrganization, active int, now time.Time) int {
	return guard.Left(organization, active, now)
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
