// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

const ada = "ada@example.com"

// fullUser is one in which every field says something.
func fullUser() *v1alpha1.LambdaTestUser {
	user := MakeUser(ada).Obj()
	user.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.UserKind}
	user.Name = v1alpha1.SCIMUserName("default", ada)
	user.UID, user.ResourceVersion, user.Generation = "0f6b1c9e-2f0d-4c55-9f26-3f6b0c0f5a11", "4711", 3
	user.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
	user.Annotations = map[string]string{v1alpha1.LastModifiedAnnotation: "2026-01-02T03:04:05Z"}
	user.Finalizers = []string{v1alpha1.Finalizer}
	decider := v1alpha1.UserKind + "/" + user.Name
	user.Spec.ExternalID, user.Spec.DisplayName, user.Spec.ConcurrencyGroup = "00u1", "Ada Lovelace", "mobile"
	user.Spec.Emails = []v1alpha1.Email{{Value: ada, Type: "work", Primary: true}, {Value: "lovelace@example.org", Display: "home"}}
	user.Status = v1alpha1.LambdaTestUserStatus{
		ObservedGeneration: 3,
		AccountID:          "23001",
		Account:            &v1alpha1.AccountState{Active: true, Role: "User", ConcurrencyGroup: "mobile", GivenName: "Ada", FamilyName: "King"},
		Effective: &v1alpha1.EffectiveState{
			Active: true, Role: v1alpha1.RoleUser, RoleFrom: decider, ConcurrencyGroup: "mobile", ConcurrencyGroupFrom: decider,
		},
		PlannedChanges: []v1alpha1.PlannedChange{{Attribute: "role", From: "Admin", To: "User"}},
		Conditions: []metav1.Condition{{
			Type: v1alpha1.ReadyCondition, Status: metav1.ConditionTrue, Reason: v1alpha1.SyncedReason, Message: "All is well.", ObservedGeneration: 3,
		}},
	}
	return user
}

func compacted(t *testing.T, user *v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
	t.Helper()
	object, err := compactUsers()(user)
	if err != nil {
		t.Fatal(err)
	}
	return object.(*v1alpha1.LambdaTestUser)
}

func TestCompactUsersKeepsWhatIsRead(t *testing.T) {
	for name, change := range map[string]func(*v1alpha1.LambdaTestUser){
		"everything":     func(*v1alpha1.LambdaTestUser) {},
		"a request, too": func(u *v1alpha1.LambdaTestUser) { u.Annotations[v1alpha1.ReconcileRequestedAtAnnotation] = "now" },
		"a request alone": func(u *v1alpha1.LambdaTestUser) {
			u.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
		},
		"an import": func(u *v1alpha1.LambdaTestUser) {
			u.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceImport}
		},
		"a declared one": func(u *v1alpha1.LambdaTestUser) {
			u.Labels, u.Annotations, u.Finalizers, u.Status = nil, nil, nil, v1alpha1.LambdaTestUserStatus{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			user := fullUser()
			change(user)
			if diff := cmp.Diff(user.DeepCopy(), compacted(t, compacted(t, user))); diff != "" {
				t.Errorf("changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestCompactUsersKeepsTheTimeOfTheCreation(t *testing.T) {
	user := fullUser()
	user.CreationTimestamp = metav1.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for created, want := range map[string]int{"2026-01-02T03:04:05.000000789Z": 789, "2026-01-01T03:04:05.000000789Z": 0, "yesterday": 0} {
		user.Annotations[v1alpha1.CreatedAnnotation] = created
		compact := compacted(t, user.DeepCopy())
		if compact.CreationTimestamp.Nanosecond() != want || !v1alpha1.CreatedAt(compact).Equal(v1alpha1.CreatedAt(user)) {
			t.Errorf("%s: %s", created, compact.CreationTimestamp)
		}
		if _, kept := compact.Annotations[v1alpha1.CreatedAnnotation]; kept {
			t.Error("the annotation takes memory besides")
		}
	}
}

func TestCompactUsersLeavesWhatIsCompact(t *testing.T) {
	user, compact := compacted(t, fullUser()), compactUsers()
	if allocations := testing.AllocsPerRun(10, func() { _, _ = compact(user) }); allocations > 0 {
		t.Errorf("%v allocations for a user that is compact, and client-go asks twice about each of a list", allocations)
	}
}

func TestCompactUsersDropsWhatNobodyReads(t *testing.T) {
	user := fullUser()
	user.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	user.Labels[v1alpha1.PersonLabel], user.Labels["team"] = "digest", "engines"
	user.Annotations["kubectl.kubernetes.io/last-applied-configuration"] = "{}"
	if diff := cmp.Diff(fullUser(), compacted(t, user)); diff != "" {
		t.Errorf("not as without it (-want +got):\n%s", diff)
	}
}

func TestCompactUsersKeepsATextOnce(t *testing.T) {
	user := compacted(t, fullUser())
	within := func(part, whole string) bool {
		begin, place := uintptr(unsafe.Pointer(unsafe.StringData(whole))), uintptr(unsafe.Pointer(unsafe.StringData(part)))
		return begin <= place && place+uintptr(len(part)) <= begin+uintptr(len(whole))
	}
	for _, pair := range [][2]string{
		{user.Spec.Emails[0].Value, user.Spec.UserName},
		{user.Name, user.Status.Effective.RoleFrom},
		{user.Spec.Name.GivenName, user.Spec.DisplayName},
		{user.Status.Account.GivenName, user.Spec.DisplayName},
	} {
		if !within(pair[0], pair[1]) {
			t.Errorf("%q has memory of its own besides %q", pair[0], pair[1])
		}
	}
}
