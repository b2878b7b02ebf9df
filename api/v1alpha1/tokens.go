// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// SCIMToken is one key of a SCIM token Secret: a token that an identity provider may present. Only its digest is kept.
//
// +kubebuilder:object:generate=false
// +kubebuilder:ac:generate=false
type SCIMToken struct {
	// Key in the Secret.
	Key string
	// Digest is the SHA-256 of the token or, if Bound, that of BoundSCIMTokenDigest. It is zero when Ignored.
	Digest [sha256.Size]byte
	// Bound says that the Secret has a digest that opens one organization only, and not the token.
	Bound bool
	// Expires is when the token stops being accepted; zero means never.
	Expires time.Time
	// Ignored says why the token is never accepted, as a clause that follows its key; empty when the token is valid. A token whose
	// expiry cannot be parsed is ignored, because it was not meant to be accepted for ever.
	Ignored string
}

// IsExpired reports whether the token has expired at that time.
func (t SCIMToken) IsExpired(now time.Time) bool {
	return !t.Expires.IsZero() && !now.Before(t.Expires)
}

// Accepts reports whether the token is accepted at that time.
func (t SCIMToken) Accepts(now time.Time) bool { return t.Ignored == "" && !t.IsExpired(now) }

// SCIMTokenDigest returns the digest by which a presented token is looked up.
func SCIMTokenDigest(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

// BoundSCIMTokenDigest returns the digest of a token that opens this organization, and no other that has the same digest in its Secret. No
// part contains a slash before the token.
func BoundSCIMTokenDigest(namespace, organization, token string) [sha256.Size]byte {
	return sha256.Sum256([]byte(namespace + "/" + organization + "/" + token))
}

// ParseSCIMTokens reads the data and annotations of a SCIM token Secret. Every key is one token; the result is sorted by key. A value is
// the token itself, or "bound-sha256:" and the hex digest of BoundSCIMTokenDigest; white space around either is ignored. The annotation
// iam.lambdatest.io/expires-<key> limits how long a token is accepted. Of more than MaxSCIMTokens keys it reads the first ones, and
// returns one ignored token for all others.
func ParseSCIMTokens(data map[string][]byte, annotations map[string]string) []SCIMToken {
	keys := slices.Sorted(maps.Keys(data))
	tokens := make([]SCIMToken, 0, min(len(keys), MaxSCIMTokens+1))
	for i, key := range keys {
		if i == MaxSCIMTokens {
			return append(tokens, SCIMToken{Key: key, Ignored: leftOut(len(keys) - i - 1)})
		}
		tokens = append(tokens, parseSCIMToken(key, string(data[key]), annotations[ExpiresAnnotationPrefix+key]))
	}
	return tokens
}

func leftOut(others int) string {
	if others == 0 {
		return fmt.Sprintf("is left out, since a Secret has at most %d tokens", MaxSCIMTokens)
	}
	return fmt.Sprintf("is left out with %d more keys, since a Secret has at most %d tokens", others, MaxSCIMTokens)
}

func parseSCIMToken(key, value, expires string) SCIMToken {
	token := SCIMToken{Key: key}
	digest, bound, err := digestOfToken(strings.TrimSpace(value))
	if err == nil && expires != "" {
		token.Expires, err = parseExpiry(strings.TrimSpace(expires))
	}
	if err != nil {
		token.Ignored = err.Error()
		return token
	}
	token.Digest, token.Bound = digest, bound
	return token
}

func digestOfToken(value string) (digest [sha256.Size]byte, bound bool, err error) {
	if strings.HasPrefix(value, "sha256:") {
		return digest, false, fmt.Errorf("is a digest that any organization could copy: replace it by %s and the output of "+
			`printf %%s "NAMESPACE/ORGANIZATION/$TOKEN" | sha256sum`, SCIMTokenDigestPrefix)
	}
	if text, isDigest := strings.CutPrefix(value, SCIMTokenDigestPrefix); isDigest {
		decoded, err := hex.DecodeString(strings.TrimSpace(text))
		if err != nil || len(decoded) != sha256.Size {
			return digest, false, fmt.Errorf("is not a SHA-256 digest: %d hexadecimal digits must follow %q", 2*sha256.Size, SCIMTokenDigestPrefix)
		}
		return [sha256.Size]byte(decoded), true, nil
	}
	if len(value) < MinSCIMTokenBytes {
		return digest, false, fmt.Errorf("is shorter than %d bytes", MinSCIMTokenBytes)
	}
	return SCIMTokenDigest(value), false, nil
}

func parseExpiry(text string) (time.Time, error) {
	expires, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("has an expiry annotation that is not an RFC 3339 time such as 2026-12-31T00:00:00Z")
	}
	return expires, nil
}
