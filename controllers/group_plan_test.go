// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

func TestPlanGroup(t *testing.T) {
	want := groupWish{displayName: "QA", roles: []string{"Admin"}, members: []string{"1", "2", "3"}}
	there := func(change func(*upstreamGroup)) observedGroup {
		group := upstreamGroup{id: "9", groupWish: want}
		change(&group)
		return observedGroup{group: &group, known: true}
	}
	for _, test := range []struct {
		name       string
		have       observedGroup
		reportOnly bool
		step       groupStep
		update     lambdatest.GroupChange
		touched    []string
		reported   bool
	}{
		{name: "nobody knows", step: groupLookUp},
		{name: "nobody knows what became of a change", have: observedGroup{doubtful: true, known: true}, step: groupLookUp},
		{name: "not there", have: observedGroup{known: true}, step: groupCreate, touched: []string{"1", "2", "3"}},
		{name: "as wanted", have: there(func(*upstreamGroup) {}), step: groupStays},
		{
			name: "one is missing and one is too many", have: there(func(g *upstreamGroup) { g.members = []string{"1", "2", "4"} }), step: groupPatch,
			update: lambdatest.GroupChange{AddMembers: []string{"3"}, RemoveMembers: []string{"4"}}, touched: []string{"3", "4"},
		},
		{
			name: "most are others", have: there(func(g *upstreamGroup) { g.members = []string{"4", "5", "6", "7"} }), step: groupReplace,
			update:  lambdatest.GroupChange{AddMembers: []string{"1", "2", "3"}, RemoveMembers: []string{"4", "5", "6", "7"}},
			touched: []string{"1", "2", "3", "4", "5", "6", "7"},
		},
		{
			name: "other roles touch everybody", have: there(func(g *upstreamGroup) { g.roles = nil }), step: groupPatch,
			update: lambdatest.GroupChange{Roles: &want.roles}, touched: []string{"1", "2", "3"},
		},
		{
			name: "another name touches nobody", have: there(func(g *upstreamGroup) { g.displayName = "Old" }), step: groupPatch,
			update: lambdatest.GroupChange{DisplayName: &want.displayName},
		},
		{
			name: "only reported", have: there(func(g *upstreamGroup) { g.displayName = "Old" }), reportOnly: true, step: groupStays,
			update: lambdatest.GroupChange{DisplayName: &want.displayName}, reported: true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := planGroup(want, test.have, test.reportOnly)
			if got.step != test.step || got.reported != test.reported {
				t.Errorf("step %d, reported %t; want %d, %t", got.step, got.reported, test.step, test.reported)
			}
			if diff := cmp.Diff(test.update, got.update); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.touched, ordered(got.touched)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLeaderOfADisplayName(t *testing.T) {
	aged := func(group *v1alpha1.LambdaTestGroup, hours int) *v1alpha1.LambdaTestGroup {
		group.CreationTimestamp = metav1.NewTime(guardTime.Add(-time.Duration(hours) * time.Hour))
		return group
	}
	going := func(group *v1alpha1.LambdaTestGroup, finalizers ...string) *v1alpha1.LambdaTestGroup {
		group.DeletionTimestamp, group.Finalizers = new(metav1.NewTime(guardTime)), finalizers
		return group
	}
	scim, old, young := aged(MakeGroup("QA").FromSCIM().Obj(), 9), aged(MakeGroup("qa").Named("old").Obj(), 5), aged(MakeGroup("QA").Named("young").Obj(), 1)
	for name, test := range map[string]struct {
		family []*v1alpha1.LambdaTestGroup
		want   *v1alpha1.LambdaTestGroup
	}{
		"declared before the provider's":       {[]*v1alpha1.LambdaTestGroup{scim, young}, young},
		"then the oldest":                      {[]*v1alpha1.LambdaTestGroup{young, old}, old},
		"one that goes counts until it is let": {[]*v1alpha1.LambdaTestGroup{young, going(old.DeepCopy(), v1alpha1.Finalizer)}, old},
		"and no longer":                        {[]*v1alpha1.LambdaTestGroup{young, going(old.DeepCopy(), "example.com/other")}, young},
	} {
		if got := leaderOf(test.family); !isSame(got, test.want) {
			t.Errorf("%s: %s leads", name, got.Name)
		}
	}
}

func TestHighestRoleOfGroups(t *testing.T) {
	group := func(name string, roles ...v1alpha1.Role) *v1alpha1.LambdaTestGroup {
		return MakeGroup(name).Giving(roles...).Obj()
	}
	for name, test := range map[string]struct {
		groups []*v1alpha1.LambdaTestGroup
		want   string
	}{
		"none":                         {nil, ""},
		"a group without roles":        {[]*v1alpha1.LambdaTestGroup{group("a")}, ""},
		"the highest of all":           {[]*v1alpha1.LambdaTestGroup{group("a", v1alpha1.RoleGuest), group("b", v1alpha1.RoleAdmin, v1alpha1.RoleUser)}, "b"},
		"of equals, the first by name": {[]*v1alpha1.LambdaTestGroup{group("b", v1alpha1.RoleUser), group("a", v1alpha1.RoleUser)}, "a"},
	} {
		got := highest(test.groups)
		if want := map[bool]string{true: "", false: v1alpha1.GroupKind + "/" + test.want}[test.want == ""]; got.from != want {
			t.Errorf("%s: %q decides", name, got.from)
		}
	}
}
