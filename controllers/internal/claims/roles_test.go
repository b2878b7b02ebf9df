// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestLeaderOfADisplayName(t *testing.T) {
	aged := func(group *v1alpha1.LambdaTestGroup, hours int) *v1alpha1.LambdaTestGroup {
		group.CreationTimestamp = metav1.NewTime(noon.Add(-time.Duration(hours) * time.Hour))
		return group
	}
	going := func(group *v1alpha1.LambdaTestGroup, finalizers ...string) *v1alpha1.LambdaTestGroup {
		group.DeletionTimestamp, group.Finalizers = new(metav1.NewTime(noon)), finalizers
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
		if got := LeaderOf(test.family); !SameGroup(got, test.want) {
			t.Errorf("%s: %s leads", name, got.Name)
		}
	}
}
