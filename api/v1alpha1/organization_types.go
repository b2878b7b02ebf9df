// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DefaultBaseURL is the URL of LambdaTest's SCIM API.
const DefaultBaseURL = "https://auth.lambdatest.com/api/scim"

// UserNamePolicy says which userNames an identity provider may send.
//
// +kubebuilder:validation:Enum=Email;Any
type UserNamePolicy string

// The userName policies.
const (
	// UserNameEmail accepts e-mail addresses, which is what LambdaTest accepts.
	UserNameEmail UserNamePolicy = "Email"
	// UserNameAny accepts every userName; LambdaTest decides whether it accepts it.
	UserNameAny UserNamePolicy = "Any"
)

// DriftPolicy says what the operator does when an account was changed at LambdaTest.
//
// +kubebuilder:validation:Enum=Correct;Report
type DriftPolicy string

// The drift policies.
const (
	// DriftCorrect sets the account back to the desired state.
	DriftCorrect DriftPolicy = "Correct"
	// DriftReport shows the difference in status and makes no call. Denials are still carried out.
	DriftReport DriftPolicy = "Report"
)

// GroupMode says what the operator does with LambdaTestGroups.
//
// +kubebuilder:validation:Enum=Provision;RolesOnly
type GroupMode string

// The group modes.
const (
	// GroupProvision pushes groups and their members to LambdaTest.
	GroupProvision GroupMode = "Provision"
	// GroupRolesOnly takes roles from groups, and pushes no group to LambdaTest.
	GroupRolesOnly GroupMode = "RolesOnly"
)

// ImportPolicy says what the operator does with accounts that no resource claims.
//
// +kubebuilder:validation:Enum=None;Observe
type ImportPolicy string

// The import policies.
const (
	// ImportNone only counts such accounts.
	ImportNone ImportPolicy = "None"
	// ImportObserve creates a LambdaTestUser that only observes for each of them.
	ImportObserve ImportPolicy = "Observe"
)

// SecretKeyReference names one key of a Secret in the same namespace.
type SecretKeyReference struct {
	// name is the name of the Secret, in the namespace of this resource.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\p{C}\\\\p{Zl}\\\\p{Zp}]')",message="name must not hold control or formatting characters"
	// +required
	Name string `json:"name"`

	// key is the key in the Secret whose value is the token; default "token". White space around the value is ignored.
	//
	// +kubebuilder:default=token
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\p{C}\\\\p{Zl}\\\\p{Zp}]')",message="key must not hold control or formatting characters"
	// +optional
	Key string `json:"key,omitempty"`
}

// SecretReference names a Secret in the same namespace.
type SecretReference struct {
	// name is the name of the Secret, in the namespace of this resource.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\p{C}\\\\p{Zl}\\\\p{Zp}]')",message="name must not hold control or formatting characters"
	// +required
	Name string `json:"name"`
}

// SCIMSettings are the settings for the identity provider that uses the SCIM endpoint of this organization.
type SCIMSettings struct {
	// tokenSecretRef names the Secret with the tokens that identity providers present. Every key is one token. To rotate: add a key,
	// switch the provider, remove the old key. A value is the token itself, or "bound-sha256:" and the hex SHA-256 digest of
	// "<namespace>/<organization>/<token>", which opens this organization only. Tokens shorter than 32 bytes are ignored, and a token that
	// another organization has too is accepted for neither; the condition SCIMTokenWarning says so. If unset, the operator creates the Secret <organization>-scim-token with
	// one token.
	//
	// +optional
	TokenSecretRef *SecretReference `json:"tokenSecretRef,omitempty"`

	// userNamePolicy says which userNames a provider may send: Email, the default, accepts e-mail addresses; Any accepts everything and
	// lets LambdaTest decide.
	//
	// +kubebuilder:default=Email
	// +optional
	UserNamePolicy UserNamePolicy `json:"userNamePolicy,omitempty"`

	// maxRole is the highest role that a provider may give: Admin, the default, User or Guest. A request for a higher role is refused, and a
	// new person without a role gets User or, if that is lower, maxRole. An account or group at LambdaTest that has a higher role is not
	// activated, lowered or taken over for the provider (reason RoleAboveMaximum); a denial is carried out.
	//
	// +kubebuilder:default=Admin
	// +optional
	MaxRole Role `json:"maxRole,omitempty"`

	// limits bound what the SCIM endpoint stores for this organization.
	//
	// +kubebuilder:default={}
	// +optional
	Limits SCIMLimits `json:"limits,omitzero"`

	// paused lets the endpoint answer 503 to every write of the provider that is not a denial; default false. It carries out denials
	// (`active: false` and DELETE of a user) and answers reads, because providers read a user before they deny. The provider repeats
	// the other writes later.
	//
	// +optional
	Paused bool `json:"paused,omitempty"`

	// coreRoles takes the role of a user from the core attribute `roles` where a request has no OrganizationRole; default false. It is
	// for providers that cannot send extensions. `roles` then shows the role that the provider gave, and OrganizationRole is not shown;
	// roles other than Admin, User and Guest are ignored. If false, `roles` is read-only and shows the role in force.
	//
	// +optional
	CoreRoles bool `json:"coreRoles,omitempty"`
}

