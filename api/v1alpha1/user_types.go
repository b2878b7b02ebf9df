// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ManagementPolicy says whether a claim is carried out.
//
// +kubebuilder:validation:Enum=Full;Observe
type ManagementPolicy string

// The management policies.
const (
	// ManagementFull claims are carried out.
	ManagementFull ManagementPolicy = "Full"
	// ManagementObserve claims are not carried out: status says what they would change.
	ManagementObserve ManagementPolicy = "Observe"
)

// UserDeletionPolicy says what happens to the account when the last claim about its person is deleted.
//
// +kubebuilder:validation:Enum=Deactivate;Orphan
type UserDeletionPolicy string

// The deletion policies of a user.
const (
	// DeletionDeactivate deactivates the account.
	DeletionDeactivate UserDeletionPolicy = "Deactivate"
	// DeletionOrphan makes no call and leaves the account unchanged.
	DeletionOrphan UserDeletionPolicy = "Orphan"
)

// PersonName is the name of a person.
//
// +structType=atomic
type PersonName struct {
	// givenName is the first name, 1 to 256 characters.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="!self.matches('[^\\\\P{C}\\\\x{200c}\\\\x{200d}]')",message="givenName must not hold control or formatting characters"
	// +required
	GivenName string `json:"givenName"`

	// familyName is the last name, 1 to 256 characters.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="!self.matches('[^\\\\P{C}\\\\x{200c}\\\\x{200d}]')",message="familyName must not hold control or formatting characters"
	// +required
	FamilyName string `json:"familyName"`
}

// Email is one address of a person (RFC 7643, section 4.1.2).
type Email struct {
	// value is the address.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=320
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\p{C}\\\\p{Zl}\\\\p{Zp}]')",message="value must not hold control or formatting characters"
	// +required
	Value string `json:"value"`

	// type is a label such as "work" or "home".
	//
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\p{C}\\\\p{Zl}\\\\p{Zp}]')",message="type must not hold control or formatting characters"
	// +optional
	Type string `json:"type,omitempty"`

	// primary marks the preferred address; at most one address should be primary.
	//
	// +optional
	Primary bool `json:"primary,omitempty"`

	// display is a readable form of the address.
	//
	// +kubebuilder:validation:MaxLength=320
	// +kubebuilder:validation:XValidation:rule="!self.matches('[^\\\\P{C}\\\\x{200c}\\\\x{200d}]')",message="display must not hold control or formatting characters"
	// +optional
	Display string `json:"display,omitempty"`
}

