// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

func TestVanished(t *testing.T) {
	type user = v1alpha1.LambdaTestUser
	plain := func() *user { return &user{ObjectMeta: metav1.ObjectMeta{UID: "1"}} }
	with := func(changes ...func(*user)) *user {
		made := plain()
		for _, change := range changes {
			change(made)
		}
		return made
	}
	ready := func(reason string) func(*user) {
		return func(u *user) {
			u.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ReadyCondition, Status: metav1.ConditionTrue, Reason: reason}}
		}
	}
	finalized := func(u *user) { u.Finalizers = []string{v1alpha1.Finalizer} }
	deleted := func(u *user) { u.DeletionTimestamp = new(metav1.Now()) }
	for name, test := range map[string]struct {
		before func(*Releases)
		last   *user
		want   bool
	}{
		"never taken charge of":            {func(*Releases) {}, plain(), false},
		"with the finalizer":               {func(*Releases) {}, with(finalized), true},
		"without it, and in sync":          {func(*Releases) {}, with(ready(v1alpha1.SyncedReason)), true},
		"only observed":                    {func(*Releases) {}, with(ready(v1alpha1.ObservedReason)), false},
		"released here":                    {func(r *Releases) { r.put("1", byOperator) }, with(finalized, deleted), false},
		"stripped while it was alive":      {func(r *Releases) { r.VanishedBy(with(finalized), plain()) }, plain(), true},
		"stripped, and the finalizer back": {func(r *Releases) { r.VanishedBy(with(finalized), plain()); r.Restored(plain()) }, plain(), false},
		"stripped while it was deleted":    {func(r *Releases) { r.VanishedBy(with(finalized, deleted), with(deleted)) }, with(deleted), false},
	} {
		t.Run(name, func(t *testing.T) {
			releases := &Releases{}
			test.before(releases)
			if got := releases.Vanished(test.last); got != test.want {
				t.Errorf("vanished %t, want %t", got, test.want)
			}
			if len(releases.byUID) > 0 {
				t.Errorf("remembers a resource that is gone: %v", releases.byUID)
			}
		})
	}
	if releases := (&Releases{}); !releases.VanishedBy(with(finalized, deleted), with(deleted)) || releases.VanishedBy(with(finalized), plain()) {
		t.Error("reports at once what was being deleted, and only that")
	}
}
