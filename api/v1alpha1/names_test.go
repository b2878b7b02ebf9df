// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

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
		{"case of other alphabets", "ÄRGER.Жанна.ΣΊΣΥΦΟΣ@example.com", "ärger.жанна.σίσυφοσ@example.com", true},
		{"Cherokee capital", "\u13a0@example.com", "\uab70@example.com", true},
		{"sharp s", "admin@strasse.example", "admin@straße.example", false},
		{"capital sharp s", "ada@stra\u1e9ee.example", "ada@straße.example", false},
		{"final sigma", "ada@ελλάς.example", "ada@ελλάσ.example", false},
		{"long s", "jo\u017fe@example.com", "jose@example.com", false},
		{"ligature", "\ufb01n@example.com", "fin@example.com", false},
		{"Kelvin sign", "\u212aim@example.com", "kim@example.com", false},
		{"Angstrom sign", "\u212bsa@example.com", "\u00e5sa@example.com", false},
		{"Ohm sign", "\u2126@example.com", "\u03c9@example.com", false},
		{"micro sign", "\u00b5@example.com", "\u03bc@example.com", false},
		{"dotless i", "k\u0131m@example.com", "kim@example.com", false},
		{"dotted capital I", "\u0130da@example.com", "ida@example.com", false},
		{"zero width joiner", "a\u200dda@example.com", "ada@example.com", false},
		{"full width", "\uff41da@example.com", "ada@example.com", false},
		{"trailing dot", "ada@example.com.", "ada@example.com", false},
		{"iota below", "\u1fb3@example.com", "\u03b1\u03b9@example.com", false},
		{"composed and decomposed", "caf\u00e9@example.com", "cafe\u0301@example.com", false},
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

// A letter and its only capital are one; no letter becomes one of another alphabet, or more than one letter.
func TestFoldUserNameJoinsALetterAndItsCapitalOnly(t *testing.T) {
	joined := map[string][]rune{}
	for r := rune(1); r <= unicode.MaxRune; r++ {
		folded := v1alpha1.FoldUserName(string(r))
		if again := v1alpha1.FoldUserName(folded); again != folded {
			t.Errorf("%U folds to %q, and that to %q", r, folded, again)
		}
		if utf8.ValidRune(r) {
			joined[folded] = append(joined[folded], r)
		}
		if r >= 0x80 && len(folded) == 1 {
			t.Errorf("%U folds to %q, which is ASCII", r, folded)
		}
	}
	for folded, letters := range joined {
		if len(letters) > 2 || len(letters) == 2 && unicode.ToUpper(letters[1]) != letters[0] && unicode.ToUpper(letters[0]) != letters[1] {
			t.Errorf("%U all fold to %q", letters, folded)
		}
	}
}

func TestFormerSCIMUserNameIsTheIdThatEarlierVersionsGave(t *testing.T) {
	for userName, expected := range map[string]string{
		"admin@straße.example":   v1alpha1.SCIMUserName("default", "admin@strasse.example"),
		"ada@ελλάς.example":      v1alpha1.SCIMUserName("default", "ada@ελλάσ.example"),
		"JO\u017fE@example.com":  v1alpha1.SCIMUserName("default", "jose@example.com"),
		"cafe\u0301@example.com": v1alpha1.SCIMUserName("default", "caf\u00e9@example.com"),
	} {
		if name, differs := v1alpha1.FormerSCIMUserName("default", userName); name != expected || !differs {
			t.Errorf("the former id of %q is %q (differs: %v), expected %q", userName, name, differs, expected)
		}
	}
	for _, userName := range []string{"ada@example.com", "ADA@example.com", "жанна@example.com"} {
		if _, differs := v1alpha1.FormerSCIMUserName("default", userName); differs {
			t.Errorf("the id of %q is another than before", userName)
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
