// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"strings"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

func adaWith(role v1alpha1.Role) *v1alpha1.LambdaTestUser {
	return &v1alpha1.LambdaTestUser{Spec: v1alpha1.LambdaTestUserSpec{
		UserName: "ada@example.com", Name: v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"}, Role: role, ConcurrencyGroup: "mobile",
	}}
}

func TestCoreRolesAreTheRoleWhereTheExtensionIsSilent(t *testing.T) {
	rules := UserRules{coreRoles: true}
	const inExtension = `"` + userExtension + `":{"OrganizationRole":"Guest"}`
	for body, want := range map[string]v1alpha1.Role{
		`{"roles":"admin"}`:                                    v1alpha1.RoleAdmin,
		`{"roles":["Admin"]}`:                                  v1alpha1.RoleAdmin,
		`{"roles":[{"value":"Admin","primary":true}]}`:         v1alpha1.RoleAdmin,
		`{"roles":[{"value":"Admin","primary":"True"}]}`:       v1alpha1.RoleAdmin,
		`{"ROLES":["Guest","Admin"]}`:                          v1alpha1.RoleAdmin,
		`{"` + userSchema + `:roles":["Guest"]}`:               v1alpha1.RoleGuest,
		`{"roles":["Editor","Guest"]}`:                         v1alpha1.RoleGuest,
		`{"roles":["Editor"]}`:                                 v1alpha1.RoleUser,
		`{"displayName":"x"}`:                                  v1alpha1.RoleUser,
		`{"roles":[]}`:                                         "",
		`{"roles":["Admin"],` + inExtension + `}`:              v1alpha1.RoleGuest,
		`{"roles":[{"value":"Guest","primary":true},"Admin"]}`: v1alpha1.RoleGuest,
	} {
		spec, leftOut, err := PutUser(decoded(t, body)).On(adaWith(v1alpha1.RoleUser), rules)
		if err != nil || leftOut != nil || spec.Role != want {
			t.Errorf("PUT %s: role %q, want %q: %v, %v", body, spec.Role, want, leftOut, err)
		}
		if _, extends := decoded(t, body)[userExtension]; !extends && spec.ConcurrencyGroup != "mobile" {
			t.Errorf("PUT %s: a PUT without the extension keeps the concurrency group", body)
		}
	}
	for operation, want := range map[string]v1alpha1.Role{
		`{"op":"Add","path":"roles","value":[{"value":"Admin"}]}`:                                     v1alpha1.RoleAdmin,
		`{"op":"replace","path":"roles","value":"Guest"}`:                                             v1alpha1.RoleGuest,
		`{"op":"Add","path":"roles[primary eq \"True\"].value","value":"Guest"}`:                      v1alpha1.RoleGuest,
		`{"op":"add","value":{"roles":[{"value":"Guest","primary":true}]}}`:                           v1alpha1.RoleGuest,
		`{"op":"replace","value":{"roles":"Editor"}}`:                                                 v1alpha1.RoleUser,
		`{"op":"remove","path":"roles"}`:                                                              "",
		`{"op":"remove","path":"roles[value eq \"User\"]"}`:                                           "",
		`{"op":"remove","path":"roles[value eq \"Editor\"]"}`:                                         v1alpha1.RoleUser,
		`{"op":"replace","path":"` + userExtension + `:OrganizationRole","value":"Guest"}`:            v1alpha1.RoleGuest,
		`{"op":"replace","value":{"roles":"Admin","` + userExtension + `:OrganizationRole":"Guest"}}`: v1alpha1.RoleGuest,
	} {
		operations, err := scim.ReadPatch(decoded(t, `{"Operations":[`+operation+`]}`))
		if err != nil {
			t.Fatal(err)
		}
		if spec, _, err := PatchUser(operations).On(adaWith(v1alpha1.RoleUser), rules); err != nil || spec.Role != want {
			t.Errorf("PATCH %s: role %q, want %q: %v", operation, spec.Role, want, err)
		}
		plain := v1alpha1.RoleUser
		if strings.Contains(operation, organizationRoleName) {
			plain = v1alpha1.RoleGuest
		}
		if spec, _, err := PatchUser(operations).On(adaWith(v1alpha1.RoleUser), UserRules{}); err != nil || spec.Role != plain {
			t.Errorf("PATCH %s without coreRoles: role %q, want %q: %v", operation, spec.Role, plain, err)
		}
	}
}

func TestCoreRolesStayBelowMaxRole(t *testing.T) {
	rules := UserRules{coreRoles: true, maxRole: v1alpha1.RoleUser}
	if spec, _, err := PutUser(decoded(t, `{"roles":"Admin"}`)).On(adaWith(v1alpha1.RoleUser), rules); err == nil {
		t.Errorf("role %q is above maxRole", spec.Role)
	}
	if post, err := PostUser(decoded(t, `{"userName":"a@example.com","name":{"givenName":"A","familyName":"B"},"roles":["Admin"]}`), rules); err == nil {
		t.Errorf("role %q is above maxRole", post.Spec.Role)
	}
}

func TestRolesShowWhatTheProviderSaidWhereTheyCount(t *testing.T) {
	user := adaWith(v1alpha1.RoleGuest)
	user.Status.Effective = &v1alpha1.EffectiveState{Role: v1alpha1.RoleAdmin}
	for coreRoles, want := range map[bool]string{false: "Admin", true: "Guest"} {
		view := &UserView{User: user, CoreRoles: coreRoles, Groups: func(string) []*v1alpha1.LambdaTestGroup { return nil }}
		shown := rendered(t, UserType, view, scim.Projection{})
		if role := shown["roles"].([]any)[0].(map[string]any)["value"]; role != want {
			t.Errorf("coreRoles %t: %v is shown, want %s", coreRoles, role, want)
		}
		if _, extends := shown[userExtension].(map[string]any)[organizationRoleName]; extends == coreRoles {
			t.Errorf("coreRoles %t: the role in the extension is shown: %t", coreRoles, extends)
		}
		spec, leftOut, err := PutUser(shown).On(user, UserRules{coreRoles: coreRoles})
		if err != nil || leftOut != nil || spec.Role != v1alpha1.RoleGuest || spec.ConcurrencyGroup != "mobile" {
			t.Errorf("coreRoles %t: a PUT of what GET showed changes %+v: %v, %v", coreRoles, spec, leftOut, err)
		}
	}
}
