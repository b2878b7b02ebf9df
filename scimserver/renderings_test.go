// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

func TestKeptRenderingsAreTheSame(t *testing.T) {
	kept := newRenderings()
	for range 2 {
		for name, change := range map[string]func(*claims.UserView){
			"everything":         func(*claims.UserView) {},
			"no groups":          func(v *claims.UserView) { v.Groups = func(string) []*v1alpha1.LambdaTestGroup { return nil } },
			"text like the cut":  func(v *claims.UserView) { v.User.Spec.DisplayName = metaBegin },
			"a base with quotes": func(v *claims.UserView) { v.Base = `http://"x"` },
		} {
			view := shown()
			change(view)
			want := string(claims.UserType.Append(nil, view, scim.Projection{}))
			if got := string(indexedUser{view, kept}.appendWhole(nil)); got != want {
				t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
			}
			if got := string(indexedUser{view, kept}.appendWhole(nil)); got != want {
				t.Errorf("%s, the second time:\ngot  %s\nwant %s", name, got, want)
			}
			kept.forget(view.User)
		}
	}
	if kept.bytes != 0 || len(kept.byUser) != 0 {
		t.Errorf("%d bytes, %d users are kept after all were forgotten", kept.bytes, len(kept.byUser))
	}
}

func TestKeptRenderingsAreBounded(t *testing.T) {
	kept := newRenderings()
	for range 3 * maxRenderedBytes / 1000 {
		kept.of(shown().User)
	}
	if kept.bytes > maxRenderedBytes {
		t.Errorf("%d bytes are kept", kept.bytes)
	}
}

// shown is a user in a group.
func shown() *claims.UserView {
	user := &v1alpha1.LambdaTestUser{Spec: v1alpha1.LambdaTestUserSpec{
		UserName: "ada@example.com", DisplayName: "Ada L.", ExternalID: "00uA", Role: v1alpha1.RoleUser,
		Name: v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"},
	}}
	user.Name = "scim-abc"
	group := &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "Engineers"}}
	group.Name = "scim-g"
	return &claims.UserView{
		Base: "https://scim.example.com/scim/v2", User: user,
		Groups: func(string) []*v1alpha1.LambdaTestGroup { return []*v1alpha1.LambdaTestGroup{group} },
	}
}
