// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

func TestParseSCIMTokens(t *testing.T) {
	const token = "0123456789abcdef0123456789abcdef"
	digest := sha256.Sum256([]byte(token))
	bound := v1alpha1.BoundSCIMTokenDigest("team-a", "okta", token)
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name    string
		value   string
		expires string
		bound   bool
		accepts bool
		ignored string
	}{
		{name: "a plain token", value: token, accepts: true},
		{name: "a trailing newline is trimmed", value: token + "\r\n", accepts: true},
		{name: "a bound digest", value: "bound-sha256:" + hex.EncodeToString(bound[:]) + "\n", bound: true, accepts: true},
		{name: "a bound digest in capitals", value: "bound-sha256: " + strings.ToUpper(hex.EncodeToString(bound[:])), bound: true, accepts: true},
		{name: "a digest that is cut off", value: "bound-sha256:abcd", ignored: "is not a SHA-256 digest"},
		{name: "a digest that opens any organization", value: "sha256:" + hex.EncodeToString(digest[:]), ignored: "is a digest that any organization could copy"},
		{name: "a short token", value: token[1:], ignored: "is shorter than 32 bytes"},
		{name: "white space does not make it longer", value: token[1:] + "  ", ignored: "is shorter than 32 bytes"},
		{name: "an empty value", value: "", ignored: "is shorter than 32 bytes"},
		{name: "before its expiry", value: token, expires: "2026-11-24T12:00:01Z", accepts: true},
		{name: "at its expiry", value: token, expires: "2026-11-24T12:00:00Z"},
		{name: "with an expiry that cannot be parsed", value: token, expires: "tomorrow", ignored: "has an expiry annotation"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			annotations := map[string]string{}
			if test.expires != "" {
				annotations[v1alpha1.ExpiresAnnotationPrefix+"okta"] = test.expires
			}
			parsed := v1alpha1.ParseSCIMTokens(map[string][]byte{"okta": []byte(test.value)}, annotations)
			if len(parsed) != 1 || parsed[0].Key != "okta" {
				t.Fatalf("parsed %v, want one token with key okta", parsed)
			}
			if got := parsed[0].Accepts(now); got != test.accepts {
				t.Errorf("accepts = %v, want %v", got, test.accepts)
			}
			if !strings.HasPrefix(parsed[0].Ignored, test.ignored) || (test.ignored == "") != (parsed[0].Ignored == "") {
				t.Errorf("ignored = %q, want %q", parsed[0].Ignored, test.ignored)
			}
			if want := map[bool][sha256.Size]byte{true: bound, false: digest}[test.bound]; test.accepts && parsed[0].Digest != want {
				t.Error("digest is not that of the token")
			}
			if parsed[0].Bound != test.bound {
				t.Errorf("bound = %v, want %v", parsed[0].Bound, test.bound)
			}
		})
	}
}

// The digest is what the documented command prints: printf %s "team-a/okta/$TOKEN" | sha256sum
func TestBoundSCIMTokenDigestIsWhatTheShellPrints(t *testing.T) {
	digest := v1alpha1.BoundSCIMTokenDigest("team-a", "okta", "0123456789abcdef0123456789abcdef")
	if got, want := hex.EncodeToString(digest[:]), "a9e7a3c93098a06f387c4e686f97e213ac24d143dcf6d93bc9966d623b176f31"; got != want {
		t.Errorf("the digest is %s, want %s", got, want)
	}
}

func TestParseSCIMTokensInOrder(t *testing.T) {
	tokens := v1alpha1.ParseSCIMTokens(map[string][]byte{"b": nil, "a": nil, "c": nil}, nil)
	var keys []string
	for _, token := range tokens {
		keys = append(keys, token.Key)
	}
	if got := strings.Join(keys, ""); got != "abc" {
		t.Errorf("keys in order %s, want abc", got)
	}
}

func TestParseSCIMTokensReadsABoundedNumberOfKeys(t *testing.T) {
	data := map[string][]byte{}
	for i := range 5_000 {
		data[fmt.Sprintf("key-%04d", i)] = []byte(strings.Repeat("x", v1alpha1.MinSCIMTokenBytes))
	}
	tokens := v1alpha1.ParseSCIMTokens(data, nil)
	if len(tokens) != v1alpha1.MaxSCIMTokens+1 {
		t.Fatalf("%d tokens, expected %d and one that stands for the rest", len(tokens), v1alpha1.MaxSCIMTokens)
	}
	rest := tokens[v1alpha1.MaxSCIMTokens]
	if rest.Accepts(time.Time{}) || !strings.Contains(rest.Ignored, "4949 more") {
		t.Errorf("the rest is %+v", rest)
	}
	for _, token := range tokens[:v1alpha1.MaxSCIMTokens] {
		if token.Ignored != "" {
			t.Errorf("%s %s", token.Key, token.Ignored)
		}
	}
}
