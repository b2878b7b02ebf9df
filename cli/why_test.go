// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

func TestWhy(t *testing.T) {
	for _, test := range []struct {
		name   string
		groups []*v1alpha1.LambdaTestGroup
		claims []*v1alpha1.LambdaTestUser
		says   []string
		not    []string
	}{
		{
			name: "a person who may sign in", claims: []*v1alpha1.LambdaTestUser{claim("ada", withRole("User"))},
			says: []string{
				"ada@example.com in organization default can sign in, as User.\n",
				"LambdaTestUser/ada (declared) says that the person may sign in.",
				"The role User is from LambdaTestUser/ada.",
				"To take access away: deactivate the person at the identity provider",
			},
		},
		{
			name:   "a denial that one resource alone asks for",
			claims: []*v1alpha1.LambdaTestUser{claim("ada", off, ready(v1alpha1.DeniedByAnotherClaimReason, "")), claim("scim-a", ofProvider, denying, off)},
			says: []string{
				"cannot sign in: the account is off.", "LambdaTestUser/scim-a (identity provider) denies the person since 2026-02-01T08:00:00Z.",
				"One denial is enough", "The account was off at 2026-02-01T08:00:03Z.", "reactivate the person at the identity provider.",
			},
			not: []string{"LambdaTestUser/ada where it is declared"},
		},
		{
			name:   "two denials, both of which must end",
			claims: []*v1alpha1.LambdaTestUser{claim("deny-a", denying, off, byCommand), claim("scim-a", ofProvider, denying, off)},
			says: []string{
				`LambdaTestUser/deny-a (declared) denies the person since 2026-02-01T08:00:00Z, written by grace ("laptop stolen").`,
				"undeny ada@example.com --organization default -n default; and reactivate the person at the identity provider.",
			},
		},
		{
			name: "a person whom the identity provider deleted",
			claims: []*v1alpha1.LambdaTestUser{claim("scim-a", ofProvider, denying, off, func(user *v1alpha1.LambdaTestUser) {
				user.Spec.DeletedAt = &fired
			})},
			says: []string{"because the identity provider deleted the person at 2026-02-01T08:00:00Z", "assign the person again at the identity provider"},
		},
		{
			name: "a person who is denied and can still sign in",
			claims: []*v1alpha1.LambdaTestUser{claim("ada", denying, ready(v1alpha1.DeniedButActiveReason,
				"LambdaTest does not answer."))},
			says: []string{
				"is denied since 2026-02-01T08:00:00Z and can still sign in.\n", "The operator says DeniedButActive: LambdaTest does not answer.",
				"deactivate the person by hand at LambdaTest",
			},
		},
		{
			name: "a denied person whose account is out of sight", claims: []*v1alpha1.LambdaTestUser{claim("ada", denying, off, ready(v1alpha1.DeniedButActiveReason, ""))},
			says: []string{"may still be able to sign in.\n"},
		},
		{
			name: "an account that no resource claims", claims: []*v1alpha1.LambdaTestUser{claim("import-a", imported)},
			says: []string{"No resource decides about this account", "deny ada@example.com --reason REASON", "export ada@example.com"},
		},
		{
			name: "a role that a group overrules", groups: []*v1alpha1.LambdaTestGroup{adminsGroup()},
			claims: []*v1alpha1.LambdaTestUser{claim("scim-a", ofProvider, withRole("Guest"))},
			says: []string{
				"The role Admin is from LambdaTestGroup/admins (Admins).", "LambdaTestUser/scim-a (identity provider) says Guest and is overruled.",
				"LambdaTest still has the role User.",
			},
		},
		{
			name: "a role that no resource decides", claims: []*v1alpha1.LambdaTestUser{claim("ada")},
			says: []string{"No resource decides the role: User is the role that the account has at LambdaTest."},
		},
		{
			name: "a person whom the guard holds", claims: []*v1alpha1.LambdaTestUser{claim("ada", deleting, ready(v1alpha1.DeprovisionHeldReason, "held"))},
			says: []string{"it is being deleted", "The operator says DeprovisionHeld: held", "kubectl lambdatest status --organization default -n default"},
		},
		{
			name:   "a denied person without an account",
			claims: []*v1alpha1.LambdaTestUser{claim("ada", denying, func(user *v1alpha1.LambdaTestUser) { user.Status.Account = nil })},
			says:   []string{"has no account there, and none is created while a resource denies the person"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			read := rosterOf(test.groups, test.claims...)
			var out bytes.Buffer
			explained := read.explain(read.people()[0])
			explained.print(&out)
			for _, sentence := range test.says {
				if !strings.Contains(out.String(), sentence) {
					t.Errorf("does not say %q", sentence)
				}
			}
			for _, sentence := range test.not {
				if strings.Contains(out.String(), sentence) {
					t.Errorf("says %q", sentence)
				}
			}
			if t.Failed() {
				t.Log(out.String())
			}
		})
	}
}

func TestWhyKnowsFromTheAuditTrailWhatResourcesDoNotSayAnyMore(t *testing.T) {
	trail := trailOf(t,
		`{"event":"DenialDone","time":"2026-02-01T08:00:03Z","person":"GONE","decided":"2026-02-01T08:00:00Z","done":"2026-02-01T08:00:03Z"}`,
		`{"event":"Called","time":"2026-02-01T08:00:02Z","person":"GONE","call":"UpdateUser","outcome":"done","changes":[{"attribute":"active","from":"true","to":"false"}],"because":["LambdaTestUser/gone"],"decided":"2026-02-01T08:00:00Z"}`,
		`{"event":"Called","time":"2026-01-01T08:00:02Z","person":"PERSON","call":"CreateUser","outcome":"done"}`)
	read := rosterOf(nil, claim("ada"))
	for argument, want := range map[string][]string{
		"ada@example.com": {"can sign in, as User.", "2026-01-01T08:00:02Z: CreateUser at LambdaTest: done."},
		"Gone@example.com": {
			"No resource is about Gone@example.com in organization default.\n",
			"  - 2026-02-01T08:00:02Z: UpdateUser at LambdaTest: done; active: true → false; because of LambdaTestUser/gone; decided at 2026-02-01T08:00:00Z.\n" +
				"  - 2026-02-01T08:00:03Z: the person has no active account any more; decided at 2026-02-01T08:00:00Z.\n",
		},
	} {
		explained, err := read.explainAll(read.people(), trail, argument)
		if err != nil || len(explained) != 1 {
			t.Fatalf("%s: %v", argument, err)
		}
		var out bytes.Buffer
		explained[0].print(&out)
		for _, sentence := range want {
			if !strings.Contains(out.String(), sentence) {
				t.Errorf("does not say %q:\n%s", sentence, out.String())
			}
		}
	}
	if _, err := read.explainAll(read.people(), trail, "nobody@example.org"); err == nil || !strings.Contains(err.Error(), "is about nobody@example.org") {
		t.Errorf("somebody whom nothing is about: %v", err)
	}
	if _, err := read.explainAll(read.people(), nil, "gone@example.com"); err == nil {
		t.Error("without a trail, somebody whose resources are gone is known")
	}
}
