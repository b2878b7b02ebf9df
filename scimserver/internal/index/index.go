// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"context"
	"math"
	"slices"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Index is what lists are answered from: the SCIM resources of every organization in the order of their creation, so that a page
// costs the same at any depth, and the groups of every member. Informers feed it. It holds pointers to their objects and no copies.
type Index struct {
	mu sync.RWMutex
	// directories are those of organizations that have a resource.
	directories map[types.NamespacedName]*directory
	waiting     map[waitKey][]*waiter
}

// directory is one organization's part.
type directory struct {
	users       ordered[*v1alpha1.LambdaTestUser]
	groups      ordered[*v1alpha1.LambdaTestGroup]
	memberships map[string][]string // names of the visible groups, by folded UserName
	usage       Usage
}

// waitKey names an object whose event a request waits for.
type waitKey struct {
	kind string
	name types.NamespacedName
}

type waiter struct {
	version uint64
	seen    chan struct{}
}

// New returns an empty index.
func New() *Index {
	return &Index{directories: map[types.NamespacedName]*directory{}, waiting: map[waitKey][]*waiter{}}
}

// StoreUser keeps a version of a user that the informer reports; initial says that more of its first list may follow.
func (x *Index) StoreUser(user *v1alpha1.LambdaTestUser, initial bool) {
	x.change(v1alpha1.UserKind, user, versionOf(user.ResourceVersion), func(d *directory) {
		d.countUser(-1, d.users.byName[user.Name])
		d.countUser(1, user)
		if v1alpha1.IsSCIM(user) {
			d.users.store(user, IsVisibleUser(user), initial)
		} else {
			d.users.drop(user.Name)
		}
	})
}

// DropUser forgets a user who is gone.
func (x *Index) DropUser(user *v1alpha1.LambdaTestUser) {
	x.change(v1alpha1.UserKind, user, goneVersion, func(d *directory) {
		d.countUser(-1, d.users.byName[user.Name])
		d.users.drop(user.Name)
	})
}

// StoreGroup keeps a version of a group, as StoreUser does.
func (x *Index) StoreGroup(group *v1alpha1.LambdaTestGroup, initial bool) {
	x.change(v1alpha1.GroupKind, group, versionOf(group.ResourceVersion), func(d *directory) {
		d.enrol(d.groups.byName[group.Name], group)
		d.countGroup(-1, d.groups.byName[group.Name])
		d.countGroup(1, group)
		if v1alpha1.IsSCIM(group) {
			d.groups.store(group, IsVisibleGroup(group), initial)
		} else {
			d.groups.drop(group.Name)
		}
	})
}

// DropGroup forgets a group that is gone.
func (x *Index) DropGroup(group *v1alpha1.LambdaTestGroup) {
	x.change(v1alpha1.GroupKind, group, goneVersion, func(d *directory) {
		d.enrol(d.groups.byName[group.Name], nil)
		d.countGroup(-1, d.groups.byName[group.Name])
		d.groups.drop(group.Name)
	})
}

// change changes the directory of an object, and wakes the requests that wait for this version of the object or an earlier one.
func (x *Index) change(kind string, object metav1.Object, version uint64, apply func(*directory)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	organization := organizationOf(object)
	d := x.directories[organization]
	if d == nil {
		d = &directory{}
	}
	apply(d)
	if len(d.users.byName)+len(d.groups.byName) > 0 {
		x.directories[organization] = d
	} else {
		delete(x.directories, organization)
	}
	x.endWaits(keyOf(kind, object), func(w *waiter) bool { return w.version <= version })
}

func organizationOf(object metav1.Object) types.NamespacedName {
	organization := types.NamespacedName{Namespace: object.GetNamespace()}
	switch o := object.(type) {
	case *v1alpha1.LambdaTestUser:
		organization.Name = o.Spec.OrganizationRef.Name
	case *v1alpha1.LambdaTestGroup:
		organization.Name = o.Spec.OrganizationRef.Name
	}
	return organization
}

// enrol brings memberships from one version of a group to the next; either may be nil. A group of 10 000 to which one is added
// costs one step and not 10 000.
func (d *directory) enrol(before, after *v1alpha1.LambdaTestGroup) {
	old, fresh := shownMembers(before), shownMembers(after)
	for len(old) > 0 && len(fresh) > 0 && old[0] == fresh[0] {
		old, fresh = old[1:], fresh[1:]
	}
	for len(old) > 0 && len(fresh) > 0 && old[len(old)-1] == fresh[len(fresh)-1] {
		old, fresh = old[:len(old)-1], fresh[:len(fresh)-1]
	}
	for _, userName := range old {
		d.leave(v1alpha1.FoldUserName(userName), before.Name)
	}
	if len(old) > 0 {
		fresh = shownMembers(after) // the list may have named one of them twice, in two spellings
	}
	for _, userName := range fresh {
		d.join(v1alpha1.FoldUserName(userName), after.Name)
	}
}

func shownMembers(group *v1alpha1.LambdaTestGroup) []string {
	if group == nil || !IsVisibleGroup(group) || !v1alpha1.IsSCIM(group) {
		return nil
	}
	return group.Spec.Members
}

func (d *directory) join(folded, group string) {
	if groups := d.memberships[folded]; !slices.Contains(groups, group) {
		if d.memberships == nil {
			d.memberships = map[string][]string{}
		}
		d.memberships[folded] = append(groups, group)
	}
}

func (d *directory) leave(folded, group string) {
	rest := slices.DeleteFunc(d.memberships[folded], func(name string) bool { return name == group })
	if len(rest) == 0 {
		delete(d.memberships, folded)
		return
	}
	d.memberships[folded] = rest
}

