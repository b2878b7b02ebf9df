// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DefaultBaseURL is where LambdaTest's SCIM API lives.
const DefaultBaseURL = "https://auth.lambdatest.com/api/scim"

// UserNamePolicy says which userNames an identity provider may send.
//
// +kubebuilder:validation:Enum=Email;Any
type UserNamePolicy string

// The userName policies.
const (
	// UserNameEmail accepts e-mail addresses, which is what LambdaTest accepts.
	UserNameEmail UserNamePolicy = "Email"
	// UserNameAny accepts every userName and leaves the decision to LambdaTest.
	UserNameAny UserNamePolicy = "Any"
)

// DriftPolicy says what happens when an account was changed at LambdaTest.
//
// +kubebuilder:validation:Enum=Correct;Report
type DriftPolicy string

// The drift policies.
const (
	// DriftCorrect sets the account back to what is wanted.
	DriftCorrect DriftPolicy = "Correct"
	// DriftReport shows the difference in status and makes no call, except that denials are always carried out.
	DriftReport DriftPolicy = "Report"
)

// GroupMode says what LambdaTestGroups are for.
//
// +kubebuilder:validation:Enum=Provision;RolesOnly
type GroupMode string

// The group modes.
const (
	// GroupProvision pushes groups and their members to LambdaTest.
	GroupProvision GroupMode = "Provision"
	// GroupRolesOnly lets groups decide roles here and pushes nothing.
	GroupRolesOnly GroupMode = "RolesOnly"
)

// ImportPolicy says what happens with accounts nobody claims.
//
// +kubebuilder:validation:Enum=None;Observe
type ImportPolicy string

// The import policies.
const (
	// ImportNone counts such accounts and does nothing else.
	ImportNone ImportPolicy = "None"
	// ImportObserve gives each a LambdaTestUser that only observes.
	ImportObserve ImportPolicy = "Observe"
)

// SecretKeyReference names one key of a Secret in the same namespace.
type SecretKeyReference struct {
	// name of the Secret, in the namespace of this resource.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name"`

	// key in the Secret whose value is the token; white space around it is ignored.
	//
	// +kubebuilder:default=token
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Key string `json:"key,omitempty"`
}

// SecretReference names a Secret in the same namespace.
type SecretReference struct {
	// name of the Secret, in the namespace of this resource.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name"`
}

// SCIMSettings are for the identity provider that talks to this organization through the SCIM endpoint.
type SCIMSettings struct {
	// tokenSecretRef names the Secret with the tokens that identity providers present. Every key is one token, so to rotate: add a
	// key, switch the provider, remove the old key. A value is the token itself, or "sha256:" and the hex digest of it. Tokens
	// shorter than 32 bytes are ignored and reported. Unset, the operator creates the Secret <organization>-scim-token with one.
	//
	// +optional
	TokenSecretRef *SecretReference `json:"tokenSecretRef,omitempty"`

	// userNamePolicy is Email, the default, or Any: then LambdaTest decides which userNames it takes.
	//
	// +kubebuilder:default=Email
	// +optional
	UserNamePolicy UserNamePolicy `json:"userNamePolicy,omitempty"`

	// maxRole is the highest role that a provider may give: Admin, the default, User or Guest. A request for more is refused.
	//
	// +kubebuilder:default=Admin
	// +optional
	MaxRole Role `json:"maxRole,omitempty"`
}

// RateLimit bounds the calls to LambdaTest. On a 429 the operator slows down below it by itself.
type RateLimit struct {
	// requestsPerSecond is the ceiling of calls a second for this organization, 1 to 1000; default 10.
	//
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	RequestsPerSecond int32 `json:"requestsPerSecond,omitempty"`

	// burst is how many calls may be made at once after a quiet time, 1 to 1000; default 20.
	//
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Burst int32 `json:"burst,omitempty"`
}

// DeprovisionGuard bounds how many people may lose access or a role within one hour because resources were deleted, by a prune for
// example, without anybody saying `active: false`. More than that waits for an approval.
type DeprovisionGuard struct {
	// minimum number of people that may always go, each hour; default 10. Never more than half of the active people, though.
	//
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	// +optional
	Minimum *int32 `json:"minimum,omitempty"`

	// percent of the active people that may go each hour when that is more than the minimum, 0 to 50; default 20.
	//
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=50
	// +optional
	Percent *int32 `json:"percent,omitempty"`

	// explicitPercent of the active people that may be denied explicitly (`active: false`) each hour before further denials wait;
	// unset, the default, means no limit, because a denial must not wait.
	//
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +optional
	ExplicitPercent *int32 `json:"explicitPercent,omitempty"`
}

