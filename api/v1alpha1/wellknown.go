// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SourceLabel says which part of the operator writes a resource: SourceSCIM or SourceImport. Declared resources (kubectl, Flux,
// Argo CD) do not have it; an admission policy enforces that.
const SourceLabel = "iam.lambdatest.io/source"

// Values of SourceLabel.
const (
	// SourceSCIM marks a resource that the SCIM endpoint created for an identity provider.
	SourceSCIM = "scim"
	// SourceImport marks a resource that an organization's `importUsers: Observe` created.
	SourceImport = "import"
)

// PersonLabel holds the digest of the person (26 base32 characters, see PersonDigest), so that all claims about one person can be
// selected without an address in a label. The operator sets it on its own resources only.
const PersonLabel = "iam.lambdatest.io/person"

// GroupNameLabel holds a digest of the displayName of a group that the SCIM endpoint writes (see SCIMGroupName), so that the endpoint can ask the
// API server whether a displayName is in use.
const GroupNameLabel = "iam.lambdatest.io/group-name"

// Annotations of resources and Secrets.
const (
	// ReconcileRequestedAtAnnotation requests a reconcile: the operator handles each new value (a timestamp by convention) once, and
	// then writes it into status.lastHandledReconcileAt.
	ReconcileRequestedAtAnnotation = "iam.lambdatest.io/reconcile-requested-at"
	// ApproveDeprovisionAnnotation on an organization approves the held set that its value names (status.guard.held.token), or a part of
	// it; see Decision.
	ApproveDeprovisionAnnotation = "iam.lambdatest.io/approve-deprovision"
	// RejectDeprovisionAnnotation on an organization rejects the held set that its value names: the resources are released, and no
	// account is changed.
	RejectDeprovisionAnnotation = "iam.lambdatest.io/reject-deprovision"
	// DecidedByAnnotation on an organization says who approves or rejects: the token of the set, a space, and a user name, as in
	// "ts463qwe7a2bcd3f ada@example.com". It counts only for the set of that token. Without it, the field manager of the annotation is named.
	DecidedByAnnotation = "iam.lambdatest.io/decided-by"
	// DeniedByAnnotation on a declared user is the user name of who denied the person, and DenialReasonAnnotation says why, in free text.
	// "kubectl lambdatest deny" writes both. They decide nothing.
	DeniedByAnnotation     = "iam.lambdatest.io/denied-by"
	DenialReasonAnnotation = "iam.lambdatest.io/denial-reason"
	// LastModifiedAnnotation is the RFC 3339 time of the last SCIM write: meta.lastModified of RFC 7643, section 3.1.
	LastModifiedAnnotation = "iam.lambdatest.io/last-modified"
	// DeletedByProviderAnnotation on a group of the SCIM endpoint is the RFC 3339 time at which the identity provider deleted it. It is
	// set right before the deletion, because the deletion itself does not record who made it.
	DeletedByProviderAnnotation = "iam.lambdatest.io/deleted-by-provider"
	// MembersLeftOutAnnotation on a group in the operator's cache says that the cache does not hold the members; see
	// LambdaTestGroup.HasMembersLeftOut. It is never stored.
	MembersLeftOutAnnotation = "iam.lambdatest.io/members-left-out"
	// ExpiresAnnotationPrefix, followed by a key of a SCIM token Secret, is the annotation with the RFC 3339 time from which that token is
	// refused.
	ExpiresAnnotationPrefix = "iam.lambdatest.io/expires-"
)

// Finalizer keeps a deleted resource until the operator has finished with its account or group at LambdaTest: deactivated or deleted it,
// left it to another resource, or left it unchanged.
const Finalizer = "iam.lambdatest.io/finalizer"

// Keys and name suffix of the Secrets the operator reads and writes.
const (
	// DefaultTokenKey is the key of the Secret under which an organization's LambdaTest token is stored.
	DefaultTokenKey = "token"
	// SCIMTokenSecretSuffix follows the organization's name in the Secret that the controller creates when `scim.tokenSecretRef`
	// is unset.
	SCIMTokenSecretSuffix = "-scim-token"
	// MinSCIMTokenBytes is the length below which a SCIM token is ignored and reported: 32 bytes are 192 bits in base64.
	MinSCIMTokenBytes = 32
	// MaxSCIMTokens is how many keys of a token Secret are read: each is a line in the log and a series of metrics in every replica.
	MaxSCIMTokens = 50
	// SCIMTokenDigestPrefix precedes the hex digest of BoundSCIMTokenDigest in a Secret that does not hold the token itself.
	SCIMTokenDigestPrefix = "bound-sha256:" //nolint:gosec // no credential: it tells digests from tokens
)

// IsSCIM reports whether the SCIM endpoint owns the object.
func IsSCIM(object metav1.Object) bool { return object.GetLabels()[SourceLabel] == SourceSCIM }

// IsImported reports whether an organization's import owns the object.
func IsImported(object metav1.Object) bool { return object.GetLabels()[SourceLabel] == SourceImport }

// IsDeclared reports whether the object was applied from outside the operator, for example by kubectl, Flux or Argo CD.
func IsDeclared(object metav1.Object) bool { return object.GetLabels()[SourceLabel] == "" }
