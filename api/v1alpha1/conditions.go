// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types. Ready, Reconciling and Stalled follow kstatus: Reconciling and Stalled are present only while true.
const (
	// ReadyCondition is true when LambdaTest and the resource agree.
	ReadyCondition = "Ready"
	// ReconcilingCondition is true while the operator is still working towards Ready by itself.
	ReconcilingCondition = "Reconciling"
	// StalledCondition is true when nothing will change until a person acts; its message says how.
	StalledCondition = "Stalled"
	// SCIMTokenWarningCondition of an organization is present and true while a SCIM token is ignored, shared with another
	// organization, expired or about to expire.
	SCIMTokenWarningCondition = "SCIMTokenWarning"
	// GuardHoldingCondition of an organization is present and true while the deprovision guard holds people back.
	GuardHoldingCondition = "GuardHolding"
	// PeopleRefusedCondition of an organization is present and true while LambdaTest refuses something of what is wanted for people.
	PeopleRefusedCondition = "PeopleRefused"
)

// Condition reasons: states a person recognises. Each appears with a message that says what to do next.
const (
	// SyncedReason: LambdaTest has what is wanted.
	SyncedReason = "Synced"
	// ProgressingReason: work is under way and will go on by itself.
	ProgressingReason = "Progressing"
	// OrganizationNotFoundReason: there is no LambdaTestOrganization of that name in the namespace.
	OrganizationNotFoundReason = "OrganizationNotFound"
	// OrganizationNotReadyReason: the organization has no usable connection; its own conditions say why.
	OrganizationNotReadyReason = "OrganizationNotReady"
	// SecretNotFoundReason: a Secret, or the key in it, that an organization refers to is missing.
	SecretNotFoundReason = "SecretNotFound"
	// InvalidBaseURLReason: the organization's baseURL is not among the hosts that the operator may call, or something other than
	// LambdaTest's SCIM API answers there.
	InvalidBaseURLReason = "InvalidBaseURL"
	// UnauthorizedReason: LambdaTest refuses the token; calls stop until the Secret changes.
	UnauthorizedReason = "Unauthorized"
	// RateLimitedReason: LambdaTest asks to slow down; the call is repeated by itself.
	RateLimitedReason = "RateLimited"
	// UpstreamUnavailableReason: LambdaTest cannot be reached, or answers with errors or nonsense; repeated by itself.
	UpstreamUnavailableReason = "UpstreamUnavailable"
	// UpstreamRejectedReason: LambdaTest refuses what was asked; a change of the resource is needed.
	UpstreamRejectedReason = "UpstreamRejected"
	// DuplicateUserNameReason: an older declared resource is about the same person; this one contributes only a denial.
	DuplicateUserNameReason = "DuplicateUserName"
	// OwnedByAnotherOrganizationReason: LambdaTest says that the address belongs to another organization.
	OwnedByAnotherOrganizationReason = "OwnedByAnotherOrganization"
	// ConcurrencyGroupNotFoundReason: LambdaTest does not know the concurrency group.
	ConcurrencyGroupNotFoundReason = "ConcurrencyGroupNotFound"
	// GroupProvisioningDisabledReason: group provisioning is switched off for the organization at LambdaTest.
	GroupProvisioningDisabledReason = "GroupProvisioningDisabled"
	// DeprovisionHeldReason: the guard holds a deactivation that nobody asked for explicitly.
	DeprovisionHeldReason = "DeprovisionHeld"
	// DemotionHeldReason: the guard holds the loss of a role that nobody asked for explicitly.
	DemotionHeldReason = "DemotionHeld"
	// ActivationHeldReason: the guard holds an activation that would follow from the deletion of a resource that denies.
	ActivationHeldReason = "ActivationHeld"
	// DeniedByAnotherClaimReason: this claim says active, another denies, and a denial wins.
	DeniedByAnotherClaimReason = "DeniedByAnotherClaim"
	// DeniedButActiveReason: the person is denied, and LambdaTest could not be told yet.
	DeniedButActiveReason = "DeniedButActive"
	// DuplicateDisplayNameReason: another resource of the same displayName is carried out instead.
	DuplicateDisplayNameReason = "DuplicateDisplayName"
	// DuplicateOrganizationReason: an older organization uses the same token or the same accounts.
	DuplicateOrganizationReason = "DuplicateOrganization"
	// OrganizationChangedReason: too many known accounts are gone at once, as after the token of another organization.
	OrganizationChangedReason = "OrganizationChanged"
	// DriftedReason: LambdaTest differs, and the organization's driftPolicy says to report it only.
	DriftedReason = "Drifted"
	// ObservedReason: the resource only observes; status.plannedChanges says what it would change.
	ObservedReason = "Observed"
	// SuspendedReason: the organization is suspended; no calls are made.
	SuspendedReason = "Suspended"
	// TokenConflictReason: an older organization already accepts one of this organization's SCIM tokens.
	TokenConflictReason = "TokenConflict"
	// TokenIgnoredReason: a SCIM token is too short, malformed, expired or equal to the LambdaTest token, and is not accepted.
	TokenIgnoredReason = "TokenIgnored"
	// TokenExpiringReason: a SCIM token is about to expire.
	TokenExpiringReason = "TokenExpiring"
	// PeopleRemainReason: an organization being deleted waits for the resources that still need it.
	PeopleRemainReason = "PeopleRemain"
)
