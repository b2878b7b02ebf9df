// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// GroupDeletionPolicy says what happens to the LambdaTest group when the resource is deleted.
//
// +kubebuilder:validation:Enum=Delete;Orphan
type GroupDeletionPolicy string

// The deletion policies of a group.
const (
	// GroupDeletionDelete deletes the group at LambdaTest, which then recomputes the roles of its members.
	GroupDeletionDelete GroupDeletionPolicy = "Delete"
	// GroupDeletionOrphan makes no call and leaves the LambdaTest group unchanged.
	GroupDeletionOrphan GroupDeletionPolicy = "Orphan"
)

// LambdaTestGroupSpec is what one party says about one group.
type LambdaTestGroupSpec struct {
	// organizationRef names the LambdaTestOrganization, in the same namespace, that the group belongs to. Immutable.
	//
	// +kubebuilder:default={name: "default"}
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="organizationRef is immutable: delete this resource and create one that names the other organization"
	// +optional
	OrganizationRef OrganizationReference `json:"organizationRef,omitzero"`

	// displayName is the group's name at LambdaTest: 1 to 256 characters, unique in the organization without regard to case. When it
	// changes, the group is renamed.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.trim() == self && !self.matches('[\\\\p{C}\\\\p{Zl}\\\\p{Zp}]')",message="displayName must not begin or end with white space, nor hold control or formatting characters"
	// +required
	DisplayName string `json:"displayName"`

	// roles are the roles that the group gives its members (LambdatestRoles at LambdaTest). A person in several groups gets the highest
	// role: Admin, then User, then Guest.
	//
	// +kubebuilder:validation:MaxItems=3
	// +listType=set
	// +optional
	Roles []Role `json:"roles,omitempty"`

	// members are the userNames of the people in the group, at most 25000. Membership creates no account: members without an account are
	// listed in status.pendingMembers, and are added once they have one.
	//
	// +kubebuilder:validation:MaxItems=25000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=254
	// +kubebuilder:validation:items:Pattern=`^[^\p{C}\p{Zl}\p{Zp}]*$`
	// +listType=atomic
	// +optional
	Members []string `json:"members,omitempty"`

	// externalId is the identity provider's own id of the group, at most 256 characters. It is not sent to LambdaTest.
	//
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\p{C}\\\\p{Zl}\\\\p{Zp}]')",message="externalId must not hold control or formatting characters"
	// +optional
	ExternalID string `json:"externalId,omitempty"`

	// deletionPolicy says what happens to the LambdaTest group when this resource is deleted: Delete, the default, or Orphan, which
	// leaves it unchanged.
	//
	// +kubebuilder:default=Delete
	// +optional
	DeletionPolicy GroupDeletionPolicy `json:"deletionPolicy,omitempty"`
}

// LambdaTestGroupStatus is what the operator has observed and done. It is written only when it changes.
//
// +structType=atomic
type LambdaTestGroupStatus struct {
	// observedGeneration is the metadata.generation that the conditions describe; -1 before the first reconcile.
	//
	// +kubebuilder:default=-1
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation iam.lambdatest.io/reconcile-requested-at that the operator handled.
	//
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// groupID is the id of the group at LambdaTest.
	//
	// +optional
	GroupID string `json:"groupID,omitempty"`

	// displayName is the group's name as LambdaTest last reported it.
	//
	// +optional
	DisplayName string `json:"displayName,omitempty"`

	// members is the number of members that the group has at LambdaTest.
	//
	// +optional
	Members *int32 `json:"members,omitempty"`

	// pendingMembers are the userNames of members who have no account yet: the first 100. They are added once they have one.
	//
	// +kubebuilder:validation:MaxItems=100
	// +listType=atomic
	// +optional
	PendingMembers []string `json:"pendingMembers,omitempty"`

	// pendingMemberCount is the number of all members who have no account yet.
	//
	// +optional
	PendingMemberCount int32 `json:"pendingMemberCount,omitempty"`

	// heldMembers are the userNames of the members who would lose a role if the deprovision guard did not hold the change: the first 100.
	//
	// +kubebuilder:validation:MaxItems=100
	// +listType=atomic
	// +optional
	HeldMembers []string `json:"heldMembers,omitempty"`

	// conditions are Ready, and Reconciling or Stalled while they are true.
	//
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// LambdaTestGroup is a group of people in a LambdaTest organization, and the roles that it gives them. A group is not a claim about its
// members: it creates no account and keeps no account active.
//
// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ltgroup,categories=lambdatest
// +kubebuilder:selectablefield:JSONPath=`.spec.displayName`
// +kubebuilder:selectablefield:JSONPath=`.spec.organizationRef.name`
// +kubebuilder:printcolumn:name="Display Name",type=string,JSONPath=`.spec.displayName`
// +kubebuilder:printcolumn:name="Roles",type=string,JSONPath=`.spec.roles`
// +kubebuilder:printcolumn:name="Members",type=integer,JSONPath=`.status.members`,description="Members that LambdaTest has"
// +kubebuilder:printcolumn:name="Source",type=string,JSONPath=`.metadata.labels.iam\.lambdatest\.io/source`,description="scim; empty for declared resources"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Organization",type=string,JSONPath=`.spec.organizationRef.name`,priority=1
// +kubebuilder:printcolumn:name="Group",type=string,JSONPath=`.status.groupID`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
type LambdaTestGroup struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what this party says about the group.
	//
	// +required
	Spec LambdaTestGroupSpec `json:"spec"`

	// status is what the operator has observed and done.
	//
	// +kubebuilder:default={}
	// +optional
	Status LambdaTestGroupStatus `json:"status,omitzero"`
}

// HasMembersLeftOut reports whether this copy of the group, from the operator's cache, lacks the members: nothing may be decided by it. The
// cache leaves a long list out until the operator has found the organization of the group.
func (g *LambdaTestGroup) HasMembersLeftOut() bool {
	_, leftOut := g.Annotations[MembersLeftOutAnnotation]
	return leftOut && len(g.Spec.Members) == 0
}

// GetConditions returns the conditions of the status.
func (g *LambdaTestGroup) GetConditions() []metav1.Condition { return g.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (g *LambdaTestGroup) SetConditions(conditions []metav1.Condition) {
	g.Status.Conditions = conditions
}

// LambdaTestGroupList is a list of LambdaTestGroups.
//
// +kubebuilder:object:root=true
type LambdaTestGroupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LambdaTestGroup `json:"items"`
}
