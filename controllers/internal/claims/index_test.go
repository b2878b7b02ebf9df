// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

func TestPersonIndexHasWhoIsNotFoundByName(t *testing.T) {
	of := func(name string) *v1alpha1.LambdaTestUser { return MakeUser(ada).Named(name).Of("default").Obj() }
	for name, test := range map[string]struct {
		claim *v1alpha1.LambdaTestUser
		want  int
	}{
		"a declared claim":                          {of("ada"), 1},
		"the identity provider's claim":             {of(v1alpha1.SCIMUserName("default", ada)), 0},
		"an import":                                 {of(v1alpha1.ImportedUserName("default", ada)), 0},
		"a claim with the name of somebody else's":  {of(v1alpha1.SCIMUserName("default", "grace@example.com")), 1},
		"a claim with a name of another connection": {of(v1alpha1.SCIMUserName("other", ada)), 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Indexers()[personIndex](test.claim); len(got) != test.want {
				t.Errorf("is indexed by %q, want %d values", got, test.want)
			}
		})
	}
}

const ada = "ada@example.com"

// The name of an organization in a claim is free text.
func TestPeopleAndGroupsOfTwoOrganizationsNeverShareAnIndexValue(t *testing.T) {
	one, other := PersonKey{Organization: "default/x", UserName: "y@example.com"}, PersonKey{Organization: "default", UserName: "x/y@example.com"}
	if one.indexValue() == other.indexValue() {
		t.Errorf("%v and %v are both indexed by %q", one, other, one.indexValue())
	}
	groupOf := func(organization, displayName string) *v1alpha1.LambdaTestGroup {
		return &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{OrganizationRef: v1alpha1.OrganizationReference{Name: organization}, DisplayName: displayName}}
	}
	if family := FamilyOf(groupOf("default/Team", "QA")); family == FamilyOf(groupOf("default", "Team/QA")) {
		t.Errorf("groups of two organizations are both of the family %q", family)
	}
}