// LambdaTestUserSpec is what one party says about one person.
//
// +kubebuilder:validation:XValidation:rule="!has(self.deletedAt) || (has(self.active) && !self.active)",message="deletedAt marks a denial: it needs active: false"
// +kubebuilder:validation:XValidation:rule="has(self.name) || (has(self.active) && !self.active)",message="name is required unless active is false: LambdaTest needs it for a new account"
type LambdaTestUserSpec struct {
	// organizationRef names the LambdaTestOrganization, in the same namespace, that the person belongs to. Immutable.
	//
	// +kubebuilder:default={name: "default"}
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="organizationRef is immutable: delete this resource and create one that names the other organization"
	// +optional
	OrganizationRef OrganizationReference `json:"organizationRef,omitzero"`

	// userName is the person's e-mail address at LambdaTest, 1 to 254 characters. Two userNames that differ only in case are the same
	// person. Immutable, because LambdaTest cannot rename an account.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="userName is immutable, LambdaTest cannot rename an account: create a new resource with the new userName first, then delete this one"
	// +kubebuilder:validation:XValidation:rule="self.trim() == self && !self.matches('[\\\\p{C}\\\\p{Zl}\\\\p{Zp}]')",message="userName must not begin or end with white space, nor hold control or formatting characters"
	// +required
	UserName string `json:"userName"`

	// name is the person's name for a new account. The operator cannot change it at LambdaTest afterwards; the person can, in the account
	// settings. Required unless active is false.
	//
	// +optional
	Name PersonName `json:"name,omitzero"`

	// role is the person's role in the organization: Admin, User or Guest. If unset, a new account starts as User and an existing account
	// keeps its role. A role from a group takes precedence.
	//
	// +optional
	Role Role `json:"role,omitempty"`

	// active says whether the person may sign in; default true. False is a denial: a denial by any claim about the person wins over all
	// other claims.
	//
	// +optional
	Active *bool `json:"active,omitempty"`

	// concurrencyGroup is the name of an existing LambdaTest concurrency group (LambdatestGroup at LambdaTest), 1 to 256 characters. If
	// unset, the operator does not change it.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\p{C}\\\\p{Zl}\\\\p{Zp}]')",message="concurrencyGroup must not hold control or formatting characters"
	// +optional
	ConcurrencyGroup string `json:"concurrencyGroup,omitempty"`

	// externalId is the identity provider's own id of the person, at most 256 characters. It is not sent to LambdaTest.
	//
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\p{C}\\\\p{Zl}\\\\p{Zp}]')",message="externalId must not hold control or formatting characters"
	// +optional
	ExternalID string `json:"externalId,omitempty"`

	// displayName is the name to show, at most 256 characters. It is not sent to LambdaTest.
	//
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="!self.matches('[^\\\\P{C}\\\\x{200c}\\\\x{200d}]')",message="displayName must not hold control or formatting characters"
	// +optional
	DisplayName string `json:"displayName,omitempty"`

	// emails are the person's addresses, at most 10, whose texts take at most 4096 bytes in all. They are not sent to LambdaTest. If
	// unset, the SCIM endpoint shows the userName as primary work address; with an empty list it shows none.
	//
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:XValidation:rule="self.map(e, size(bytes(e.value)) + (has(e.type) ? size(bytes(e.type)) : 0) + (has(e.display) ? size(bytes(e.display)) : 0)).sum() <= 4096",message="emails must take at most 4096 bytes in all"
	// +listType=atomic
	// +optional
	Emails []Email `json:"emails,omitzero"`

	// managementPolicy says whether the resource is carried out: Full, the default, or Observe. With Observe, status says what would
	// change, but the resource neither denies the person nor keeps the account active, and its deletion makes no call.
	//
	// +kubebuilder:default=Full
	// +optional
	ManagementPolicy ManagementPolicy `json:"managementPolicy,omitempty"`

	// deletedAt is when the identity provider deleted the person. Only the SCIM endpoint sets it. The resource then stays as a denial for
	// 30 days (a flag of the operator changes this) and is hidden from the provider.
	//
	// +optional
	DeletedAt *metav1.Time `json:"deletedAt,omitempty"`

	// deletionPolicy says what happens to the account when the last resource about the person is deleted: Deactivate, the default, or
	// Orphan, which leaves the account unchanged and needs no credentials.
	//
	// +kubebuilder:default=Deactivate
	// +optional
	DeletionPolicy UserDeletionPolicy `json:"deletionPolicy,omitempty"`
}

// AccountState is an account as LambdaTest last reported it.
type AccountState struct {
	// active says whether the person may sign in.
	//
	// +required
	Active bool `json:"active"`

	// role is the role of the account, one of the three or a custom one. While LambdaTest does not show it, it is the last role that
	// LambdaTest showed or that the operator sent.
	//
	// +optional
	Role string `json:"role,omitempty"`

	// concurrencyGroup is the concurrency group of the account: the last one that LambdaTest showed or that the operator sent. According to
	// its documents, LambdaTest shows it only when it creates the account.
	//
	// +optional
	ConcurrencyGroup string `json:"concurrencyGroup,omitempty"`

	// givenName is the first name of the account.
	//
	// +optional
	GivenName string `json:"givenName,omitempty"`

	// familyName is the last name of the account.
	//
	// +optional
	FamilyName string `json:"familyName,omitempty"`
}

// EffectiveState is the desired state of a person after all claims are merged, and the resource that decided each part, as
// "LambdaTestUser/<name>" or "LambdaTestGroup/<name>". A part that no resource decides is absent.
type EffectiveState struct {
	// active says whether the person should be able to sign in.
	//
	// +required
	Active bool `json:"active"`

	// activeFrom names the claim that denies the person; absent when none does.
	//
	// +optional
	ActiveFrom string `json:"activeFrom,omitempty"`

	// role is the role that the person should have; absent while no resource sets one.
	//
	// +optional
	Role Role `json:"role,omitempty"`

	// roleFrom names the claim or the group that decides the role.
	//
	// +optional
	RoleFrom string `json:"roleFrom,omitempty"`

	// concurrencyGroup is the group that the person should be in; absent while no resource sets one.
	//
	// +optional
	ConcurrencyGroup string `json:"concurrencyGroup,omitempty"`

	// concurrencyGroupFrom names the claim that decides the concurrency group.
	//
	// +optional
	ConcurrencyGroupFrom string `json:"concurrencyGroupFrom,omitempty"`
}

// PlannedChange is one difference that is shown but not carried out.
type PlannedChange struct {
	// attribute is the attribute that would change: account, active, role or concurrencyGroup.
	//
	// +required
	Attribute string `json:"attribute"`

	// from is the value at LambdaTest; absent when there is none.
	//
	// +optional
	From string `json:"from,omitempty"`

	// to is the value that would be set; absent when the value would be removed.
	//
	// +optional
	To string `json:"to,omitempty"`
}

