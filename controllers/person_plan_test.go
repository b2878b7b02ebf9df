// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

func TestPlan(t *testing.T) {
	active := desired{userName: ada, effective: v1alpha1.EffectiveState{Active: true, Role: v1alpha1.RoleUser}}
	roleless := desired{userName: ada, effective: v1alpha1.EffectiveState{Active: true}}
	denied := desired{userName: ada, effective: v1alpha1.EffectiveState{Active: false}}
	gone := desired{userName: ada, fate: fateDeactivated}
	on := &lambdatest.User{ID: "7", UserName: ada, Active: true, Role: "User"}
	off := &lambdatest.User{ID: "7", UserName: ada, Active: false, Role: "User"}
	admin := &lambdatest.User{ID: "7", UserName: ada, Active: true, Role: "Admin"}

	for name, test := range map[string]struct {
		want     desired
		have     observed
		given    circumstances
		step     step
		update   lambdatest.UserChange
		priority int
		reported bool
	}{
		"before the first comparison ends, wait for it":        {want: active, have: observed{comparing: true}, step: stepAwait, priority: priorityCreation},
		"a denial does not wait for it":                        {want: denied, have: observed{comparing: true}, step: stepLookUp, priority: priorityDenial},
		"no account: create":                                   {want: active, have: observed{known: true}, step: stepCreate, priority: priorityCreation},
		"a role that is unset is looked up before a POST":      {want: roleless, have: observed{known: true}, step: stepLookUp, priority: priorityCreation},
		"unless a comparison vouches that nobody is there":     {want: roleless, have: observed{known: true, current: true}, step: stepCreate, priority: priorityCreation},
		"who is denied is not created":                         {want: denied, have: observed{known: true, current: true}, step: stepNone, priority: priorityDenial},
		"but looked for, when nobody vouches":                  {want: denied, have: observed{known: true}, step: stepLookUp, priority: priorityDenial},
		"an account that is off is believed when read since":   {want: denied, have: observed{account: off, known: true, current: true}, step: stepNone, priority: priorityDenial},
		"and read again otherwise":                             {want: denied, have: observed{account: off, known: true}, step: stepLookUp, priority: priorityDenial},
		"an account in agreement needs nothing":                {want: active, have: observed{account: on, known: true}, step: stepNone, priority: priorityChange},
		"a role that is unset leaves the account's alone":      {want: roleless, have: observed{account: admin, known: true}, step: stepNone, priority: priorityChange},
		"the end is one DELETE":                                {want: gone, have: observed{account: on, known: true}, step: stepDeactivate, priority: priorityDeletion},
		"the end of an account that is off needs none":         {want: gone, have: observed{account: off, known: true, current: true}, step: stepNone, priority: priorityDeletion},
		"a change of unknown outcome is read before all else":  {want: active, have: observed{account: on, known: true, doubtful: true}, step: stepLookUp, priority: priorityChange},
		"a denial is read back when a late change may undo it": {want: denied, have: observed{account: off, known: true, current: true, due: true}, step: stepLookUp, priority: priorityDenial},
		"a difference is one PATCH": {
			want: active, have: observed{account: admin, known: true},
			step: stepUpdate, update: lambdatest.UserChange{Role: new("User")}, priority: priorityChange,
		},
		"drift is corrected, after everything else": {
			want: active, have: observed{account: admin, known: true, current: true}, given: circumstances{settled: true},
			step: stepUpdate, update: lambdatest.UserChange{Role: new("User")}, priority: priorityDrift,
		},
		"drift is only reported where the policy says so": {
			want: active, have: observed{account: admin, known: true, current: true}, given: circumstances{settled: true, reportDrift: true},
			step: stepNone, update: lambdatest.UserChange{Role: new("User")}, priority: priorityDrift, reported: true,
		},
		"a change is carried out under that policy": {
			want: active, have: observed{account: admin, known: true}, given: circumstances{reportDrift: true},
			step: stepUpdate, update: lambdatest.UserChange{Role: new("User")}, priority: priorityChange,
		},
		"a denial is carried out under that policy, and nothing but the denial": {
			want:  desired{effective: v1alpha1.EffectiveState{Active: false, Role: v1alpha1.RoleGuest}},
			have:  observed{account: on, known: true, current: true},
			given: circumstances{settled: true, reportDrift: true},
			step:  stepUpdate, update: lambdatest.UserChange{Active: new(false)}, priority: priorityDenial,
		},
		"what LambdaTest refused along with a denial is left out": {
			want:  desired{effective: v1alpha1.EffectiveState{Active: false, Role: v1alpha1.RoleGuest}},
			have:  observed{account: on, known: true, current: true},
			given: circumstances{denialOnly: true},
			step:  stepUpdate, update: lambdatest.UserChange{Active: new(false)}, priority: priorityDenial,
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
		})
	}
}