// IsVisibleUser tells whether a provider sees the user: the provider has not deleted them, and the resource is not being deleted.
func IsVisibleUser(user *v1alpha1.LambdaTestUser) bool {
	return !user.IsMarkedDeleted() && user.DeletionTimestamp.IsZero()
}

// IsVisibleGroup tells whether a provider sees the group: the resource is not being deleted.
func IsVisibleGroup(group *v1alpha1.LambdaTestGroup) bool { return group.DeletionTimestamp.IsZero() }

// Users returns the visible users of an organization.
func (x *Index) Users(organization types.NamespacedName) List[*v1alpha1.LambdaTestUser] {
	return List[*v1alpha1.LambdaTestUser]{x, organization, func(d *directory) *ordered[*v1alpha1.LambdaTestUser] { return &d.users }}
}

// Groups returns the visible groups of an organization.
func (x *Index) Groups(organization types.NamespacedName) List[*v1alpha1.LambdaTestGroup] {
	return List[*v1alpha1.LambdaTestGroup]{x, organization, func(d *directory) *ordered[*v1alpha1.LambdaTestGroup] { return &d.groups }}
}

// User returns the resource of that id, visible or not, and nil when the index has none.
func (x *Index) User(organization types.NamespacedName, id string) *v1alpha1.LambdaTestUser {
	return x.Users(organization).named(id)
}

// Group returns the resource of that id, visible or not, and nil when the index has none.
func (x *Index) Group(organization types.NamespacedName, id string) *v1alpha1.LambdaTestGroup {
	return x.Groups(organization).named(id)
}

// IsOfAnother tells whether a group of that id belongs to another organization of the namespace.
func (x *Index) IsOfAnother(organization types.NamespacedName, id string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for other, d := range x.directories {
		if other.Namespace == organization.Namespace && other.Name != organization.Name && d.groups.byName[id] != nil {
			return true
		}
	}
	return false
}

// GroupNamed returns the visible group of that displayName, or nil.
func (x *Index) GroupNamed(organization types.NamespacedName, displayName string) *v1alpha1.LambdaTestGroup {
	folded := v1alpha1.FoldDisplayName(displayName)
	for _, group := range x.Groups(organization).All() {
		if v1alpha1.FoldDisplayName(group.Spec.DisplayName) == folded {
			return group
		}
	}
	return nil
}

// GroupsOf returns the visible groups that a person is in, in the order of their creation.
func (x *Index) GroupsOf(organization types.NamespacedName, userName string) []*v1alpha1.LambdaTestGroup {
	x.mu.RLock()
	defer x.mu.RUnlock()
	d := x.directories[organization]
	if d == nil || len(d.memberships) == 0 {
		return nil
	}
	var groups []*v1alpha1.LambdaTestGroup
	for _, name := range d.memberships[v1alpha1.FoldUserName(userName)] {
		groups = append(groups, d.groups.byName[name])
	}
	slices.SortFunc(groups, compareCreation[*v1alpha1.LambdaTestGroup])
	return groups
}

// Await returns when the index has the object at its version or a later one, or has seen it go, or when ctx is done.
func (x *Index) Await(ctx context.Context, kind string, object metav1.Object) {
	x.waitFor(ctx, kind, object, versionOf(object.GetResourceVersion()))
}

// AwaitNext returns when the index has a later version of the object, or has seen it go, or when ctx is done.
func (x *Index) AwaitNext(ctx context.Context, kind string, object metav1.Object) {
	x.waitFor(ctx, kind, object, versionOf(object.GetResourceVersion())+1)
}

// AwaitGone returns when the index has seen the object go, or when ctx is done.
func (x *Index) AwaitGone(ctx context.Context, kind string, object metav1.Object) {
	x.waitFor(ctx, kind, object, goneVersion)
}

func (x *Index) waitFor(ctx context.Context, kind string, object metav1.Object, version uint64) {
	w, key := &waiter{version, make(chan struct{})}, keyOf(kind, object)
	x.mu.Lock()
	x.waiting[key] = append(x.waiting[key], w)
	current := x.current(kind, object)
	x.endWaits(key, func(w *waiter) bool { return w.version <= current || w.version == goneVersion && current == 0 })
	x.mu.Unlock()
	select {
	case <-w.seen:
	case <-ctx.Done():
		x.mu.Lock()
		defer x.mu.Unlock()
		x.endWaits(key, func(other *waiter) bool { return other == w })
	}
}

func keyOf(kind string, object metav1.Object) waitKey {
	return waitKey{kind, types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}}
}

// current is the version that the index has of an object, and 0 when it has none. The caller holds the lock.
func (x *Index) current(kind string, object metav1.Object) uint64 {
	if d := x.directories[organizationOf(object)]; d != nil {
		if user := d.users.byName[object.GetName()]; kind == v1alpha1.UserKind && user != nil {
			return versionOf(user.ResourceVersion)
		}
		if group := d.groups.byName[object.GetName()]; kind == v1alpha1.GroupKind && group != nil {
			return versionOf(group.ResourceVersion)
		}
	}
	return 0
}

// endWaits wakes the waiters of which ends says so. The caller holds the lock.
func (x *Index) endWaits(key waitKey, ends func(*waiter) bool) {
	waiters, ok := x.waiting[key]
	if !ok {
		return
	}
	rest := slices.DeleteFunc(waiters, func(w *waiter) bool {
		if ends(w) {
			close(w.seen)
			return true
		}
		return false
	})
	if x.waiting[key] = rest; len(rest) == 0 {
		delete(x.waiting, key)
	}
}

// goneVersion is a version that only the end of an object reaches.
const goneVersion = math.MaxUint64

// versionOf reads a resourceVersion, which Kubernetes guarantees to be a number that grows. Anything else is older than all.
func versionOf(resourceVersion string) uint64 {
	version, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return 0
	}
	return version
}