// LambdaTestUserStatus is what the operator has observed and done. It is written only when it changes.
//
// +structType=atomic
type LambdaTestUserStatus struct {
	// observedGeneration is the metadata.generation that the conditions describe; -1 before the first reconcile.
	//
	// +kubebuilder:default=-1
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation iam.lambdatest.io/reconcile-requested-at that the operator handled.
	//
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// accountID is the id of the account at LambdaTest, a decimal number.
	//
	// +optional
	AccountID string `json:"accountID,omitempty"`

	// account is the account as LambdaTest last reported it; absent while there is none.
	//
	// +optional
	Account *AccountState `json:"account,omitempty"`

	// effective is the desired state of the person, merged from all resources about them, and the resource that decided each part.
	//
	// +optional
	Effective *EffectiveState `json:"effective,omitempty"`

	// deniedAt is since when this resource has said `active: false`. The operator writes it once: for a resource of the SCIM endpoint the time of
	// the request, for a declared resource the time of its creation, or the time at which the operator saw the change. It is absent, like
	// offAt, while the resource does not say so.
	//
	// +optional
	DeniedAt *metav1.Time `json:"deniedAt,omitempty"`

	// offAt is when the operator first knew, after deniedAt, that the person has no active account: from LambdaTest's answer to the
	// deactivation, or from a read. It is absent while the person can sign in, or may be able to. If the account was off before, it is
	// deniedAt.
	//
	// +optional
	OffAt *metav1.Time `json:"offAt,omitempty"`

	// plannedChanges are the differences that are not carried out because of managementPolicy: Observe, driftPolicy: Report, a suspended
	// organization or the deprovision guard.
	//
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	PlannedChanges []PlannedChange `json:"plannedChanges,omitempty"`

	// conditions are Ready, and Reconciling or Stalled while they are true.
	//
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// LambdaTestUser is one party's claim about one person: what Git, kubectl or an identity provider says about the person's role and
// access in a LambdaTest organization. Several claims may be about the same person: the operator merges them, a denial wins, and the
// operator changes the account at LambdaTest to agree.
//
// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ltuser,categories=lambdatest
// +kubebuilder:selectablefield:JSONPath=`.spec.userName`
// +kubebuilder:selectablefield:JSONPath=`.spec.organizationRef.name`
// +kubebuilder:selectablefield:JSONPath=`.spec.role`
// +kubebuilder:selectablefield:JSONPath=`.spec.active`
// +kubebuilder:printcolumn:name="Username",type=string,JSONPath=`.spec.userName`
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.status.account.role`,description="Role in force at LambdaTest"
// +kubebuilder:printcolumn:name="Active",type=boolean,JSONPath=`.status.account.active`,description="Whether LambdaTest lets the person sign in"
// +kubebuilder:printcolumn:name="Source",type=string,JSONPath=`.metadata.labels.iam\.lambdatest\.io/source`,description="scim or import; empty for declared resources"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Organization",type=string,JSONPath=`.spec.organizationRef.name`,priority=1
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.status.accountID`,priority=1
// +kubebuilder:printcolumn:name="Denied By",type=string,JSONPath=`.status.effective.activeFrom`,description="The resource that denies the person",priority=1
// +kubebuilder:printcolumn:name="Role By",type=string,JSONPath=`.status.effective.roleFrom`,description="The resource that decides the role",priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:validation:XValidation:rule="!has(self.spec.deletedAt) || self.metadata.name.startsWith('scim-')",message="spec.deletedAt is set by the SCIM endpoint only: to deny a person, set spec.active: false"
type LambdaTestUser struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what this party says about the person.
	//
	// +required
	Spec LambdaTestUserSpec `json:"spec"`

	// status is what the operator has observed and done.
	//
	// +kubebuilder:default={}
	// +optional
	Status LambdaTestUserStatus `json:"status,omitzero"`
}

// IsDenial reports whether the claim says that the person must not be active.
func (u *LambdaTestUser) IsDenial() bool { return u.Spec.Active != nil && !*u.Spec.Active }

// IsMarkedDeleted reports whether the identity provider deleted the person: the claim still denies, and SCIM no longer shows it.
func (u *LambdaTestUser) IsMarkedDeleted() bool { return u.Spec.DeletedAt != nil }

// GetConditions returns the conditions of the status.
func (u *LambdaTestUser) GetConditions() []metav1.Condition { return u.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (u *LambdaTestUser) SetConditions(conditions []metav1.Condition) {
	u.Status.Conditions = conditions
}

// LambdaTestUserList is a list of LambdaTestUsers.
//
// +kubebuilder:object:root=true
type LambdaTestUserList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LambdaTestUser `json:"items"`
}
