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

// SCIMNamePrefix is the prefix of the name of every resource that the SCIM endpoint creates, and of no other resource.
const SCIMNamePrefix = "scim-"

// ImportNamePrefix is the prefix of the name of every resource that an import creates.
const ImportNamePrefix = "import-"

// digestLength is how many of the 52 base32 characters of a SHA-256 digest are kept: 26 characters, which hold 128 bits.
const digestLength = 26

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// FoldUserName returns the form in which userNames are compared: two userNames are the same person exactly when their folded forms
// are equal. It makes letters small, and changes nothing else: see docs/decisions/0004-who-is-the-same-person.md. Only letters whose small
// letter has no other capital are made small, so that no letter outside of ASCII becomes one of ASCII (the Kelvin sign, dotted capital I).
func FoldUserName(userName string) string { return fold(userName) }

// FoldDisplayName returns the form in which the displayNames of groups are compared, by the rule of FoldUserName.
func FoldDisplayName(displayName string) string { return fold(displayName) }

func fold(s string) string {
	if isLowerASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if small := unicode.ToLower(r); unicode.ToUpper(small) == r {
			return small
		}
		return r
	}, s)
}

// formerFold is the form in which earlier versions compared userNames: Unicode's canonical caseless form (section 3.13, D145), in which ß is
// ss. Only ids that they gave depend on it.
func formerFold(s string) string {
	folded := cases.Fold().String(norm.NFD.String(s))
	return norm.NFC.String(strings.Map(oneOfItsCases, folded))
}

// oneOfItsCases returns the same rune for all runes that differ only in case. Full folding alone does not: golang.org/x/text v0.44 folds
// capital Cherokee letters to small ones and small ones to capital ones.
func oneOfItsCases(r rune) rune {
	first := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		first = min(first, other)
	}
	return unicode.ToLower(first)
}

// isLowerASCII recognises strings that folding does not change: nearly every userName.
func isLowerASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || 'A' <= s[i] && s[i] <= 'Z' {
			return false
		}
	}
	return true
}

// PersonDigest returns 26 lower-case base32 characters that identify a person of an organization. They are safe in names, labels, logs
// and URLs, where a userName (an e-mail address) is not. The digest depends only on its arguments, so it is the same after a restore.
func PersonDigest(organization, userName string) string {
	return digest(organization, FoldUserName(userName))
}

// SCIMUserName returns the metadata.name, which is also the SCIM id, of the resource that the SCIM endpoint keeps for a person.
func SCIMUserName(organization, userName string) string {
	return SCIMNamePrefix + PersonDigest(organization, userName)
}

// FormerSCIMUserName returns the metadata.name that earlier versions gave the resource of a person, unless it is SCIMUserName, as for every
// address of ASCII letters. Such a resource keeps its name, which is its SCIM id.
func FormerSCIMUserName(organization, userName string) (name string, differs bool) {
	folded := fold(userName)
	if isLowerASCII(folded) {
		return "", false
	}
	former := formerFold(userName)
	return SCIMNamePrefix + digest(organization, former), former != folded
}

// SCIMGroupName returns the metadata.name, which is also the SCIM id, of the resource that the SCIM endpoint creates for a group
// of that displayName. attempt starts at 0, and the caller adds one while a group that was renamed or is being deleted has that name.
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

// digest separates its parts by a byte that none of them can contain, so that two different lists never hash the same input.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return lowerBase32.EncodeToString(sum[:])[:digestLength]
}