// LambdaTestOrganizationSpec is a connection to one LambdaTest organization.
type LambdaTestOrganizationSpec struct {
	// baseURL of LambdaTest's SCIM API. Hosts other than LambdaTest's, and plain http, work only where the operator's flag
	// --upstream-hosts allows them.
	//
	// +kubebuilder:default="https://auth.lambdatest.com/api/scim"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http'] && url(self).getHostname() != ''",message="baseURL must be an absolute https URL, such as https://auth.lambdatest.com/api/scim"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@') && !self.contains('?') && !self.contains('#')",message="baseURL must not hold user information, a query or a fragment: the token belongs into the Secret that tokenSecretRef names"
	// +optional
	BaseURL string `json:"baseURL,omitempty"`

	// tokenSecretRef names the Secret key with the SCIM token of the organization, as LambdaTest shows it under Organization Settings,
	// Authentication and SSO, SCIM. A changed Secret is used at once.
	//
	// +required
	TokenSecretRef SecretKeyReference `json:"tokenSecretRef"`

	// scim are the settings for the identity provider that talks to this organization.
	//
	// +kubebuilder:default={}
	// +optional
	SCIM SCIMSettings `json:"scim,omitzero"`

	// syncInterval is how often the whole organization is compared with LambdaTest, as a duration such as "10m"; default 10m, at
	// least 1s, spread by a tenth so that organizations do not march in step.
	//
	// +kubebuilder:default="10m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="syncInterval must be between 1s and 24h"
	// +optional
	SyncInterval metav1.Duration `json:"syncInterval,omitzero"`

	// driftPolicy is Correct, the default: what was changed at LambdaTest is set back, or Report: it is shown in the status of the
	// users. Denials are carried out either way.
	//
	// +kubebuilder:default=Correct
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`

	// rateLimit bounds the calls to LambdaTest.
	//
	// +kubebuilder:default={}
	// +optional
	RateLimit RateLimit `json:"rateLimit,omitzero"`

	// deprovisionGuard keeps a prune, a deleted folder or an unmapped attribute from taking access away from many at once.
	//
	// +kubebuilder:default={}
	// +optional
	DeprovisionGuard DeprovisionGuard `json:"deprovisionGuard,omitzero"`

	// groupMode is Provision, the default: groups are pushed to LambdaTest, or RolesOnly: groups decide roles here and nothing is
	// pushed, for organizations where LambdaTest has group provisioning switched off.
	//
	// +kubebuilder:default=Provision
	// +optional
	GroupMode GroupMode `json:"groupMode,omitempty"`

	// importUsers is None, the default, or Observe: an account nobody claims gets a LambdaTestUser that only observes, and that goes
	// away, without any call, when somebody claims the person or when this is None again.
	//
	// +kubebuilder:default=None
	// +optional
	ImportUsers ImportPolicy `json:"importUsers,omitempty"`

	// suspend stops all calls to LambdaTest while true. Denials that wait for it are counted in status.pendingDenials.
	//
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// HeldSet names people that the guard holds back.
type HeldSet struct {
	// token names exactly this set: the value for the annotations iam.lambdatest.io/approve-deprovision and
	// iam.lambdatest.io/reject-deprovision.
	//
	// +required
	Token string `json:"token"`

	// count of people held.
	//
	// +required
	Count int32 `json:"count"`

	// since is when the first of them was held: the same people at another time are another set, with another token.
	//
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// people held, by the name of the LambdaTestUser that is held, in order; at most 10000. What would happen follows unless it is a
	// deactivation, as in "ada: Admin to User". A group that is held is one entry with the number of people who would lose a role.
	//
	// +kubebuilder:validation:MaxItems=10000
	// +listType=atomic
	// +optional
	People []string `json:"people,omitempty"`
}

// GuardStatus is the state of the deprovision guard.
type GuardStatus struct {
	// windowStart is when the current hour began.
	//
	// +optional
	WindowStart *metav1.Time `json:"windowStart,omitempty"`

	// active counts the people who were active when the window began, or later in it if there were more: what limits are made of.
	//
	// +optional
	Active int32 `json:"active,omitempty"`

	// limit of people that may lose access or a role in this window without an explicit denial.
	//
	// +optional
	Limit int32 `json:"limit,omitempty"`

	// deprovisioned counts the implicit deactivations in this window.
	//
	// +optional
	Deprovisioned int32 `json:"deprovisioned,omitempty"`

	// demoted counts the implicit demotions in this window.
	//
	// +optional
	Demoted int32 `json:"demoted,omitempty"`

	// activated counts the people in this window who got access because a resource that denied them was deleted.
	//
	// +optional
	Activated int32 `json:"activated,omitempty"`

	// explicit counts the explicit denials in this window.
	//
	// +optional
	Explicit int32 `json:"explicit,omitempty"`

	// held is the set of people that wait for an approval.
	//
	// +optional
	Held *HeldSet `json:"held,omitempty"`

	// admitted is who goes within the limit: counted, and being carried out.
	//
	// +optional
	Admitted *HeldSet `json:"admitted,omitempty"`

	// approved is the set that an approval let through, and who of it is still being carried out.
	//
	// +optional
	Approved *HeldSet `json:"approved,omitempty"`

	// rejected is the set that a rejection released, and who of it is still being released or keeps what would have been lost.
	//
	// +optional
	Rejected *HeldSet `json:"rejected,omitempty"`
}

// LambdaTestOrganizationStatus is what the operator has seen and done. It is written only when it differs.
//
// +structType=atomic
type LambdaTestOrganizationStatus struct {
	// observedGeneration is the generation that the conditions speak of; -1 until there is one.
	//
	// +kubebuilder:default=-1
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation iam.lambdatest.io/reconcile-requested-at that was acted on.
	//
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// people counts the people with a claim that counts.
	//
	// +optional
	People *int32 `json:"people,omitempty"`

	// active counts those of them who are active at LambdaTest.
	//
	// +optional
	Active *int32 `json:"active,omitempty"`

	// synced counts those for whom LambdaTest has what is wanted.
	//
	// +optional
	Synced *int32 `json:"synced,omitempty"`

	// failing counts those for whom it has not, for a reason other than waiting their turn.
	//
	// +optional
	Failing *int32 `json:"failing,omitempty"`

	// drifted counts those that differ while driftPolicy is Report.
	//
	// +optional
	Drifted *int32 `json:"drifted,omitempty"`

	// unclaimed counts the accounts at LambdaTest that no resource is about.
	//
	// +optional
	Unclaimed *int32 `json:"unclaimed,omitempty"`

	// pendingDenials counts denied people who are still active at LambdaTest.
	//
	// +optional
	PendingDenials *int32 `json:"pendingDenials,omitempty"`

	// scimTokenSecret is the name of the Secret with the tokens that identity providers present.
	//
	// +optional
	SCIMTokenSecret string `json:"scimTokenSecret,omitempty"`

	// scimTokenLastUse is when each token of identity providers was last used, by its key: the beginning of the hour, so that it is
	// written once an hour at most. A key without a use is absent.
	//
	// +optional
	SCIMTokenLastUse map[string]metav1.Time `json:"scimTokenLastUse,omitempty"`

	// guard is the state of the deprovision guard.
	//
	// +optional
	Guard *GuardStatus `json:"guard,omitempty"`

	// conditions are Ready, and Reconciling, Stalled, GuardHolding, PeopleRefused or SCIMTokenWarning while true.
	//
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
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="SCIM Token",type=string,JSONPath=`.status.scimTokenSecret`,priority=1
// +kubebuilder:printcolumn:name="Unclaimed",type=integer,JSONPath=`.status.unclaimed`,description="Accounts that no resource is about",priority=1
// +kubebuilder:printcolumn:name="Drifted",type=integer,JSONPath=`.status.drifted`,description="People who differ while driftPolicy is Report",priority=1
// +kubebuilder:printcolumn:name="Pending Denials",type=integer,JSONPath=`.status.pendingDenials`,description="Denied people who are still active",priority=1
// +kubebuilder:printcolumn:name="Held",type=integer,JSONPath=`.status.guard.held.count`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="the name of a LambdaTestOrganization has at most 63 characters"
type LambdaTestOrganization struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the connection and its limits.
	//
	// +required
	Spec LambdaTestOrganizationSpec `json:"spec"`

	// status is what the operator has seen and done.
	//
	// +kubebuilder:default={}
	// +optional
	Status LambdaTestOrganizationStatus `json:"status,omitzero"`
}

// SCIMTokenSecretName returns the name of the Secret that holds the tokens of identity providers: the one the spec names, or the
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