// SCIMLimits bound what the SCIM endpoint stores for one organization. Beyond a limit it answers 507, or 413 if one request alone needs more
// than the limit. Denials, deletions, and changes that need no more than before pass. Requests that are handled at the same time may
// exceed a limit by what each of them stores.
type SCIMLimits struct {
	// people is the number of users, 1 to 10000000; default 100000. Users whom the provider deleted count for as long as their resource stays
	// as a denial.
	//
	// +kubebuilder:default=100000
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000000
	// +optional
	People int64 `json:"people,omitempty"`

	// groups is the number of groups, 1 to 1000000; default 10000.
	//
	// +kubebuilder:default=10000
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Groups int64 `json:"groups,omitempty"`

	// members is the number of members of all groups together, 1 to 100000000; default 500000. A person in two groups counts twice.
	//
	// +kubebuilder:default=500000
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	// +optional
	Members int64 `json:"members,omitempty"`

	// bytes is the size of all texts in these users and groups (names, addresses, ids, members), 1 to 1099511627776; default 67108864
	// (64 MiB).
	//
	// +kubebuilder:default=67108864
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1099511627776
	// +optional
	Bytes int64 `json:"bytes,omitempty"`
}

// RateLimit bounds the calls to LambdaTest. When LambdaTest answers 429, the operator slows down further by itself.
type RateLimit struct {
	// requestsPerSecond is the highest number of calls per second for this organization, 1 to 1000; default 10.
	//
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	RequestsPerSecond int32 `json:"requestsPerSecond,omitempty"`

	// burst is the number of calls that may be made at once after a time without calls, 1 to 1000; default 20.
	//
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Burst int32 `json:"burst,omitempty"`
}

// DeprovisionGuard bounds how many people may lose access or a role within one hour because resources were deleted (by a prune, for
// example) and not because a resource says `active: false`. Changes beyond the limit wait for an approval.
type DeprovisionGuard struct {
	// minimum is the number of people who may lose access or a role each hour even if percent allows fewer, 0 to 100000; default 10. The
	// limit is never more than half of the active people.
	//
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	// +optional
	Minimum *int32 `json:"minimum,omitempty"`

	// percent is the percentage of the active people who may lose access or a role each hour, 0 to 50; default 20. If minimum is more
	// people, minimum applies.
	//
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=50
	// +optional
	Percent *int32 `json:"percent,omitempty"`

	// explicitPercent is the percentage of the active people who may be denied explicitly (`active: false`) each hour, 1 to 100; further
	// denials wait for an approval. Unset, the default, means no limit, because a denial should not wait.
	//
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +optional
	ExplicitPercent *int32 `json:"explicitPercent,omitempty"`
}

