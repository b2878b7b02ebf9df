// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Version is a version of a LambdaTestUser or a LambdaTestGroup, as the API server showed it at a time.
type Version struct {
	At   Moment
	Name string // namespace and name
	// Subject is the organization and the person, or the organization and the group.
	Subject    string
	Generation int64
	// Source is empty for a declared resource.
	Source  string
	Created time.Time
	// Counts is true for a claim that is carried out: one that only observes, is being deleted or is gone counts for nothing.
	Counts bool
	// Deleting is true for a resource that is being deleted, Gone for the end of it.
	Deleting, Gone bool
	// Denies and Role are what a user that counts says.
	Denies bool
	Role   string
	// Roles and Members are what a group that counts says: roles with spaces between, and folded userNames.
	Roles   string
	Members map[string]bool
	// Ready is the Ready condition; without a Status the resource has none. Current says that it is about this generation.
	Ready   metav1.Condition
	Current bool
}

// UserVersion reads a version of a LambdaTestUser.
func UserVersion(at Moment, user *v1alpha1.LambdaTestUser, gone bool) Version {
	v := versionOf(at, user, user.Status.Conditions, gone)
	v.Subject = user.Spec.OrganizationRef.Name + "/" + v1alpha1.FoldUserName(user.Spec.UserName)
	v.Counts = v.Counts && user.Spec.ManagementPolicy != v1alpha1.ManagementObserve
	if v.Counts {
		v.Denies, v.Role = user.Spec.Active != nil && !*user.Spec.Active, string(user.Spec.Role)
	}
	return v
}

// GroupVersion reads a version of a LambdaTestGroup.
func GroupVersion(at Moment, group *v1alpha1.LambdaTestGroup, gone bool) Version {
	v := versionOf(at, group, group.Status.Conditions, gone)
	v.Subject = group.Spec.OrganizationRef.Name + "/" + v1alpha1.FoldDisplayName(group.Spec.DisplayName)
	if !v.Counts {
		return v
	}
	var roles []string
	for _, role := range group.Spec.Roles {
		roles = append(roles, string(role))
	}
	v.Roles, v.Members = SetOf(roles), map[string]bool{}
	for _, member := range group.Spec.Members {
		v.Members[v1alpha1.FoldUserName(member)] = true
	}
	return v
}

func versionOf(at Moment, object client.Object, conditions []metav1.Condition, gone bool) Version {
	v := Version{
		At: at, Name: object.GetNamespace() + "/" + object.GetName(), Generation: object.GetGeneration(), Gone: gone,
		Source: object.GetLabels()[v1alpha1.SourceLabel], Created: object.GetCreationTimestamp().Time,
		Counts: !gone && object.GetDeletionTimestamp().IsZero(), Deleting: !gone && !object.GetDeletionTimestamp().IsZero(),
	}
	if ready := meta.FindStatusCondition(conditions, v1alpha1.ReadyCondition); ready != nil {
		v.Ready, v.Current = *ready, ready.ObservedGeneration == object.GetGeneration()
	}
	return v
}

// ended is the version that follows when the resource is gone.
func (v Version) ended(at Moment) Version {
	return Version{At: at, Name: v.Name, Subject: v.Subject, Generation: v.Generation, Source: v.Source, Created: v.Created, Gone: true}
}

// Versions records the versions of resources, in the order of the API server. The zero value is ready to use.
type Versions struct {
	mu             sync.Mutex
	people, groups []Version
}

// Note records a version. It ignores kinds other than users and groups.
func (r *Versions) Note(at Moment, object client.Object, gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch object := object.(type) {
	case *v1alpha1.LambdaTestUser:
		r.people = append(r.people, UserVersion(at, object, gone))
	case *v1alpha1.LambdaTestGroup:
		r.groups = append(r.groups, GroupVersion(at, object, gone))
	}
}

// Missed records that all resources of a kind are listed anew: those that are not in the list are gone.
func (r *Versions) Missed(at Moment, list client.ObjectList) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch list := list.(type) {
	case *v1alpha1.LambdaTestUserList:
		listed := make([]Version, len(list.Items))
		for i := range list.Items {
			listed[i] = UserVersion(at, &list.Items[i], false)
		}
		r.people = withList(r.people, listed, at)
	case *v1alpha1.LambdaTestGroupList:
		listed := make([]Version, len(list.Items))
		for i := range list.Items {
			listed[i] = GroupVersion(at, &list.Items[i], false)
		}
		r.groups = withList(r.groups, listed, at)
	}
}

// withList adds the versions of a list, and the ends of resources that it does not have.
func withList(versions, listed []Version, at Moment) []Version {
	there := latest(listed)
	versions = append(versions, listed...)
	for name, v := range latest(versions) {
		if _, isThere := there[name]; !isThere && !v.Gone {
			versions = append(versions, v.ended(at))
		}
	}
	return versions
}

// All returns the versions of users and of groups, each in their order.
func (r *Versions) All() (people, groups []Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.people), slices.Clone(r.groups)
}

// latest is the last version of each resource, by name.
func latest(versions []Version) map[string]Version {
	last := map[string]Version{}
	for _, v := range versions {
		last[v.Name] = v
	}
	return last
}
