// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

func TestFoldUserNameSaysWhoIsTheSamePerson(t *testing.T) {
	for _, test := range []struct {
		name, one, other string
		same             bool
	}{
		{"equal", "ada@example.com", "ada@example.com", true},
		{"case", "Ada@Example.COM", "ada@example.com", true},
		{"sharp s", "STRASSE@example.com", "straße@example.com", true},
		{"final sigma", "ΣΊΣΥΦΟΣ@example.com", "σίσυφος@example.com", true},
		{"composed and decomposed", "caf\u00e9@example.com", "cafe\u0301@example.com", true},
		{"decomposed capital", "CAFE\u0301@example.com", "caf\u00e9@example.com", true},
		{"Cherokee capital", "\u13a0@example.com", "\uab70@example.com", true},
		{"Kelvin sign", "\u212aim@example.com", "kim@example.com", true},
		{"iota below", "\u1fb3@example.com", "\u03b1\u03b9@example.com", true},
		{"another person", "ada@example.com", "adam@example.com", false},
		{"a tag is part of the address", "ada+1@example.com", "ada@example.com", false},
		{"an accent is part of the address", "cafe@example.com", "caf\u00e9@example.com", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if same := v1alpha1.FoldUserName(test.one) == v1alpha1.FoldUserName(test.other); same != test.same {
				t.Errorf("%q and %q: same person is %v, expected %v", test.one, test.other, same, test.same)
			}
		})
	}
}

func TestFoldUserNameOfAFoldedNameIsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		folded := v1alpha1.FoldUserName(rapid.String().Draw(t, "userName"))
		if again := v1alpha1.FoldUserName(folded); again != folded {
			t.Fatalf("%q folds to %q", folded, again)
		}
	})
}

func TestFoldUserNameOfEveryLetterIsThatOfAllItsCases(t *testing.T) {
	for r := rune(1); r <= unicode.MaxRune; r++ {
		folded := v1alpha1.FoldUserName(string(r))
		if again := v1alpha1.FoldUserName(folded); again != folded {
			t.Errorf("%U folds to %q, and that to %q", r, folded, again)
		}
		if other := unicode.SimpleFold(r); v1alpha1.FoldUserName(string(other)) != folded {
			t.Errorf("%U and %U differ only in case, and fold to different forms", r, other)
		}
	}
}

func TestSCIMUserNameIsAnIdWithoutAnAddressInIt(t *testing.T) {
	form := regexp.MustCompile(`^scim-[a-z2-7]{26}$`)
	rapid.Check(t, func(t *rapid.T) {
		organization, userName := rapid.String().Draw(t, "organization"), rapid.String().Draw(t, "userName")
		if name := v1alpha1.SCIMUserName(organization, userName); !form.MatchString(name) {
			t.Fatalf("%q is not of the form %s", name, form)
		}
	})
}

// Identity providers and backups store ids: the id of a person must never change.
func TestSCIMUserNameNeverChanges(t *testing.T) {
	const expected = "scim-3irzrh5ttlhbmhlcpqesbkw5oe"
	for _, userName := range []string{"ada@example.com", "ADA@example.com"} {
		if name := v1alpha1.SCIMUserName("default", userName); name != expected {
			t.Errorf("the id of %q is %q, expected %q", userName, name, expected)
		}
	}
}

func TestSCIMUserNameDiffersBetweenOrganizations(t *testing.T) {
	if v1alpha1.SCIMUserName("one", "ada@example.com") == v1alpha1.SCIMUserName("two", "ada@example.com") {
		t.Error("two organizations give one id to ada@example.com")
	}
}

func TestSCIMGroupNameTakesTheNextSuffix(t *testing.T) {
	first := v1alpha1.SCIMGroupName("default", "Testers", 0)
	if first != v1alpha1.SCIMGroupName("default", "TESTERS", 0) {
		t.Error("a displayName in capitals gives another id")
	}
	if first == v1alpha1.SCIMGroupName("default", "Testers", 1) {
		t.Error("attempt 1 gives the same id as attempt 0")
	}
	if !strings.HasPrefix(first, v1alpha1.SCIMNamePrefix) {
		t.Errorf("%q does not begin with %q", first, v1alpha1.SCIMNamePrefix)
	}
}
