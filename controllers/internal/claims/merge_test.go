// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// aged gives a claim the uid of its name and an age in minutes, as the API server would.
func aged(minutes int, builder *UserBuilder) *v1alpha1.LambdaTestUser {
	user := builder.Obj()
	user.UID = types.UID(user.Name)
	user.CreationTimestamp = metav1.NewTime(time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Add(-time.Duration(minutes) * time.Minute))
	return user
}

func going(user *v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
	user.DeletionTimestamp = &user.CreationTimestamp
	user.Finalizers = []string{v1alpha1.Finalizer}
	return user
}

func unfinalized(user *v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
	user.Finalizers = nil
	return user
}

func TestMerge(t *testing.T) {
	scimName := MakeUser(ada).FromSCIM().Obj().Name
	admin, guest := v1alpha1.RoleAdmin, v1alpha1.RoleGuest
	for name, test := range map[string]struct {
		claims     []*v1alpha1.LambdaTestUser
		fromGroups GroupRole
		maxRole    v1alpha1.Role
		fate       fate
		want       v1alpha1.EffectiveState
	}{
		"unset active means active": {
			claims: []*v1alpha1.LambdaTestUser{aged(1, MakeUser(ada))},
			want:   v1alpha1.EffectiveState{Active: true},
		},
		"a denial by any claim wins": {
			claims: []*v1alpha1.LambdaTestUser{aged(9, MakeUser(ada).Active()), aged(1, MakeUser(ada).FromSCIM().Denied())},
			want:   v1alpha1.EffectiveState{Active: false, ActiveFrom: "LambdaTestUser/" + scimName},
		},
		"a claim that the provider marked deleted denies": {
			claims: []*v1alpha1.LambdaTestUser{aged(9, MakeUser(ada).Active()), aged(1, MakeUser(ada).FromSCIM().DeletedAt(time.Now()))},
			want:   v1alpha1.EffectiveState{Active: false, ActiveFrom: "LambdaTestUser/" + scimName},
		},
		"declared comes before SCIM, however young": {
			claims: []*v1alpha1.LambdaTestUser{aged(9, MakeUser(ada).FromSCIM().Role(admin)), aged(1, MakeUser(ada).Role(guest))},
			want:   v1alpha1.EffectiveState{Active: true, Role: guest, RoleFrom: "LambdaTestUser/ada"},
		},
		"SCIM fills in what the declared claim leaves open": {
			claims: []*v1alpha1.LambdaTestUser{aged(9, MakeUser(ada).FromSCIM().Role(admin).ConcurrencyGroup("web")), aged(1, MakeUser(ada).Role(guest))},
			want: v1alpha1.EffectiveState{
				Active: true, Role: guest, RoleFrom: "LambdaTestUser/ada", ConcurrencyGroup: "web", ConcurrencyGroupFrom: "LambdaTestUser/" + scimName,
			},
		},
		"a younger declared claim sets nothing": {
			claims: []*v1alpha1.LambdaTestUser{aged(1, MakeUser(ada).Named("younger").Role(admin)), aged(9, MakeUser(ada).Named("older"))},
			want:   v1alpha1.EffectiveState{Active: true},
		},
		"a younger declared claim denies": {
			claims: []*v1alpha1.LambdaTestUser{aged(1, MakeUser(ada).Named("younger").Denied()), aged(9, MakeUser(ada).Named("older"))},
			want:   v1alpha1.EffectiveState{Active: false, ActiveFrom: "LambdaTestUser/younger"},
		},
		"a declared claim that only denies, however old, leaves role and concurrency group to the other": {
			claims: []*v1alpha1.LambdaTestUser{aged(9, nameless(MakeUser(ada).Named("deny-ada").Denied())), aged(1, MakeUser(ada).Role(admin))},
			want:   v1alpha1.EffectiveState{Active: false, ActiveFrom: "LambdaTestUser/deny-ada", Role: admin, RoleFrom: "LambdaTestUser/ada"},
		},
		"of equal age the name decides": {
			claims: []*v1alpha1.LambdaTestUser{aged(1, MakeUser(ada).Named("b").Role(admin)), aged(1, MakeUser(ada).Named("a").Role(guest))},
			want:   v1alpha1.EffectiveState{Active: true, Role: guest, RoleFrom: "LambdaTestUser/a"},
		},
		"a role from groups comes before the claims": {
			claims:     []*v1alpha1.LambdaTestUser{aged(1, MakeUser(ada).Role(guest))},
			fromGroups: GroupRole{role: admin, From: "LambdaTestGroup/admins"},
			want:       v1alpha1.EffectiveState{Active: true, Role: admin, RoleFrom: "LambdaTestGroup/admins"},
		},
		"the provider gives no more than maxRole": {
			claims:  []*v1alpha1.LambdaTestUser{aged(1, MakeUser(ada).FromSCIM().Role(admin))},
			maxRole: v1alpha1.RoleUser,
			want:    v1alpha1.EffectiveState{Active: true, Role: v1alpha1.RoleUser, RoleFrom: "LambdaTestUser/" + scimName},
		},
		"a declared claim gives more than maxRole": {
			claims:  []*v1alpha1.LambdaTestUser{aged(1, MakeUser(ada).Role(admin)), aged(1, MakeUser(ada).FromSCIM().Role(guest))},
			maxRole: guest,
			want:    v1alpha1.EffectiveState{Active: true, Role: admin, RoleFrom: "LambdaTestUser/ada"},
		},
		"an observing claim neither denies nor sets": {
			claims: []*v1alpha1.LambdaTestUser{aged(9, MakeUser(ada).Named("observer").Observing().Denied().Role(admin)), aged(1, MakeUser(ada))},
			want:   v1alpha1.EffectiveState{Active: true},
		},
		"an observing claim keeps nobody": {
			claims: []*v1alpha1.LambdaTestUser{aged(9, MakeUser(ada).Named("observer").Observing()), going(aged(1, MakeUser(ada)))},
			fate:   FateDeactivated,
		},
		"a claim being deleted does not count": {
			claims: []*v1alpha1.LambdaTestUser{going(aged(9, MakeUser(ada).Denied().Role(admin))), aged(1, MakeUser(ada).FromSCIM())},
			want:   v1alpha1.EffectiveState{Active: true},
		},
		"one Deactivate among those that go deactivates": {
			claims: []*v1alpha1.LambdaTestUser{going(aged(9, MakeUser(ada).Named("a").Orphan())), going(aged(1, MakeUser(ada).Named("b")))},
			fate:   FateDeactivated,
		},
		"when all say Orphan the account is left": {
			claims: []*v1alpha1.LambdaTestUser{going(aged(9, MakeUser(ada).Orphan()))},
			fate:   FateLeft,
		},
		"a claim that never had our finalizer deactivates nobody": {
			claims: []*v1alpha1.LambdaTestUser{unfinalized(going(aged(1, MakeUser(ada))))},
			fate:   FateLeft,
		},
		"who is only observed is left": {
			claims: []*v1alpha1.LambdaTestUser{aged(9, MakeUser(ada).Observing())},
			fate:   FateLeft,
		},
	} {
		t.Run(name, func(t *testing.T) {
			slices.SortFunc(test.claims, ByPrecedence)
			got := Merge(test.claims, test.fromGroups, test.maxRole).Desired
			if got.Fate != test.fate {
				t.Errorf("fate %d, want %d", got.Fate, test.fate)
			}
			if diff := cmp.Diff(test.want, got.Effective); diff != "" {
				t.Errorf("effective (-want +got):\n%s", diff)
			}
		})
	}
}

// nameless takes the name away, as a claim may lack it that denies.
func nameless(builder *UserBuilder) *UserBuilder {
	builder.Obj().Spec.Name = v1alpha1.PersonName{}
	return builder
}

func TestAClaimThatOnlyDeniesIsNoDuplicate(t *testing.T) {
	denial, other, younger := aged(5, nameless(MakeUser(ada).Named("deny-ada").Denied())), aged(4, MakeUser(ada)), aged(1, MakeUser(ada).Named("younger"))
	living := []*v1alpha1.LambdaTestUser{denial, other, younger}
	for _, claim := range []*v1alpha1.LambdaTestUser{denial, other} {
		if older := DuplicateOf(claim, living); older != nil {
			t.Errorf("%s is a duplicate of %s", claim.Name, older.Name)
		}
	}
	if older := DuplicateOf(younger, living); older != other {
		t.Errorf("the younger of two others is a duplicate of %v", older)
	}
	if first := Wish(living, denial, GroupRole{}, ""); first.GivenName == "" {
		t.Error("the name of the person is lost")
	}
}
