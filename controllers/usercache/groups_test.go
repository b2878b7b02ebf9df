// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// fullGroup is one whose members are many.
func fullGroup(members int) *v1alpha1.LambdaTestGroup {
	group := MakeGroup("QA").Of("nowhere").Giving(v1alpha1.RoleAdmin).Obj()
	for i := range members {
		group.Spec.Members = append(group.Spec.Members, fmt.Sprintf("person-%05d@example.com", i))
	}
	group.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now", v1alpha1.DeletedByProviderAnnotation: "then"}
	return group
}

func withReady(group *v1alpha1.LambdaTestGroup, reason string) *v1alpha1.LambdaTestGroup {
	group.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ReadyCondition, Status: metav1.ConditionFalse, Reason: reason}}
	return group
}

// compactedTwice is what the cache has, since client-go may apply the transform more than once.
func compactedTwice(t *testing.T, group *v1alpha1.LambdaTestGroup) *v1alpha1.LambdaTestGroup {
	t.Helper()
	var object any = group
	for range 2 {
		var err error
		if object, err = compactGroup(object); err != nil {
			t.Fatal(err)
		}
	}
	return object.(*v1alpha1.LambdaTestGroup)
}

func TestMembersAreLeftOutUntilTheOrganizationIsFound(t *testing.T) {
	scim := fullGroup(1000)
	scim.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
	forged := withReady(fullGroup(0), v1alpha1.ProgressingReason)
	forged.Annotations[v1alpha1.MembersLeftOutAnnotation] = "true"
	for name, test := range map[string]struct {
		group   *v1alpha1.LambdaTestGroup
		leftOut bool
	}{
		"new":                  {fullGroup(1000), true},
		"without organization": {withReady(fullGroup(1000), v1alpha1.OrganizationNotFoundReason), true},
		"new and small":        {fullGroup(100), false},
		"with an organization": {withReady(fullGroup(1000), v1alpha1.ProgressingReason), false},
		"the provider's":       {scim, false},
		"of an organization, with our annotation": {forged, false},
	} {
		t.Run(name, func(t *testing.T) {
			want := len(test.group.Spec.Members)
			if test.leftOut {
				want = 0
			}
			got := compactedTwice(t, test.group)
			if got.HasMembersLeftOut() != test.leftOut || len(got.Spec.Members) != want {
				t.Errorf("left out: %t, want %t; %d members, want %d", got.HasMembersLeftOut(), test.leftOut, len(got.Spec.Members), want)
			}
		})
	}
}

func TestCompactGroupDropsWhatNobodyReads(t *testing.T) {
	group := fullGroup(3)
	group.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	group.Labels = map[string]string{"team": "engines"}
	group.Annotations["kubectl.kubernetes.io/last-applied-configuration"] = "{}"
	if diff := cmp.Diff(fullGroup(3), compactedTwice(t, group)); diff != "" {
		t.Errorf("not as without it (-want +got):\n%s", diff)
	}
}
