// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// SCIMNamePrefix begins the name of every resource that the SCIM endpoint creates, and of no other.
const SCIMNamePrefix = "scim-"

// ImportNamePrefix begins the name of every resource that an import creates.
const ImportNamePrefix = "import-"

// digestLength is how many of the 52 base32 characters of a SHA-256 digest are kept: 26 are 128 bits.
const digestLength = 26

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// FoldUserName returns the form in which userNames are compared: two of them are the same person exactly when their folded forms
// are equal. It is the canonical caseless form of Unicode (section 3.13, D145), composed (NFC).
func FoldUserName(userName string) string { return fold(userName) }

// FoldDisplayName returns the form in which the displayNames of groups are compared, by the rule of FoldUserName.
func FoldDisplayName(displayName string) string { return fold(displayName) }

func fold(s string) string {
	if isLowerASCII(s) {
		return s
	}
	folded := cases.Fold().String(norm.NFD.String(s))
	return norm.NFC.String(strings.Map(oneOfItsCases, folded))
}

// oneOfItsCases gives the same rune for all that differ only in case. Full folding alone does not: golang.org/x/text v0.44 folds
// capital and small Cherokee letters into each other.
func oneOfItsCases(r rune) rune {
	first := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		first = min(first, other)
	}
	return unicode.ToLower(first)
}

// isLowerASCII recognises what folding leaves alone, which is nearly every userName there is.
func isLowerASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || 'A' <= s[i] && s[i] <= 'Z' {
			return false
		}
	}
	return true
}

// PersonDigest returns 26 lower-case base32 characters that stand for a person of an organization: safe in names, labels, logs and
// URLs where a userName (an e-mail address) is not. It depends on nothing but its arguments, so a restored backup gives the same.
func PersonDigest(organization, userName string) string {
	return digest(organization, FoldUserName(userName))
}

// SCIMUserName returns the metadata.name, which is also the SCIM id, of the resource that the SCIM endpoint keeps for a person.
func SCIMUserName(organization, userName string) string {
	return SCIMNamePrefix + PersonDigest(organization, userName)
}

// SCIMGroupName returns the metadata.name, which is also the SCIM id, of the resource that the SCIM endpoint creates for a group
// of that displayName. attempt is 0, or counts up while the name before is taken by a group that was renamed or is being deleted.
func SCIMGroupName(organization, displayName string, attempt int) string {
	parts := []string{organization, FoldDisplayName(displayName)}
	if attempt > 0 {
		parts = append(parts, strconv.Itoa(attempt))
	}
	return SCIMNamePrefix + digest(parts...)
}

// ImportedUserName returns the metadata.name of the resource that an import creates for a person.
func ImportedUserName(organization, userName string) string {
	return ImportNamePrefix + PersonDigest(organization, userName)
}

// digest separates its parts by a byte that none of them can hold, so that no two lists of parts read alike.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return lowerBase32.EncodeToString(sum[:])[:digestLength]
}
