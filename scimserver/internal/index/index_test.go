// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"context"
	"fmt"
	"slices"
	"strconv"
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
		x := New()
		model := map[string]*v1alpha1.LambdaTestUser{}
		created := map[string]int{}
		steps := rapid.IntRange(1, 60).Draw(t, "steps")
		initial := rapid.IntRange(0, steps).Draw(t, "initial")
		for i := range steps {
			name := fmt.Sprintf("u%02d", rapid.IntRange(0, 20).Draw(t, "name"))
			if _, ok := created[name]; !ok {
				created[name] = rapid.IntRange(0, 5).Draw(t, "created")
			}
			user := storedUser(name, created[name], func(u *v1alpha1.LambdaTestUser) { u.ResourceVersion = strconv.Itoa(i + 1) })
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
		for _, user := range x.Users(acme).All() {
			if user != model[user.Name] {
				t.Fatalf("version %s of %s, want %s", user.ResourceVersion, user.Name, model[user.Name].ResourceVersion)
			}
		}
		page, total := x.Users(acme).Page(1, 2)
		if total != len(want) || !slices.Equal(names(page), names(want[min(1, total):min(3, total)])) {
			t.Fatalf("page %v of %d", names(page), total)
		}
	})
}

func TestIndexMemberships(t *testing.T) {
	x := New()
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
	x := New()
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
	x.StoreUser(version("6"), false)
	if !waits(x.Await, "7") {
		t.Error("an earlier version is taken for a later one")
	}
	for range 1000 {
		waits(x.AwaitGone, "6")
	}
	if len(x.waiting) > 0 {
		t.Errorf("%d waiters are kept after their time is up", len(x.waiting[waitKey{v1alpha1.UserKind, types.NamespacedName{Namespace: acme.Namespace, Name: "u"}}]))
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		x.AwaitGone(t.Context(), v1alpha1.UserKind, version("6"))
	}()
	x.DropUser(storedUser("u", 1))
	<-gone
	if waits(x.AwaitGone, "6") {
		t.Error("waits for the end of what is gone")
	}
}

// A list of members may name one person in two spellings; a PUT keeps one of them.
func TestIndexKeepsAMembershipThatWasNamedTwice(t *testing.T) {
	x := New()
	for _, members := range [][]string{{"Ada@x", "ada@x"}, {"ada@x"}, {"ada@x", "Ada@x", "b@x"}, {"Ada@x", "b@x"}} {
		x.StoreGroup(&v1alpha1.LambdaTestGroup{
			ObjectMeta: metav1.ObjectMeta{Namespace: acme.Namespace, Name: "g", Labels: map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}},
			Spec:       v1alpha1.LambdaTestGroupSpec{Members: members, OrganizationRef: v1alpha1.OrganizationReference{Name: acme.Name}},
		}, false)
		if len(x.GroupsOf(acme, "ada@x")) != 1 {
			t.Errorf("not a member of a group of %v", members)
		}
	}
}

// An organization without resources, or with declared ones only, takes no memory.
func TestIndexForgetsOrganizations(t *testing.T) {
	x := New()
	declared := storedUser("git", 1, func(u *v1alpha1.LambdaTestUser) { u.Labels = nil })
	x.StoreUser(declared, true)
	x.StoreUser(storedUser("u", 1), true)
	x.DropUser(storedUser("u", 1))
	x.DropUser(declared)
	if len(x.directories) > 0 {
		t.Errorf("%d organizations are kept", len(x.directories))
	}
}

// Users who were created within one second are listed as they were created, whether or not the cache made them small.
func TestIndexOrdersWithinASecond(t *testing.T) {
	x, second := New(), time.Unix(1000, 0)
	for i, name := range []string{"c", "a", "d", "b"} {
		created := second.Add(time.Duration(i+1) * time.Millisecond)
		x.StoreUser(storedUser(name, 1000, func(u *v1alpha1.LambdaTestUser) {
			u.Annotations = map[string]string{v1alpha1.CreatedAnnotation: created.UTC().Format(time.RFC3339Nano)}
			if i == 1 {
				u.CreationTimestamp, u.Annotations = metav1.NewTime(created), nil
			}
		}), false)
	}
	if got := names(x.Users(acme).All()); !slices.Equal(got, []string{"c", "a", "d", "b"}) {
		t.Errorf("%v", got)
	}
}

func BenchmarkStoreKnownUser(b *testing.B) {
	x := New()
	for i := range 100_000 {
		x.StoreUser(storedUser(fmt.Sprintf("u%06d", i), i/100), true)
	}
	x.Users(acme).All()
	user := storedUser("u000001", 0)
	for b.Loop() {
		x.StoreUser(user, false)
	}
}
