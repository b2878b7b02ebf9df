// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types. Ready, Reconciling and Stalled follow kstatus: Reconciling and Stalled are present only while true.
const (
	// ReadyCondition is true when LambdaTest and the resource agree.
	ReadyCondition = "Ready"
	// ReconcilingCondition is true while the operator is still working towards Ready by itself.
	ReconcilingCondition = "Reconciling"
	// StalledCondition is true when a person must act before anything can change; its message says what to do.
	StalledCondition = "Stalled"
	// SCIMTokenWarningCondition of an organization is present and true while a SCIM token is ignored, shared with another
	// organization, expired or about to expire.
	SCIMTokenWarningCondition = "SCIMTokenWarning"
	// SCIMPausedCondition of an organization is present and true while spec.scim.paused is.
	SCIMPausedCondition = "SCIMPaused"
	// GuardHoldingCondition of an organization is present and true while the deprovision guard holds people back.
	GuardHoldingCondition = "GuardHolding"
	// PeopleRefusedCondition of an organization is present and true while LambdaTest refuses a change that is wanted for a person.
	PeopleRefusedCondition = "PeopleRefused"
	// ListUnreliableCondition of an organization is present and true while LambdaTest's list of users does not show all of them.
	ListUnreliableCondition = "ListUnreliable"
	// AccountsSetAsideCondition of an organization is present and true while LambdaTest has several accounts for one person, which differ only
	// in the case of their userNames. None of them is changed, except that a denial deactivates them.
	AccountsSetAsideCondition = "AccountsSetAside"
	// PeopleDeniedButActiveCondition of an organization is present and true while a person has been denied for longer than a minute and is
	// still active at LambdaTest.
	PeopleDeniedButActiveCondition = "PeopleDeniedButActive"
	// NoActiveAdminCondition of an organization is present and true while LambdaTest has no active Admin in it.
	NoActiveAdminCondition = "NoActiveAdmin"
)

// Condition reasons. Each appears with a message that says what to do next.
const (
	// SyncedReason: LambdaTest has what is wanted.
	SyncedReason = "Synced"
	// ProgressingReason: work is under way; the operator continues by itself.
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
	// RateLimitedReason: LambdaTest asks to slow down; the operator repeats the call later.
	RateLimitedReason = "RateLimited"
	// UpstreamUnavailableReason: LambdaTest cannot be reached, or its answer is an error or not valid SCIM; the operator repeats the call later.
	UpstreamUnavailableReason = "UpstreamUnavailable"
	// UpstreamRejectedReason: LambdaTest refuses the request; the resource must be changed.
	UpstreamRejectedReason = "UpstreamRejected"
	// DuplicateUserNameReason: an older declared resource is about the same person; this one contributes only a denial.
	DuplicateUserNameReason = "DuplicateUserName"
	// OwnedByAnotherOrganizationReason: LambdaTest says that the address belongs to another organization.
	OwnedByAnotherOrganizationReason = "OwnedByAnotherOrganization"
	// AccountMovedReason: the person had an account in this organization, and LambdaTest says now that it belongs to another organization or
	// sub-organization.
	AccountMovedReason = "AccountMoved"
	// ConcurrencyGroupNotFoundReason: LambdaTest does not know the concurrency group.
	ConcurrencyGroupNotFoundReason = "ConcurrencyGroupNotFound"
	// GroupProvisioningDisabledReason: group provisioning is switched off for the organization at LambdaTest.
	GroupProvisioningDisabledReason = "GroupProvisioningDisabled"
	// DeprovisionHeldReason: the guard holds a deactivation that no resource asks for explicitly.
	DeprovisionHeldReason = "DeprovisionHeld"
	// DemotionHeldReason: the guard holds the loss of a role that no resource asks for explicitly.
	DemotionHeldReason = "DemotionHeld"
	// ActivationHeldReason: a resource that denied the person was deleted, and the guard holds the activation that would follow.
	ActivationHeldReason = "ActivationHeld"
	// DeniedByAnotherClaimReason: this claim says active, but another claim denies the person, and a denial wins.
	DeniedByAnotherClaimReason = "DeniedByAnotherClaim"
	// DeniedButActiveReason: the person is denied and can still sign in at LambdaTest, or it is not known that they cannot. The message says
	// since when, why, and what to do by hand. Of an organization: such people are counted in status.pendingDenials.
	DeniedButActiveReason = "DeniedButActive"
	// DuplicateDisplayNameReason: another resource has the same displayName, and that one is in force.
	DuplicateDisplayNameReason = "DuplicateDisplayName"
	// DuplicateOrganizationReason: an older organization uses the same token or the same accounts.
	DuplicateOrganizationReason = "DuplicateOrganization"
	// OrganizationChangedReason: too many known accounts are missing at once; perhaps the token belongs to another organization.
	OrganizationChangedReason = "OrganizationChanged"
	// DriftedReason: the account differs at LambdaTest, and the organization's driftPolicy is Report.
	DriftedReason = "Drifted"
	// SetBackReason: LambdaTest sets back a role or a concurrency group each time after the operator has set it; status.plannedChanges says
	// which.
	SetBackReason = "SetBack"
	// ObservedReason: the resource only observes; status.plannedChanges says what it would change.
	ObservedReason = "Observed"
	// SuspendedReason: the organization is suspended; no calls are made.
	SuspendedReason = "Suspended"
	// AmbiguousAccountReason: LambdaTest has several accounts for the person, or answers with the account of another spelling of the userName.
	AmbiguousAccountReason = "AmbiguousAccount"
	// RoleAboveMaximumReason: the account or group has a higher role at LambdaTest than the organization's spec.scim.maxRole, so the identity
	// provider does not change it.
	RoleAboveMaximumReason = "RoleAboveMaximum"
	// PausedReason: spec.scim.paused is true, and the SCIM endpoint takes nothing but denials.
	PausedReason = "Paused"
	// TokenConflictReason: another organization has one of this organization's SCIM tokens, so it is accepted for neither.
	TokenConflictReason = "TokenConflict"
	// TokenIgnoredReason: a SCIM token is too short, malformed, expired or equal to the LambdaTest token, and is not accepted.
	TokenIgnoredReason = "TokenIgnored"
	// TokenExpiringReason: a SCIM token is about to expire.
	TokenExpiringReason = "TokenExpiring"
	// ReadOneByOneReason: LambdaTest's list of users does not show all of them, so the operator reads those one by one that it does not show.
	ReadOneByOneReason = "ReadOneByOne"
	// NoActiveAdminReason: no account of the organization is Admin and active, so that no person can manage the organization at LambdaTest.
	NoActiveAdminReason = "NoActiveAdmin"
	// PeopleRemainReason: an organization being deleted waits for the resources that still need it.
	PeopleRemainReason = "PeopleRemain"
)
