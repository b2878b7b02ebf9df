// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/accounts"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

const ada = "ada@example.com"

func TestPlan(t *testing.T) {
	active := claims.Desired{UserName: ada, Effective: v1alpha1.EffectiveState{Active: true, Role: v1alpha1.RoleUser}}
	roleless := claims.Desired{UserName: ada, Effective: v1alpha1.EffectiveState{Active: true}}
	denied := claims.Desired{UserName: ada, Effective: v1alpha1.EffectiveState{Active: false}}
	gone := claims.Desired{UserName: ada, Fate: claims.FateDeactivated}
	on := &lambdatest.User{ID: "7", UserName: ada, Active: true, Role: "User"}
	off := &lambdatest.User{ID: "7", UserName: ada, Active: false, Role: "User"}
	admin := &lambdatest.User{ID: "7", UserName: ada, Active: true, Role: "Admin"}
	adminOff := &lambdatest.User{ID: "7", UserName: ada, Role: "Admin"}
	// The provider alone claims the person, and may give this role at most.
	provider := func(maxRole, role v1alpha1.Role) claims.Desired {
		return claims.Desired{
			UserName: ada, Effective: v1alpha1.EffectiveState{Active: true, Role: role}, MaxRole: maxRole, ProviderAlone: true, RoleFromProvider: role != "",
		}
	}
	bothClaim := provider(v1alpha1.RoleUser, v1alpha1.RoleUser)
	bothClaim.ProviderAlone = false
	deniedByProvider := provider(v1alpha1.RoleUser, v1alpha1.RoleUser)
	deniedByProvider.Effective.Active = false
	twins := func(active ...bool) accounts.Observed {
		have := accounts.Observed{Known: true}
		for i, on := range active {
			have.Several = append(have.Several, lambdatest.User{ID: strconv.Itoa(i + 1), Active: on, Role: "Admin"})
		}
		return have
	}

	for name, test := range map[string]struct {
		want     claims.Desired
		have     accounts.Observed
		given    constraints
		step     step
		update   lambdatest.UserChange
		priority int
		reported bool
		create   string // the role of a creation
		id       string
		aboveMax bool
	}{
		"maxRole Guest: a new person without a role is a Guest": {
			want: provider(v1alpha1.RoleGuest, ""), have: accounts.Observed{Known: true, Current: true}, step: stepCreate, create: "Guest", priority: lane.Creation,
		},
		"maxRole User: LambdaTest's own default is low enough": {
			want: provider(v1alpha1.RoleUser, ""), have: accounts.Observed{Known: true, Current: true}, step: stepCreate, priority: lane.Creation,
		},
		"with a maxRole, an account is looked for before a POST, which could activate it": {
			want: provider(v1alpha1.RoleUser, v1alpha1.RoleUser), have: accounts.Observed{Known: true}, step: stepLookUp, priority: lane.Creation,
		},
		"an account above maxRole is not activated by the provider": {
			want: provider(v1alpha1.RoleUser, ""), have: accounts.Observed{Account: adminOff, Known: true}, step: stepNone, priority: lane.Change, aboveMax: true,
		},
		"nor one with a custom role": {
			want: provider(v1alpha1.RoleUser, ""), have: accounts.Observed{Account: &lambdatest.User{ID: "7", Role: "Owner"}, Known: true},
			step: stepNone, priority: lane.Change, aboveMax: true,
		},
		"one whose role LambdaTest does not show is activated with a role that may be given": {
			want: provider(v1alpha1.RoleUser, ""), have: accounts.Observed{Account: &lambdatest.User{ID: "7"}, Known: true},
			step: stepUpdate, update: lambdatest.UserChange{Active: new(true), Role: new("User")}, priority: lane.Change,
		},
		"an account above maxRole is not lowered by the provider": {
			want: provider(v1alpha1.RoleUser, v1alpha1.RoleUser), have: accounts.Observed{Account: admin, Known: true}, step: stepNone, priority: lane.Change, aboveMax: true,
		},
		"an active account above maxRole of whom the provider wants nothing is as it should be": {
			want: provider(v1alpha1.RoleUser, ""), have: accounts.Observed{Account: admin, Known: true}, step: stepNone, priority: lane.Change,
		},
		"a declared claim activates it, and the provider's role still does not lower it": {
			want: bothClaim, have: accounts.Observed{Account: adminOff, Known: true},
			step: stepUpdate, update: lambdatest.UserChange{Active: new(true)}, priority: lane.Change, aboveMax: true,
		},
		"a denial of an account above maxRole passes": {
			want: deniedByProvider, have: accounts.Observed{Account: admin, Known: true},
			step: stepUpdate, update: lambdatest.UserChange{Active: new(false)}, priority: lane.Denial, aboveMax: true,
		},
		"of several accounts none is changed": {
			want: active, have: twins(true, false), step: stepNone, priority: lane.Creation,
		},
		"a denial switches the next of several off": {
			want: denied, have: twins(false, true), id: "2",
			step: stepUpdate, update: lambdatest.UserChange{Active: new(false)}, priority: lane.Denial,
		},
		"so does the end":                                      {want: gone, have: twins(true, true), id: "1", step: stepDeactivate, priority: lane.Deletion},
		"several that are off need nothing":                    {want: denied, have: twins(false, false), step: stepNone, priority: lane.Denial},
		"before the first sweep ends, wait for it":             {want: active, have: accounts.Observed{Sweeping: true}, step: stepAwait, priority: lane.Creation},
		"a denial does not wait for it":                        {want: denied, have: accounts.Observed{Sweeping: true}, step: stepLookUp, priority: lane.Denial},
		"no account: create":                                   {want: active, have: accounts.Observed{Known: true}, step: stepCreate, priority: lane.Creation},
		"a role that is unset is looked up before a POST":      {want: roleless, have: accounts.Observed{Known: true}, step: stepLookUp, priority: lane.Creation},
		"unless a sweep vouches that nobody is there":          {want: roleless, have: accounts.Observed{Known: true, Current: true}, step: stepCreate, priority: lane.Creation},
		"who is denied is not created":                         {want: denied, have: accounts.Observed{Known: true, Current: true}, step: stepNone, priority: lane.Denial},
		"but looked for, when nobody vouches":                  {want: denied, have: accounts.Observed{Known: true}, step: stepLookUp, priority: lane.Denial},
		"an account that is off is believed when read since":   {want: denied, have: accounts.Observed{Account: off, Known: true, Current: true}, step: stepNone, priority: lane.Denial},
		"and read again otherwise":                             {want: denied, have: accounts.Observed{Account: off, Known: true}, step: stepLookUp, priority: lane.Denial},
		"an account in agreement needs nothing":                {want: active, have: accounts.Observed{Account: on, Known: true}, step: stepNone, priority: lane.Change},
		"a role that is unset leaves the account's alone":      {want: roleless, have: accounts.Observed{Account: admin, Known: true}, step: stepNone, priority: lane.Change},
		"the end is one DELETE":                                {want: gone, have: accounts.Observed{Account: on, Known: true}, step: stepDeactivate, priority: lane.Deletion},
		"the end of an account that is off needs none":         {want: gone, have: accounts.Observed{Account: off, Known: true, Current: true}, step: stepNone, priority: lane.Deletion},
		"a change of unknown outcome is read before all else":  {want: active, have: accounts.Observed{Account: on, Known: true, Doubtful: true}, step: stepLookUp, priority: lane.Change},
		"a denial is read back when a late change may undo it": {want: denied, have: accounts.Observed{Account: off, Known: true, Current: true, Due: true}, step: stepLookUp, priority: lane.Denial},
		"a difference is one PATCH": {
			want: active, have: accounts.Observed{Account: admin, Known: true},
			step: stepUpdate, update: lambdatest.UserChange{Role: new("User")}, priority: lane.Change,
		},
		"drift is corrected, after everything else": {
			want: active, have: accounts.Observed{Account: admin, Known: true, Current: true}, given: constraints{settled: true},
			step: stepUpdate, update: lambdatest.UserChange{Role: new("User")}, priority: lane.Drift,
		},
		"drift is only reported where the policy says so": {
			want: active, have: accounts.Observed{Account: admin, Known: true, Current: true}, given: constraints{settled: true, reportDrift: true},
			step: stepNone, update: lambdatest.UserChange{Role: new("User")}, priority: lane.Drift, reported: true,
		},
		"a change is carried out under that policy": {
			want: active, have: accounts.Observed{Account: admin, Known: true}, given: constraints{reportDrift: true},
			step: stepUpdate, update: lambdatest.UserChange{Role: new("User")}, priority: lane.Change,
		},
		"a denial is carried out under that policy, and nothing but the denial": {
			want:  claims.Desired{Effective: v1alpha1.EffectiveState{Active: false, Role: v1alpha1.RoleGuest}},
			have:  accounts.Observed{Account: on, Known: true, Current: true},
			given: constraints{settled: true, reportDrift: true},
			step:  stepUpdate, update: lambdatest.UserChange{Active: new(false)}, priority: lane.Denial,
		},
		"what LambdaTest refused along with a denial is left out": {
			want:  claims.Desired{Effective: v1alpha1.EffectiveState{Active: false, Role: v1alpha1.RoleGuest}},
			have:  accounts.Observed{Account: on, Known: true, Current: true},
			given: constraints{denialOnly: true},
			step:  stepUpdate, update: lambdatest.UserChange{Active: new(false)}, priority: lane.Denial,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := plan(test.want, test.have, test.given)
			if got.step != test.step || got.priority != test.priority || got.reported != test.reported {
				t.Errorf("step %d priority %d reported %t, want %d %d %t", got.step, got.priority, got.reported, test.step, test.priority, test.reported)
			}
			if diff := cmp.Diff(test.update, got.update); diff != "" {
				t.Errorf("update (-want +got):\n%s", diff)
			}
			if got.aboveMax != test.aboveMax || test.create != "" && got.create.Role != test.create || test.id != "" && got.id != test.id {
				t.Errorf("above the maximum %t, created as %q, id %q; want %t %q %q", got.aboveMax, got.create.Role, got.id, test.aboveMax, test.create, test.id)
			}
		})
	}
}
