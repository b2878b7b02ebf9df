// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"crypto/sha256"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// OfferTokens notes the digests of the SCIM tokens that an organization has.
func (c *Connection) OfferTokens(tokens []v1alpha1.SCIMToken) {
	digests := map[[sha256.Size]byte]struct{}{}
	for _, token := range tokens {
		if token.Ignored == "" {
			digests[token.Digest] = struct{}{}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scimTokens = digests
}

// Offers tells whether the organization has a SCIM token of that digest.
func (c *Connection) Offers(digest [sha256.Size]byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.scimTokens[digest]
	return ok
}

// OlderWithSCIMToken names an older organization that has the same SCIM token, if there is one.
func (c *Registry) OlderWithSCIMToken(asking *Connection, digest [sha256.Size]byte) string {
	for _, other := range c.All() {
		if other.olderThan(asking) && other.Offers(digest) {
			return other.Organization.String()
		}
	}
	return ""
}
