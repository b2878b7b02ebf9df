// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

func TestPlanGroup(t *testing.T) {
	want := groups.Wish{DisplayName: "QA", Roles: []string{"Admin"}, Members: []string{"1", "2", "3"}}
	there := func(change func(*groups.Group)) groups.Observed {
		group := groups.Group{ID: "9", Wish: want}
		change(&group)
		return groups.Observed{Group: &group, Known: true}
	}
	for _, test := range []struct {
		name       string
		have       groups.Observed
		reportOnly bool
		step       step
		update     lambdatest.GroupChange
		touched    []string
		reported   bool
	}{
		{name: "nobody knows", step: stepLookUp},
		{name: "nobody knows what became of a change", have: groups.Observed{Doubtful: true, Known: true}, step: stepLookUp},
		{name: "not there", have: groups.Observed{Known: true}, step: stepCreate, touched: []string{"1", "2", "3"}},
		{name: "as wanted", have: there(func(*groups.Group) {}), step: stepNone},
		{
			name: "one is missing and one is too many", have: there(func(g *groups.Group) { g.Members = []string{"1", "2", "4"} }), step: stepPatch,
			update: lambdatest.GroupChange{AddMembers: []string{"3"}, RemoveMembers: []string{"4"}}, touched: []string{"3", "4"},
		},
		{
			name: "most are others", have: there(func(g *groups.Group) { g.Members = []string{"4", "5", "6", "7"} }), step: stepReplace,
			update:  lambdatest.GroupChange{AddMembers: []string{"1", "2", "3"}, RemoveMembers: []string{"4", "5", "6", "7"}},
			touched: []string{"1", "2", "3", "4", "5", "6", "7"},
		},
		{
			name: "other roles touch everybody", have: there(func(g *groups.Group) { g.Roles = nil }), step: stepPatch,
			update: lambdatest.GroupChange{Roles: &want.Roles}, touched: []string{"1", "2", "3"},
		},
		{
			name: "another name touches nobody", have: there(func(g *groups.Group) { g.DisplayName = "Old" }), step: stepPatch,
			update: lambdatest.GroupChange{DisplayName: &want.DisplayName},
		},
		{
			name: "only reported", have: there(func(g *groups.Group) { g.DisplayName = "Old" }), reportOnly: true, step: stepNone,
			update: lambdatest.GroupChange{DisplayName: &want.DisplayName}, reported: true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := planChange(want, test.have, test.reportOnly)
			if got.step != test.step || got.reported != test.reported {
				t.Errorf("step %d, reported %t; want %d, %t", got.step, got.reported, test.step, test.reported)
			}
			if diff := cmp.Diff(test.update, got.update); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.touched, groups.Ordered(got.touched)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHighestRoleOfGroups(t *testing.T) {
	group := func(name string, roles ...v1alpha1.Role) *v1alpha1.LambdaTestGroup {
		return MakeGroup(name).Giving(roles...).Obj()
	}
	for name, test := range map[string]struct {
		Table   []*v1alpha1.LambdaTestGroup
		maxRole v1alpha1.Role
		want    string
	}{
		"none":                         {nil, "", ""},
		"a group without roles":        {[]*v1alpha1.LambdaTestGroup{group("a")}, "", ""},
		"the highest of all":           {[]*v1alpha1.LambdaTestGroup{group("a", v1alpha1.RoleGuest), group("b", v1alpha1.RoleAdmin, v1alpha1.RoleUser)}, "", "b"},
		"of equals, the first by name": {[]*v1alpha1.LambdaTestGroup{group("b", v1alpha1.RoleUser), group("a", v1alpha1.RoleUser)}, "", "a"},
		"a provider's group counts as maxRole": {
			[]*v1alpha1.LambdaTestGroup{MakeGroup("b").FromSCIM().Giving(v1alpha1.RoleAdmin).Obj(), group("a", v1alpha1.RoleUser)}, v1alpha1.RoleGuest, "a",
		},
	} {
		got := claims.Highest(test.Table, test.maxRole)
		if want := map[bool]string{true: "", false: v1alpha1.GroupKind + "/" + test.want}[test.want == ""]; got.From != want {
			t.Errorf("%s: %q decides", name, got.From)
		}
	}
}