// LambdaTestOrganizationSpec is a connection to one LambdaTest organization.
type LambdaTestOrganizationSpec struct {
	// baseURL is the URL of LambdaTest's SCIM API; default https://auth.lambdatest.com/api/scim. Other hosts, and plain http, work only
	// if the operator's flag --upstream-hosts allows them.
	//
	// +kubebuilder:default="https://auth.lambdatest.com/api/scim"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http'] && url(self).getHostname() != ''",message="baseURL must be an absolute https URL, such as https://auth.lambdatest.com/api/scim"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@') && !self.contains('?') && !self.contains('#')",message="baseURL must not hold user information, a query or a fragment: put the token into the Secret that tokenSecretRef names"
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\p{C}\\\\p{Zl}\\\\p{Zp}]')",message="baseURL must not hold control or formatting characters"
	// +optional
	BaseURL string `json:"baseURL,omitempty"`

	// tokenSecretRef names the Secret key with the SCIM token of the organization, as LambdaTest shows it under Organization Settings,
	// Authentication and SSO, SCIM. A changed Secret is used at once.
	//
	// +required
	TokenSecretRef SecretKeyReference `json:"tokenSecretRef"`

	// scim holds the settings for the identity provider that uses the SCIM endpoint of this organization.
	//
	// +kubebuilder:default={}
	// +optional
	SCIM SCIMSettings `json:"scim,omitzero"`

	// syncInterval is the time between two sweeps, which compare the whole organization with LambdaTest: a duration such as "10m", from 1s
	// to 24h; default 10m. It varies by up to a tenth, so that the sweeps of several organizations do not coincide.
	//
	// +kubebuilder:default="10m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="syncInterval must be between 1s and 24h"
	// +optional
	SyncInterval metav1.Duration `json:"syncInterval,omitzero"`

	// driftPolicy says what happens to changes made at LambdaTest: Correct, the default, sets them back; Report only shows them in the
	// status of the users. Denials are carried out in both cases.
	//
	// +kubebuilder:default=Correct
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`

	// rateLimit bounds the calls to LambdaTest.
	//
	// +kubebuilder:default={}
	// +optional
	RateLimit RateLimit `json:"rateLimit,omitzero"`

	// deprovisionGuard prevents that a prune, a deleted folder or an unmapped attribute takes access away from many people at once.
	//
	// +kubebuilder:default={}
	// +optional
	DeprovisionGuard DeprovisionGuard `json:"deprovisionGuard,omitzero"`

	// groupMode says what happens to LambdaTestGroups: Provision, the default, pushes groups to LambdaTest; RolesOnly pushes no group, and
	// only computes people's roles from groups. Use RolesOnly where LambdaTest has group provisioning switched off.
	//
	// +kubebuilder:default=Provision
	// +optional
	GroupMode GroupMode `json:"groupMode,omitempty"`

	// importUsers says what happens to accounts that no resource claims: None, the default, only counts them; Observe creates a
	// LambdaTestUser that only observes for each. That resource is deleted, without any call to LambdaTest, when another resource claims
	// the person or when importUsers is None again.
	//
	// +kubebuilder:default=None
	// +optional
	ImportUsers ImportPolicy `json:"importUsers,omitempty"`

	// suspend stops all calls to LambdaTest while it is true; default false. status.pendingDenials counts the denials that wait meanwhile.
	//
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// HeldSet is a set of people in the deprovision guard: held, admitted, approved or rejected.
type HeldSet struct {
	// token identifies exactly this set. Use it as the value of the annotation iam.lambdatest.io/approve-deprovision or
	// iam.lambdatest.io/reject-deprovision.
	//
	// +required
	Token string `json:"token"`

	// count is the number of people in the set.
	//
	// +required
	Count int32 `json:"count"`

	// since is when the first of them was held. The same people at another time are another set, with another token.
	//
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// people are the entries of the set, sorted, at most 10000. An entry is the name of a LambdaTestUser. If the change is not a
	// deactivation, the change follows, as in "ada: Admin to User". A held group is one entry with the number of people who would lose a
	// role; status.heldMembers of the group names them.
	//
	// +kubebuilder:validation:MaxItems=10000
	// +listType=atomic
	// +optional
	People []string `json:"people,omitempty"`

	// by is who approved or rejected the set: the user name in the annotation iam.lambdatest.io/decided-by, or "field manager NAME" if there
	// is none. It is what the client said; the audit log of the API server proves it.
	//
	// +optional
	By string `json:"by,omitempty"`

	// decidedAt is when the operator applied the approval or rejection.
	//
	// +optional
	DecidedAt *metav1.Time `json:"decidedAt,omitempty"`
}

// GuardStatus is the state of the deprovision guard.
type GuardStatus struct {
	// windowStart is when the current hour began. The limits hold until an hour later.
	//
	// +optional
	WindowStart *metav1.Time `json:"windowStart,omitempty"`

	// active is the number of people who were active when the window began, or the highest number since then. Limits are computed from it.
	//
	// +optional
	Active int32 `json:"active,omitempty"`

	// limit is the number of people who may lose access or a role in this window without an explicit denial.
	//
	// +optional
	Limit int32 `json:"limit,omitempty"`

	// deprovisioned is the number of deactivations without an explicit denial in this window. It includes the people of resources that
	// disappeared although the operator did not remove their finalizer: one for a user, all members for a group with roles.
	//
	// +optional
	Deprovisioned int32 `json:"deprovisioned,omitempty"`

	// demoted is the number of people who lost a role in this window because a resource that gave the role was deleted.
	//
	// +optional
	Demoted int32 `json:"demoted,omitempty"`

	// activated is the number of people who got access in this window because a resource that denied them was deleted.
	//
	// +optional
	Activated int32 `json:"activated,omitempty"`

	// explicit is the number of explicit denials in this window.
	//
	// +optional
	Explicit int32 `json:"explicit,omitempty"`

	// held is the set of people who wait for an approval.
	//
	// +optional
	Held *HeldSet `json:"held,omitempty"`

	// admitted is the set of people within the limit: already counted, and the change is still being carried out.
	//
	// +optional
	Admitted *HeldSet `json:"admitted,omitempty"`

	// approved is the set that was last approved. Its people are those for whom the change is still being carried out.
	//
	// +optional
	Approved *HeldSet `json:"approved,omitempty"`

	// rejected is the set that was last rejected. Its people are those whose resource is still being released, or who keep the access or
	// role that they would have lost.
	//
	// +optional
	Rejected *HeldSet `json:"rejected,omitempty"`
}

// SCIMStatus is what the SCIM endpoint reports about the requests of an identity provider. Times are rounded down to the hour. Entries older
// than a day are removed when others are added.
type SCIMStatus struct {
	// limitsReached says when the endpoint last refused a request because of spec.scim.limits, by the name of the limit.
	//
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	LimitsReached map[string]metav1.Time `json:"limitsReached,omitempty"`

	// ignoredAttributes says when the endpoint last ignored an attribute that looks like LambdaTest's and that it does not understand, by the
	// name that the provider sent. Most often the mapping at the provider is wrong.
	//
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	IgnoredAttributes map[string]metav1.Time `json:"ignoredAttributes,omitempty"`
}

// LambdaTestOrganizationStatus is what the operator has observed and done. It is written only when it changes.
//
// +structType=atomic
type LambdaTestOrganizationStatus struct {
	// observedGeneration is the metadata.generation that the conditions describe; -1 before the first reconcile.
	//
	// +kubebuilder:default=-1
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation iam.lambdatest.io/reconcile-requested-at that the operator handled.
	//
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// people is the number of people with at least one claim whose managementPolicy is Full and that is not being deleted.
	//
	// +optional
	People *int32 `json:"people,omitempty"`

	// active is the number of these people who are active at LambdaTest.
	//
	// +optional
	Active *int32 `json:"active,omitempty"`

	// synced is the number of people whose account agrees with the desired state.
	//
	// +optional
	Synced *int32 `json:"synced,omitempty"`

	// failing is the number of people whose account does not agree, for a reason other than waiting for its turn.
	//
	// +optional
	Failing *int32 `json:"failing,omitempty"`

	// drifted is the number of people whose account differs while driftPolicy is Report.
	//
	// +optional
	Drifted *int32 `json:"drifted,omitempty"`

	// unclaimed is the number of accounts at LambdaTest that no resource claims.
	//
	// +optional
	Unclaimed *int32 `json:"unclaimed,omitempty"`

	// unclaimedActive is the number of active accounts at LambdaTest that no resource claims.
	//
	// +optional
	UnclaimedActive *int32 `json:"unclaimedActive,omitempty"`

	// unclaimedAdmins is the number of active accounts at LambdaTest that are Admin and that no resource claims.
	//
	// +optional
	UnclaimedAdmins *int32 `json:"unclaimedAdmins,omitempty"`

	// admins is the number of active accounts at LambdaTest that are Admin, claimed or not.
	//
	// +optional
	Admins *int32 `json:"admins,omitempty"`

	// pendingDenials is the number of denied people who are still active at LambdaTest, or may be.
	//
	// +optional
	PendingDenials *int32 `json:"pendingDenials,omitempty"`

	// refused is the number of people whom LambdaTest refuses, or refuses a part of what is wanted for them. The identity provider takes
	// them for provisioned.
	//
	// +optional
	Refused *int32 `json:"refused,omitempty"`

	// scimTokenSecret is the name of the Secret with the tokens that identity providers present.
	//
	// +optional
	SCIMTokenSecret string `json:"scimTokenSecret,omitempty"`

	// scimTokenLastUse is when each token of identity providers was last used, by its key. Times are rounded down to the hour, so that
	// this is written at most once an hour. A key that was never used is absent.
	//
	// +kubebuilder:validation:MaxProperties=1000
	// +optional
	SCIMTokenLastUse map[string]metav1.Time `json:"scimTokenLastUse,omitempty"`

	// scim is what the SCIM endpoint reports about the requests of the identity provider.
	//
	// +optional
	SCIM *SCIMStatus `json:"scim,omitempty"`

	// guard is the state of the deprovision guard.
	//
	// +optional
	Guard *GuardStatus `json:"guard,omitempty"`

	// conditions are Ready, and Reconciling, Stalled, PeopleDeniedButActive, NoActiveAdmin, GuardHolding, PeopleRefused, ListUnreliable,
	// AccountsSetAside, SCIMPaused or SCIMTokenWarning while they are true.
	//
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// LambdaTestOrganization is a connection to one LambdaTest organization: its tokens, its limits and the guard against mistakes.
// LambdaTestUsers and LambdaTestGroups in the same namespace refer to it by name.
//
// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ltorg,categories=lambdatest
// +kubebuilder:printcolumn:name="People",type=integer,JSONPath=`.status.people`
// +kubebuilder:printcolumn:name="Active",type=integer,JSONPath=`.status.active`
// +kubebuilder:printcolumn:name="Synced",type=integer,JSONPath=`.status.synced`
// +kubebuilder:printcolumn:name="Failing",type=integer,JSONPath=`.status.failing`
// +kubebuilder:printcolumn:name="Denied But Active",type=integer,JSONPath=`.status.pendingDenials`,description="Denied people who are still active"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="SCIM Token",type=string,JSONPath=`.status.scimTokenSecret`,priority=1
// +kubebuilder:printcolumn:name="Unclaimed",type=integer,JSONPath=`.status.unclaimed`,description="Accounts that no resource is about",priority=1
// +kubebuilder:printcolumn:name="Drifted",type=integer,JSONPath=`.status.drifted`,description="People who differ while driftPolicy is Report",priority=1
// +kubebuilder:printcolumn:name="Unclaimed Active",type=integer,JSONPath=`.status.unclaimedActive`,description="Active accounts that no resource is about",priority=1
// +kubebuilder:printcolumn:name="Unclaimed Admins",type=integer,JSONPath=`.status.unclaimedAdmins`,description="Active Admins that no resource is about",priority=1
// +kubebuilder:printcolumn:name="Admins",type=integer,JSONPath=`.status.admins`,description="Active Admins, claimed or not",priority=1
// +kubebuilder:printcolumn:name="Refused",type=integer,JSONPath=`.status.refused`,description="People whom LambdaTest refuses",priority=1
// +kubebuilder:printcolumn:name="Held",type=integer,JSONPath=`.status.guard.held.count`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="the name of a LambdaTestOrganization has at most 63 characters"
type LambdaTestOrganization struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec describes the connection and its limits.
	//
	// +required
	Spec LambdaTestOrganizationSpec `json:"spec"`

	// status is what the operator has observed and done.
	//
	// +kubebuilder:default={}
	// +optional
	Status LambdaTestOrganizationStatus `json:"status,omitzero"`
}

// SCIMTokenSecretName returns the name of the Secret that holds the tokens of identity providers: the one that the spec names, or the
// one that the controller creates.
func (o *LambdaTestOrganization) SCIMTokenSecretName() string {
	if ref := o.Spec.SCIM.TokenSecretRef; ref != nil {
		return ref.Name
	}
	return o.Name + SCIMTokenSecretSuffix
}

// GetConditions returns the conditions of the status.
func (o *LambdaTestOrganization) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (o *LambdaTestOrganization) SetConditions(conditions []metav1.Condition) {
	o.Status.Conditions = conditions
}

// LambdaTestOrganizationList is a list of LambdaTestOrganizations.
//
// +kubebuilder:object:root=true
type LambdaTestOrganizationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LambdaTestOrganization `json:"items"`
}
