// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Grant is what a token gives: one organization, under the name of the token's key.
type Grant struct {
	Organization *v1alpha1.LambdaTestOrganization // shared with the cache: not to be changed
	Token        v1alpha1.SCIMToken
}

// OrganizationKey is the namespace and name of the organization.
func (g *Grant) OrganizationKey() types.NamespacedName {
	return types.NamespacedName{Namespace: g.Organization.Namespace, Name: g.Organization.Name}
}

// Table finds the grant of a presented token. It maps the SHA-256 of tokens, so neither the comparison nor its time says anything
// about a token: whoever could tell by time how many bytes of a digest match would still have to find a preimage of it.
type Table map[[sha256.Size]byte]*Grant

// Notice is something about a token that people should know. It never holds the token.
type Notice struct {
	Organization *v1alpha1.LambdaTestOrganization
	Key          string
	Reason       string
	Message      string
}

// build makes the table of all organizations. secrets are those that could be read, by their names. The older organization keeps
// a token that two claim; an organization's own LambdaTest token, and that of any other, is never accepted.
func build(organizations []*v1alpha1.LambdaTestOrganization, secrets map[types.NamespacedName]*secretTokens, now time.Time) (Table, []Notice) {
	table := Table{}
	var notices []Notice
	upstream := upstreamDigests(organizations, secrets)
	for _, organization := range oldestFirst(organizations) {
		secret := secrets[types.NamespacedName{Namespace: organization.Namespace, Name: organization.SCIMTokenSecretName()}]
		if secret == nil {
			continue
		}
		for _, token := range secret.tokens {
			if notice := table.add(organization, token, upstream, now); notice != nil {
				notices = append(notices, *notice)
			}
		}
	}
	return table, notices
}

// add enters a token, or says why not.
func (t Table) add(organization *v1alpha1.LambdaTestOrganization, token v1alpha1.SCIMToken, upstream map[[sha256.Size]byte]bool, now time.Time) *Notice {
	notice := func(reason, format string, args ...any) *Notice {
		message := fmt.Sprintf("SCIM token %q of Secret %s ", token.Key, organization.SCIMTokenSecretName()) + fmt.Sprintf(format, args...)
		return &Notice{organization, token.Key, reason, message}
	}
	switch earlier := t[token.Digest]; {
	case token.Ignored != "":
		return notice(v1alpha1.TokenIgnoredReason, "%s, and is not accepted", token.Ignored)
	case upstream[token.Digest]:
		return notice(v1alpha1.TokenIgnoredReason, "is the token that LambdaTest gave the operator, and is not accepted: make another for the identity provider")
	case earlier != nil && earlier.Organization != organization:
		return notice(v1alpha1.TokenConflictReason, "is already accepted for the older organization %s/%s, which keeps it: make another",
			earlier.Organization.Namespace, earlier.Organization.Name)
	case earlier == nil || outlives(token, earlier.Token):
		t[token.Digest] = &Grant{Organization: organization, Token: token}
	}
	if token.IsExpired(now) {
		return notice(v1alpha1.TokenIgnoredReason, "expired at %s", token.Expires.UTC().Format(time.RFC3339))
	}
	if !token.Expires.IsZero() && token.Expires.Before(now.Add(expiryNotice)) {
		return notice(v1alpha1.TokenExpiringReason, "expires at %s: add another key, switch the provider, remove this one", token.Expires.UTC().Format(time.RFC3339))
	}
	return nil
}

// outlives: of two keys with the same token the one that is accepted longer counts.
func outlives(a, b v1alpha1.SCIMToken) bool {
	return !b.Expires.IsZero() && (a.Expires.IsZero() || a.Expires.After(b.Expires))
}

func upstreamDigests(organizations []*v1alpha1.LambdaTestOrganization, secrets map[types.NamespacedName]*secretTokens) map[[sha256.Size]byte]bool {
	digests := map[[sha256.Size]byte]bool{}
	for _, organization := range organizations {
		name := types.NamespacedName{Namespace: organization.Namespace, Name: organization.Spec.TokenSecretRef.Name}
		if secret := secrets[name]; secret != nil {
			if digest, ok := secret.values[cmp.Or(organization.Spec.TokenSecretRef.Key, v1alpha1.DefaultTokenKey)]; ok {
				digests[digest] = true
			}
		}
	}
	return digests
}

func oldestFirst(organizations []*v1alpha1.LambdaTestOrganization) []*v1alpha1.LambdaTestOrganization {
	sorted := slices.Clone(organizations)
	slices.SortFunc(sorted, func(a, b *v1alpha1.LambdaTestOrganization) int {
		return cmp.Or(
			a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
			cmp.Compare(a.Namespace, b.Namespace),
			cmp.Compare(a.Name, b.Name),
		)
	})
	return sorted
}

// secretTokens is what is kept of a Secret: digests, never values.
type secretTokens struct {
	resourceVersion string
	tokens          []v1alpha1.SCIMToken
	values          map[string][sha256.Size]byte // of the trimmed value of every key
}

func readSecret(secret *corev1.Secret) *secretTokens {
	result := &secretTokens{
		resourceVersion: secret.ResourceVersion,
		tokens:          v1alpha1.ParseSCIMTokens(secret.Data, secret.Annotations),
		values:          make(map[string][sha256.Size]byte, len(secret.Data)),
	}
	for key, value := range secret.Data {
		result.values[key] = v1alpha1.SCIMTokenDigest(strings.TrimSpace(string(value)))
	}
	return result
}

// secretsOf returns the names of the Secrets that an organization's tokens are in: the provider's, and LambdaTest's own.
func secretsOf(organization *v1alpha1.LambdaTestOrganization) []types.NamespacedName {
	return []types.NamespacedName{
		{Namespace: organization.Namespace, Name: organization.SCIMTokenSecretName()},
		{Namespace: organization.Namespace, Name: organization.Spec.TokenSecretRef.Name},
	}
}
