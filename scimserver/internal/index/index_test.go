// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

var acme = types.NamespacedName{Namespace: "ns", Name: "acme"}

func storedUser(name string, second int, change ...func(*v1alpha1.LambdaTestUser)) *v1alpha1.LambdaTestUser {
	user := &v1alpha1.LambdaTestUser{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: acme.Namespace, Name: name, ResourceVersion: "5", Labels: map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM},
			CreationTimestamp: metav1.Unix(int64(second), 0),
		},
		Spec: v1alpha1.LambdaTestUserSpec{UserName: name, OrganizationRef: v1alpha1.OrganizationReference{Name: acme.Name}},
	}
	for _, c := range change {
		c(user)
	}
	return user
}

func names(users []*v1alpha1.LambdaTestUser) []string {
	names := []string{}
	for _, user := range users {
		names = append(names, user.Name)
	}
	return names
}

// However resources come and go, the list is that of the visible ones in the order of creation, then name.
func TestIndexKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := New(func(*v1alpha1.LambdaTestUser) {})
		model := map[string]*v1alpha1.LambdaTestUser{}
		created := map[string]int{}
		steps := rapid.IntRange(1, 60).Draw(t, "steps")
		initial := rapid.IntRange(0, steps).Draw(t, "initial")
		for i := range steps {
			name := fmt.Sprintf("u%02d", rapid.IntRange(0, 20).Draw(t, "name"))
			if _, ok := created[name]; !ok {
				created[name] = rapid.IntRange(0, 5).Draw(t, "created")
			}
			user := storedUser(name, created[name])
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				x.DropUser(user)
				delete(model, name)
				continue
			case 1:
				user.Spec.DeletedAt = &metav1.Time{Time: time.Unix(1, 0)}
			case 2:
				user.Labels = nil
			}
			x.StoreUser(user, i < initial)
			delete(model, name)
			if user.Labels != nil && user.Spec.DeletedAt == nil {
				model[name] = user
			}
		}
		var want []*v1alpha1.LambdaTestUser
		for _, user := range model {
			want = append(want, user)
		}
		slices.SortFunc(want, compareCreation[*v1alpha1.LambdaTestUser])
		if got := names(x.Users(acme).All()); !slices.Equal(got, names(want)) {
			t.Fatalf("got %v, want %v", got, names(want))
		}
		page, total := x.Users(acme).Page(1, 2)
		if total != len(want) || !slices.Equal(names(page), names(want[min(1, total):min(3, total)])) {
			t.Fatalf("page %v of %d", names(page), total)
		}
	})
}

func TestIndexMemberships(t *testing.T) {
	x := New(func(*v1alpha1.LambdaTestUser) {})
	group := func(name string, second int, members ...string) *v1alpha1.LambdaTestGroup {
		return &v1alpha1.LambdaTestGroup{
			ObjectMeta: metav1.ObjectMeta{Namespace: acme.Namespace, Name: name, Labels: map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}, CreationTimestamp: metav1.Unix(int64(second), 0)},
			Spec:       v1alpha1.LambdaTestGroupSpec{DisplayName: name, Members: members, OrganizationRef: v1alpha1.OrganizationReference{Name: acme.Name}},
		}
	}
	groupsOf := func(userName string) (ids []string) {
		for _, g := range x.GroupsOf(acme, userName) {
			ids = append(ids, g.Name)
		}
		return ids
	}
	check := func(userName string, want ...string) {
		t.Helper()
		if got := groupsOf(userName); !slices.Equal(got, want) {
			t.Errorf("%s is in %v, want %v", userName, got, want)
		}
	}
	x.StoreGroup(group("b", 2, "Ada@Example.com", "ada@example.com"), true)
	x.StoreGroup(group("a", 3, "ada@example.com", "grace@example.com"), false)
	check("ADA@example.com", "b", "a")
	check("grace@example.com", "a")
	x.StoreGroup(group("b", 2, "grace@example.com"), false)
	check("ada@example.com", "a")
	check("grace@example.com", "b", "a")
	going := group("a", 3, "ada@example.com")
	now := metav1.Now()
	going.DeletionTimestamp = &now
	x.StoreGroup(going, false)
	check("ada@example.com")
	x.DropGroup(group("b", 2))
	check("grace@example.com")
	declared := group("git", 1, "ada@example.com")
	declared.Labels = nil
	x.StoreGroup(declared, false)
	check("ada@example.com")
}

func TestIndexWaits(t *testing.T) {
	x := New(func(*v1alpha1.LambdaTestUser) {})
	version := func(resourceVersion string) *v1alpha1.LambdaTestUser {
		return storedUser("u", 1, func(u *v1alpha1.LambdaTestUser) { u.ResourceVersion = resourceVersion })
	}
	waits := func(await func(context.Context, string, metav1.Object), resourceVersion string) bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		await(ctx, v1alpha1.UserKind, version(resourceVersion))
		return ctx.Err() != nil
	}
	if !waits(x.Await, "5") {
		t.Error("does not wait for what it has not seen")
	}
	if waits(x.AwaitGone, "5") {
		t.Error("waits for the end of what is not there")
	}
	x.StoreUser(storedUser("u", 1), false)
	if waits(x.Await, "5") || waits(x.Await, "4") || waits(x.AwaitNext, "4") {
		t.Error("waits for what it has")
	}
	if !waits(x.Await, "6") || !waits(x.AwaitNext, "5") || !waits(x.AwaitGone, "5") {
		t.Error("does not wait for a later version")
	}
	seen := x.seen(v1alpha1.UserKind, types.NamespacedName{Namespace: acme.Namespace, Name: "u"}, 7)
	x.StoreUser(version("6"), false)
	select {
	case <-seen:
		t.Error("an earlier version is taken for a later one")
	default:
	}
	x.DropUser(storedUser("u", 1))
	<-seen
}
