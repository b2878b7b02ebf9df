// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Usage is what SCIM resources take: numbers of people, groups and members of groups, and the bytes of all texts. A user whom the provider
// deleted counts, because the resource stays as a denial.
type Usage [4]int64

// Add adds times another usage; times is 1 or -1.
func (u *Usage) Add(times int64, other Usage) {
	for i := range u {
		u[i] += times * other[i]
	}
}

// UsageOfUser is what one user takes.
func UsageOfUser(spec *v1alpha1.LambdaTestUserSpec) Usage {
	bytes := len(spec.UserName) + len(spec.Name.GivenName) + len(spec.Name.FamilyName) + len(spec.DisplayName) + len(spec.ExternalID) + len(spec.ConcurrencyGroup)
	for _, email := range spec.Emails {
		bytes += len(email.Value) + len(email.Type) + len(email.Display)
	}
	return Usage{1, 0, 0, int64(bytes)}
}

// UsageOfGroup is what one group takes.
func UsageOfGroup(spec *v1alpha1.LambdaTestGroupSpec) Usage {
	bytes := len(spec.DisplayName) + len(spec.ExternalID)
	for _, member := range spec.Members {
		bytes += len(member)
	}
	return Usage{0, 1, int64(len(spec.Members)), int64(bytes)}
}

// Usage returns what the SCIM resources of an organization take. The sum is kept, so it costs the same for every organization.
func (x *Index) Usage(organization types.NamespacedName) Usage {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if d := x.directories[organization]; d != nil {
		return d.usage
	}
	return Usage{}
}

// countUser and countGroup add a version of a resource to the usage, or take it away; nil, and a resource that is not SCIM's, count nothing.
func (d *directory) countUser(times int64, user *v1alpha1.LambdaTestUser) {
	if user != nil && v1alpha1.IsSCIM(user) {
		d.usage.Add(times, UsageOfUser(&user.Spec))
	}
}

func (d *directory) countGroup(times int64, group *v1alpha1.LambdaTestGroup) {
	if group != nil && v1alpha1.IsSCIM(group) {
		d.usage.Add(times, UsageOfGroup(&group.Spec))
	}
}
