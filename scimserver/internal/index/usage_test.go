// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// However resources come, change, are marked as deleted and go, the usage is the sum over those that are there and are SCIM's.
func TestUsageIsTheSumOfWhatIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := New()
		users, groups := map[string]*v1alpha1.LambdaTestUser{}, map[string]*v1alpha1.LambdaTestGroup{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			name := fmt.Sprintf("n%d", rapid.IntRange(0, 9).Draw(t, "name"))
			user := storedUser(name, 1, func(u *v1alpha1.LambdaTestUser) {
				u.Spec.DisplayName = rapid.StringN(0, 8, -1).Draw(t, "displayName")
				u.Spec.Emails = rapid.SliceOfN(rapid.Just(v1alpha1.Email{Value: "a@example.com", Type: "work"}), 0, 3).Draw(t, "emails")
				if rapid.Bool().Draw(t, "marked") {
					u.Spec.Active, u.Spec.DeletedAt = new(false), &metav1.Time{}
				}
				if rapid.IntRange(0, 4).Draw(t, "declared") == 0 {
					u.Labels = nil
				}
			})
			group := &v1alpha1.LambdaTestGroup{ObjectMeta: user.ObjectMeta, Spec: v1alpha1.LambdaTestGroupSpec{
				OrganizationRef: user.Spec.OrganizationRef, DisplayName: user.Spec.DisplayName,
				Members: rapid.SliceOfN(rapid.StringN(1, 4, -1), 0, 5).Draw(t, "members"),
			}}
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				x.DropUser(user)
				delete(users, name)
			case 1:
				x.DropGroup(group)
				delete(groups, name)
			case 2, 3:
				x.StoreUser(user, rapid.Bool().Draw(t, "initial"))
				users[name] = user
			default:
				x.StoreGroup(group, rapid.Bool().Draw(t, "initial"))
				groups[name] = group
			}
		}
		want := Usage{}
		for _, user := range users {
			if v1alpha1.IsSCIM(user) {
				want.Add(1, UsageOfUser(&user.Spec))
			}
		}
		for _, group := range groups {
			if v1alpha1.IsSCIM(group) {
				want.Add(1, UsageOfGroup(&group.Spec))
			}
		}
		if got := x.Usage(acme); got != want {
			t.Fatalf("usage %+v, want %+v", got, want)
		}
	})
}

func TestUsageCountsEveryText(t *testing.T) {
	user := &v1alpha1.LambdaTestUserSpec{
		UserName: "1", Name: v1alpha1.PersonName{GivenName: "22", FamilyName: "333"}, DisplayName: "4444", ExternalID: "55555", ConcurrencyGroup: "666666",
		Emails: []v1alpha1.Email{{Value: "7777777", Type: "88888888", Display: "999999999"}},
	}
	if got, want := UsageOfUser(user), (Usage{1, 0, 0, 45}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	group := &v1alpha1.LambdaTestGroupSpec{DisplayName: "1", ExternalID: "22", Members: []string{"333", "4444"}}
	if got, want := UsageOfGroup(group), (Usage{0, 1, 2, 10}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
