// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
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

// Table finds the grant of a presented token. It has SHA-256 digests of tokens, so neither the comparison nor its time says anything
// about a token: a client that could tell by time how many bytes of a digest match would still have to find a preimage of it.
type Table struct {
	plain    map[digest][]*Grant
	bound    map[types.NamespacedName]map[digest]*Grant
	upstream map[digest]bool
	// refused are LambdaTest's own tokens, which are never accepted.
	refused map[digest]*Grant
}

type digest = [sha256.Size]byte

// Find returns the grant of a token that is accepted at that time, or nil. A token of several organizations is accepted for none.
func (t *Table) Find(token string, now time.Time) (found *Grant) {
	plain := v1alpha1.SCIMTokenDigest(token)
	candidates := t.plain[plain]
	for organization, grants := range t.bound {
		if g := grants[v1alpha1.BoundSCIMTokenDigest(organization.Namespace, organization.Name, token)]; g != nil && !t.upstream[plain] {
			candidates = append(candidates[:len(candidates):len(candidates)], g)
		}
	}
	for _, g := range candidates {
		switch {
		case !g.Token.Accepts(now):
		case found != nil && found.Organization != g.Organization:
			return nil
		case found == nil || outlives(g.Token, found.Token):
			found = g
		}
	}
	return found
}

// FindRefused returns the grant of a token that is in a Secret and is not accepted at that time, and why; nil if it is in none.
func (t *Table) FindRefused(token string, now time.Time) (*Grant, string) {
	plain := v1alpha1.SCIMTokenDigest(token)
	candidates := slices.Clip(t.plain[plain])
	if g := t.refused[plain]; g != nil {
		candidates = append(candidates, g)
	}
	for organization, grants := range t.bound {
		if g := grants[v1alpha1.BoundSCIMTokenDigest(organization.Namespace, organization.Name, token)]; g != nil {
			candidates = append(candidates, g)
		}
	}
	for _, g := range candidates {
		if reason, _ := t.judge(g, now); reason != "" && reason != v1alpha1.TokenExpiringReason {
			return g, reason
		}
	}
	return nil, ""
}

// Grants lists all grants, those of contested tokens among them.
func (t *Table) Grants() []*Grant {
	all := slices.Concat(slices.Collect(maps.Values(t.plain))...)
	for _, grants := range t.bound {
		all = slices.AppendSeq(all, maps.Values(grants))
	}
	return all
}

// Notice is something about a token that people should know. It never holds the token.
type Notice struct {
	Organization *v1alpha1.LambdaTestOrganization
	Key          string
	Reason       string
	Message      string
}

// build makes the table of all organizations. secrets are those that could be read, by their names. The LambdaTest token of any
// organization is never accepted.
func build(organizations []*v1alpha1.LambdaTestOrganization, secrets map[types.NamespacedName]*secretTokens, now time.Time) (*Table, []Notice) {
	t := &Table{
		plain: map[digest][]*Grant{}, bound: map[types.NamespacedName]map[digest]*Grant{}, upstream: upstreamDigests(organizations, secrets), refused: map[digest]*Grant{},
	}
	var all []*Grant
	for _, organization := range byName(organizations) {
		secret := secrets[types.NamespacedName{Namespace: organization.Namespace, Name: organization.SCIMTokenSecretName()}]
		if secret == nil {
			continue
		}
		for _, token := range secret.tokens {
			g := &Grant{Organization: organization, Token: token}
			all = append(all, g)
			t.add(g)
		}
	}
	var notices []Notice
	for _, g := range all {
		if reason, what := t.judge(g, now); reason != "" {
			message := fmt.Sprintf("SCIM token %q of Secret %s %s", g.Token.Key, g.Organization.SCIMTokenSecretName(), what)
			notices = append(notices, Notice{g.Organization, g.Token.Key, reason, message})
		}
	}
	return t, notices
}

// add enters a token that may be accepted.
func (t *Table) add(g *Grant) {
	switch {
	case g.Token.Ignored != "":
	case t.upstream[g.Token.Digest]:
		t.refused[g.Token.Digest] = g
	case g.Token.Bound:
		of := t.bound[g.OrganizationKey()]
		if of == nil {
			of = map[digest]*Grant{}
			t.bound[g.OrganizationKey()] = of
		}
		if before := of[g.Token.Digest]; before == nil || outlives(g.Token, before.Token) {
			of[g.Token.Digest] = g
		}
	default:
		t.plain[g.Token.Digest] = append(t.plain[g.Token.Digest], g)
	}
}

// judge says what is wrong with a token, if anything is.
func (t *Table) judge(g *Grant, now time.Time) (reason, what string) {
	token := g.Token
	switch other := t.rival(g, now); {
	case token.Ignored != "":
		return v1alpha1.TokenIgnoredReason, token.Ignored + ", and is not accepted"
	case t.upstream[token.Digest]:
		return v1alpha1.TokenIgnoredReason, "is the token that LambdaTest gave the operator, and is not accepted: make another for the identity provider"
	case token.IsExpired(now):
		return v1alpha1.TokenIgnoredReason, "expired at " + token.Expires.UTC().Format(time.RFC3339)
	case other != nil:
		return v1alpha1.TokenConflictReason, fmt.Sprintf("is a token of %s too, and is accepted for neither: make another for each",
			other.OrganizationKey())
	case !token.Expires.IsZero() && token.Expires.Before(now.Add(expiryNotice)):
		return v1alpha1.TokenExpiringReason, fmt.Sprintf("expires at %s: add another key, switch the provider, remove this one", token.Expires.UTC().Format(time.RFC3339))
	}
	return "", ""
}

// rival is the grant of another organization for the same token.
func (t *Table) rival(g *Grant, now time.Time) *Grant {
	if g.Token.Bound {
		return nil
	}
	for _, other := range t.plain[g.Token.Digest] {
		if other.Organization != g.Organization && other.Token.Accepts(now) {
			return other
		}
	}
	return nil
}

// outlives: of two keys with the same token the one that is accepted longer counts.
func outlives(a, b v1alpha1.SCIMToken) bool {
	return !b.Expires.IsZero() && (a.Expires.IsZero() || a.Expires.After(b.Expires))
}

func upstreamDigests(organizations []*v1alpha1.LambdaTestOrganization, secrets map[types.NamespacedName]*secretTokens) map[digest]bool {
	digests := map[digest]bool{}
	for _, organization := range organizations {
		name := types.NamespacedName{Namespace: organization.Namespace, Name: organization.Spec.TokenSecretRef.Name}
		if secret := secrets[name]; secret != nil {
			if value, ok := secret.values[cmp.Or(organization.Spec.TokenSecretRef.Key, v1alpha1.DefaultTokenKey)]; ok {
				digests[value] = true
			}
		}
	}
	return digests
}

// byName makes the order of notices the same each time.
func byName(organizations []*v1alpha1.LambdaTestOrganization) []*v1alpha1.LambdaTestOrganization {
	return slices.SortedFunc(slices.Values(organizations), func(a, b *v1alpha1.LambdaTestOrganization) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
}

// secretTokens is what is kept of a Secret: digests, never values.
type secretTokens struct {
	resourceVersion string
	tokens          []v1alpha1.SCIMToken
	values          map[string]digest // of the trimmed value of every key
}

func readSecret(secret *corev1.Secret) *secretTokens {
	result := &secretTokens{
		resourceVersion: secret.ResourceVersion,
		tokens:          v1alpha1.ParseSCIMTokens(secret.Data, secret.Annotations),
		values:          make(map[string]digest, len(secret.Data)),
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
