// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

func TestAttributesThatLookLikeLambdaTestsAndAreNotAreNamed(t *testing.T) {
	for _, test := range []struct {
		name  string
		table *scim.ResourceType
		body  string
		want  []string
	}{
		{"what a provider sends", UserType, `{"schemas":["` + userSchema + `"],"userName":"a@example.com","active":true,"name":{"givenName":"A","familyName":"B"},
			"emails":[{"value":"a@example.com"}],"locale":"en","title":"x","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x","organization":"LambdaTest"},
			"` + userExtension + `":{"OrganizationRole":"Admin","lambdatestgroup":"x"},"groups":[],"roles":[]}`, nil},
		{"the brand's new name", UserType, `{"urn:ietf:params:scim:schemas:extension:TestMu AI:2.0:User":{"OrganizationRole":"Admin"}}`, nil},
		{"another vendor's URN", UserType, `{"urn:ietf:params:scim:schemas:extension:TestMu:2.0:User":{"OrganizationRole":"Admin"}}`, []string{"urn:ietf:params:scim:schemas:extension:TestMu:2.0:User"}},
		{"another version", UserType, `{"urn:ietf:params:scim:schemas:extension:LambdaTest:1.0:User:OrganizationRole":"Admin"}`, []string{"urn:ietf:params:scim:schemas:extension:LambdaTest:1.0:User:OrganizationRole"}},
		{"the extension of groups in a user", UserType, `{"` + groupExtension + `":{"LambdatestRoles":["Admin"]}}`, []string{groupExtension}},
		{"a misspelling", UserType, `{"` + userExtension + `":{"OrganisationRole":"Admin"}}`, []string{userExtension + ":OrganisationRole"}},
		{"anything else in the extension", UserType, `{"` + userExtension + `":{"Team":"x"}}`, []string{userExtension + ":Team"}},
		{"without a URN", UserType, `{"organizationRole":"Admin"}`, []string{"organizationRole"}},
		{"in the core schema", UserType, `{"` + userSchema + `":{"OrganizationRole":"Admin"}}`, []string{"OrganizationRole"}},
		{"in the core schema, one key", UserType, `{"` + userSchema + `:OrganizationRole":"Admin"}`, []string{userSchema + ":OrganizationRole"}},
		{"in an extension of the provider's own", UserType, `{"urn:okta:app:1.0:user:custom":{"OrganizationRole":"Admin","x":"y"}}`, []string{"urn:okta:app:1.0:user:custom:OrganizationRole"}},
		{"in a group", GroupType, `{"displayName":"x","LambdatestRoles":["Admin"]}`, []string{"LambdatestRoles"}},
		{"a path", UserType, `{"Operations":[{"op":"replace","path":"OrganizationRole","value":"Admin"}]}`, []string{"OrganizationRole"}},
		{"a path that is no path", UserType, `{"Operations":[{"op":"replace","path":"urn:x:Lambda Test:2.0:User:OrganizationRole","value":"Admin"}]}`, []string{"urn:x:Lambda Test:2.0:User:OrganizationRole"}},
		{"a key of an operation", UserType, `{"Operations":[{"op":"add","value":{"active":true,"lambdatest_group":"x"}}]}`, []string{"lambdatest_group"}},
		{"a name that is a secret", UserType, `{"urn:lambdatest:ada@example.com\u001b[2K":"x"}`, []string{"urn:lambdatest:ada?example.com?"}},
		{"core roles, not taken", UserType, `{"roles":[{"value":"admin"}]}`, []string{"roles"}},
		{"core roles, not LambdaTest's", UserType, `{"roles":["Editor"]}`, nil},
		{"core roles, taken", coreRolesUserType, `{"roles":"Admin"}`, nil},
		{"core roles, taken, one of them LambdaTest's", coreRolesUserType, `{"roles":["Admin","Editor"]}`, []string{"roles"}},
		{"core roles in a path", coreRolesUserType, `{"Operations":[{"op":"add","path":"roles[primary eq \"True\"].value","value":"Editor"}]}`, []string{"roles"}},
	} {
		if got := Ignored(test.table, decoded(t, test.body), true); !cmp.Equal(got, test.want) && len(got)+len(test.want) > 0 {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if got := Ignored(UserType, decoded(t, `{"roles":[{"value":"Admin","primary":true}]}`), false); len(got) > 0 {
		t.Errorf("a PUT may repeat the role that it was shown: %q", got)
	}
}
