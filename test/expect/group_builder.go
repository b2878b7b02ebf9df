// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package expect

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// GroupBuilder builds a LambdaTestGroup, so that a spec sets only the fields that matter to it.
type GroupBuilder struct{ group *v1alpha1.LambdaTestGroup }

// MakeGroup starts with a declared group without members and roles, named after its displayName.
func MakeGroup(displayName string) *GroupBuilder {
	return &GroupBuilder{&v1alpha1.LambdaTestGroup{
		ObjectMeta: metav1.ObjectMeta{Name: strings.ToLower(displayName)},
		Spec: v1alpha1.LambdaTestGroupSpec{
			OrganizationRef: v1alpha1.OrganizationReference{Name: DefaultOrganization},
			DisplayName:     displayName,
		},
	}}
}

// Obj returns the resource.
func (b *GroupBuilder) Obj() *v1alpha1.LambdaTestGroup { return b.group }

// Named sets metadata.name.
func (b *GroupBuilder) Named(name string) *GroupBuilder { b.group.Name = name; return b }

// In sets the namespace.
func (b *GroupBuilder) In(namespace string) *GroupBuilder { b.group.Namespace = namespace; return b }

// Of sets the organization.
func (b *GroupBuilder) Of(organization string) *GroupBuilder {
	b.group.Spec.OrganizationRef.Name = organization
	return b
}

// FromSCIM makes it a resource of the SCIM endpoint.
func (b *GroupBuilder) FromSCIM() *GroupBuilder {
	b.group.Name = v1alpha1.SCIMGroupName(b.group.Spec.OrganizationRef.Name, b.group.Spec.DisplayName, 0)
	b.group.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
	return b
}

// Giving sets the roles that members get.
func (b *GroupBuilder) Giving(roles ...v1alpha1.Role) *GroupBuilder {
	b.group.Spec.Roles = roles
	return b
}

// With sets the members.
func (b *GroupBuilder) With(userNames ...string) *GroupBuilder {
	b.group.Spec.Members = userNames
	return b
}

// Orphan sets deletionPolicy: Orphan.
func (b *GroupBuilder) Orphan() *GroupBuilder {
	b.group.Spec.DeletionPolicy = v1alpha1.GroupDeletionOrphan
	return b
}
