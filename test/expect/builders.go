// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package expect

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// DefaultOrganization is the organization that builders refer to.
const DefaultOrganization = "default"

// UserBuilder builds a LambdaTestUser, so that a spec sets only the fields that matter to it.
type UserBuilder struct{ user *v1alpha1.LambdaTestUser }

// MakeUser starts with a declared claim that is named after the address. Only the required fields are set.
func MakeUser(userName string) *UserBuilder {
	local, _, _ := strings.Cut(strings.ToLower(userName), "@")
	return &UserBuilder{&v1alpha1.LambdaTestUser{
		ObjectMeta: metav1.ObjectMeta{Name: local},
		Spec: v1alpha1.LambdaTestUserSpec{
			OrganizationRef: v1alpha1.OrganizationReference{Name: DefaultOrganization},
			UserName:        userName,
			Name:            v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"},
		},
	}}
}

// Obj returns the resource.
func (b *UserBuilder) Obj() *v1alpha1.LambdaTestUser { return b.user }

// Named sets metadata.name.
func (b *UserBuilder) Named(name string) *UserBuilder { b.user.Name = name; return b }

// In sets the namespace.
func (b *UserBuilder) In(namespace string) *UserBuilder { b.user.Namespace = namespace; return b }

// Of sets the organization.
func (b *UserBuilder) Of(organization string) *UserBuilder {
	b.user.Spec.OrganizationRef.Name = organization
	return b
}

// FromSCIM makes it a resource of the SCIM endpoint.
func (b *UserBuilder) FromSCIM() *UserBuilder {
	b.user.Name = v1alpha1.SCIMUserName(b.user.Spec.OrganizationRef.Name, b.user.Spec.UserName)
	b.user.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
	b.user.Finalizers = []string{v1alpha1.Finalizer}
	return b
}

// Active says active: true.
func (b *UserBuilder) Active() *UserBuilder { b.user.Spec.Active = new(true); return b }

// Denied says active: false.
func (b *UserBuilder) Denied() *UserBuilder { b.user.Spec.Active = new(false); return b }

// DeletedAt marks it deleted by the identity provider.
func (b *UserBuilder) DeletedAt(at time.Time) *UserBuilder {
	b.user.Spec.DeletedAt = new(metav1.NewTime(at))
	return b.Denied()
}

// Role sets the role.
func (b *UserBuilder) Role(role v1alpha1.Role) *UserBuilder { b.user.Spec.Role = role; return b }

// ConcurrencyGroup sets the concurrency group.
func (b *UserBuilder) ConcurrencyGroup(name string) *UserBuilder {
	b.user.Spec.ConcurrencyGroup = name
	return b
}

// Observing sets managementPolicy: Observe.
func (b *UserBuilder) Observing() *UserBuilder {
	b.user.Spec.ManagementPolicy = v1alpha1.ManagementObserve
	return b
}

// Orphan sets deletionPolicy: Orphan.
func (b *UserBuilder) Orphan() *UserBuilder {
	b.user.Spec.DeletionPolicy = v1alpha1.DeletionOrphan
	return b
}

// Finalized adds a foreign finalizer, which keeps the resource visible while it is being deleted.
func (b *UserBuilder) Finalized(finalizer string) *UserBuilder {
	b.user.Finalizers = append(b.user.Finalizers, finalizer)
	return b
}

// OrganizationBuilder builds a LambdaTestOrganization.
type OrganizationBuilder struct {
	organization *v1alpha1.LambdaTestOrganization
}

// MakeOrganization starts with an organization that reads its token from the key "token" of the Secret "lambdatest-<name>". Its rate limit
// is so high that it does not slow specs down.
func MakeOrganization(name string) *OrganizationBuilder {
	return &OrganizationBuilder{&v1alpha1.LambdaTestOrganization{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.LambdaTestOrganizationSpec{
			TokenSecretRef: v1alpha1.SecretKeyReference{Name: "lambdatest-" + name, Key: v1alpha1.DefaultTokenKey},
			RateLimit:      v1alpha1.RateLimit{RequestsPerSecond: 1000, Burst: 1000},
		},
	}}
}

// Obj returns the resource.
func (b *OrganizationBuilder) Obj() *v1alpha1.LambdaTestOrganization { return b.organization }

// In sets the namespace.
func (b *OrganizationBuilder) In(namespace string) *OrganizationBuilder {
	b.organization.Namespace = namespace
	return b
}

// At sets the address of LambdaTest's API.
func (b *OrganizationBuilder) At(baseURL string) *OrganizationBuilder {
	b.organization.Spec.BaseURL = baseURL
	return b
}

// Limited sets the rate limit.
func (b *OrganizationBuilder) Limited(perSecond, burst int32) *OrganizationBuilder {
	b.organization.Spec.RateLimit = v1alpha1.RateLimit{RequestsPerSecond: perSecond, Burst: burst}
	return b
}

// Every sets the sync interval.
func (b *OrganizationBuilder) Every(interval time.Duration) *OrganizationBuilder {
	b.organization.Spec.SyncInterval = metav1.Duration{Duration: interval}
	return b
}

// ReportingDrift sets driftPolicy: Report.
func (b *OrganizationBuilder) ReportingDrift() *OrganizationBuilder {
	b.organization.Spec.DriftPolicy = v1alpha1.DriftReport
	return b
}

// Suspended sets suspend.
func (b *OrganizationBuilder) Suspended() *OrganizationBuilder {
	b.organization.Spec.Suspend = true
	return b
}

// MakeSecret returns a Secret with one key, "token".
func MakeSecret(namespace, name, token string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Data:       map[string][]byte{v1alpha1.DefaultTokenKey: []byte(token)},
	}
}
