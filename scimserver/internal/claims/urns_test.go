// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

func TestTheExtensionIsReadUnderEveryNameOfTheVendor(t *testing.T) {
	for brand, known := range map[string]bool{
		"LambdaTest": true, "lambdatest": true, "TestMu AI": true, "TestMuAI": true, "TESTMU AI": true, "Lambda Test": true, " TestMu  AI ": true, "TestMu\u00a0AI": true,
		"TestMu": false, "enterprise": false, "TestMu-AI": false, "": false,
	} {
		urn := extensionPrefix + brand + ":2.0:User"
		want := v1alpha1.Role("")
		if known {
			want = v1alpha1.RoleAdmin
		}
		for form, change := range map[string]UserChange{
			"PUT, object":                  PutUser(map[string]any{urn: map[string]any{organizationRoleName: "Admin"}}),
			"PUT, one key":                 PutUser(map[string]any{urn + ":" + organizationRoleName: "Admin"}),
			"PATCH, path-less":             PatchUser([]scim.Operation{{Verb: scim.Replace, Value: map[string]any{urn: map[string]any{organizationRoleName: "Admin"}}}}),
			"PATCH, path-less, one key":    PatchUser([]scim.Operation{{Verb: scim.Add, Value: map[string]any{urn + ":" + organizationRoleName: "Admin"}}}),
			"PATCH, path of the extension": PatchUser([]scim.Operation{{Verb: scim.Replace, Path: urn, Value: map[string]any{organizationRoleName: "Admin"}}}),
			"PATCH, path":                  PatchUser([]scim.Operation{{Verb: scim.Replace, Path: urn + ":" + organizationRoleName, Value: "Admin"}}),
		} {
			user := &v1alpha1.LambdaTestUser{Spec: v1alpha1.LambdaTestUserSpec{UserName: "ada@example.com", Name: v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"}}}
			if spec, _, err := change.On(user, UserRules{}); (err != nil || !known) && spec.Role != "" || known && (err != nil || spec.Role != want) {
				t.Errorf("%q, %s: role %q, want %q: %v", brand, form, spec.Role, want, err)
			}
		}
	}
}

func TestTheExtensionOfGroupsIsReadUnderEveryNameOfTheVendor(t *testing.T) {
	group := &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "Testers"}}
	path := extensionPrefix + "TestMu AI:2.0:Group:" + lambdatestRolesName
	change := PatchGroup([]scim.Operation{{Verb: scim.Replace, Path: path, Value: []any{"Admin"}}})
	changed, err := applied(group, GroupRules{CheckDisplayName: func(string) error { return nil }}, change)
	if err != nil || len(changed.Roles) != 1 {
		t.Errorf("%v: %v", changed, err)
	}
}
