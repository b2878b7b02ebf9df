// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

func TestOwnWritesDoNotEnqueue(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*v1alpha1.LambdaTestUser)
		passes bool
	}{
		"status":                {func(u *v1alpha1.LambdaTestUser) { u.Status.AccountID = "7" }, false},
		"finalizer":             {func(u *v1alpha1.LambdaTestUser) { u.Finalizers = []string{v1alpha1.Finalizer} }, false},
		"somebody's annotation": {func(u *v1alpha1.LambdaTestUser) { u.Annotations = map[string]string{"example.com/a": "b"} }, false},
		"spec":                  {func(u *v1alpha1.LambdaTestUser) { u.Generation++ }, true},
		"deletion":              {func(u *v1alpha1.LambdaTestUser) { u.DeletionTimestamp = new(metav1.Now()) }, true},
		"a request": {func(u *v1alpha1.LambdaTestUser) {
			u.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
		}, true},
		"the source": {func(u *v1alpha1.LambdaTestUser) {
			u.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			before := MakeUser(ada).Obj()
			after := before.DeepCopy()
			test.change(after)
			got := claimChanged().Update(event.TypedUpdateEvent[*v1alpha1.LambdaTestUser]{ObjectOld: before, ObjectNew: after})
			if got != test.passes {
				t.Errorf("passes %t, want %t", got, test.passes)
			}
		})
	}
}

func TestARemovedFinalizerEnqueues(t *testing.T) {
	after := MakeUser(ada).Obj()
	before := after.DeepCopy()
	before.Finalizers = []string{v1alpha1.Finalizer}
	if !claimChanged().Update(event.TypedUpdateEvent[*v1alpha1.LambdaTestUser]{ObjectOld: before, ObjectNew: after}) {
		t.Error("the finalizer would not be put back")
	}
}

func TestPriorityOf(t *testing.T) {
	settled := func(u *v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
		u.Status.ObservedGeneration = u.Generation
		u.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ReadyCondition, Status: metav1.ConditionTrue}}
		return u
	}
	going := func(u *v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
		u.DeletionTimestamp, u.Finalizers = new(metav1.Now()), []string{v1alpha1.Finalizer}
		return u
	}
	unseen := func(u *v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
		u.Status.ObservedGeneration = -1
		return u
	}
	for name, test := range map[string]struct {
		claim   *v1alpha1.LambdaTestUser
		initial bool
		want    int
	}{
		"a denial":                           {unseen(MakeUser(ada).Denied().Obj()), false, lane.Denial},
		"a deletion":                         {going(settled(MakeUser(ada).Obj())), false, lane.Deletion},
		"a new claim":                        {unseen(MakeUser(ada).Obj()), false, lane.Creation},
		"a change":                           {settled(MakeUser(ada).Obj()), false, lane.Change},
		"a denial that only observes":        {unseen(MakeUser(ada).Denied().Observing().Obj()), false, lane.Creation},
		"what was there at the start":        {unseen(MakeUser(ada).Obj()), true, lane.InitialList},
		"a denial not carried out before it": {unseen(MakeUser(ada).Denied().Obj()), true, lane.Denial},
		"a denial carried out before it":     {settled(MakeUser(ada).Denied().Obj()), true, lane.InitialList},
	} {
		t.Run(name, func(t *testing.T) {
			if got := connection.UrgencyOf(test.claim, test.initial); got != test.want {
				t.Errorf("priority %d, want %d", got, test.want)
			}
		})
	}
}
