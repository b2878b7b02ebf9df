// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"maps"
	"slices"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Duplicates finds two resources of the endpoint about one person or group, two accounts of one person, two groups of one displayName at
// LambdaTest, and people who are in both.
func (s *Snapshot) Duplicates() []Violation {
	var found []Violation
	seen := map[string]string{}
	once := func(what, whom, name string) {
		if earlier, twice := seen[what+whom]; twice {
			found = append(found, violationf("duplicates", whom, "%s: %s and %s", what, earlier, name))
		}
		seen[what+whom] = name
	}
	for i := range s.Users {
		if user := &s.Users[i]; v1alpha1.IsSCIM(user) {
			once("users of the provider", user.Spec.OrganizationRef.Name+"/"+v1alpha1.FoldUserName(user.Spec.UserName), user.Name)
		}
	}
	for i := range s.Groups {
		if group := &s.Groups[i]; v1alpha1.IsSCIM(group) && group.DeletionTimestamp.IsZero() {
			once("groups of the provider", group.Spec.OrganizationRef.Name+"/"+v1alpha1.FoldDisplayName(group.Spec.DisplayName), group.Name)
		}
	}
	for organization, accounts := range s.Accounts {
		for _, account := range accounts {
			once("accounts", organization+"/"+v1alpha1.FoldUserName(account.UserName), account.ID)
		}
	}
	for organization, groups := range s.Upstream {
		for _, group := range groups {
			name := organization + "/" + v1alpha1.FoldDisplayName(group.DisplayName)
			once("groups at LambdaTest", name, group.ID)
			for _, member := range group.Members {
				once("a member of "+name+" at LambdaTest", organization+"/"+v1alpha1.FoldUserName(member.UserName), group.ID)
			}
		}
	}
	return found
}

// CreatedTwice returns the people whose account was created more than once.
func CreatedTwice(changes map[string][]AccountChange) []Violation {
	var found []Violation
	for _, whom := range slices.Sorted(maps.Keys(changes)) {
		created := 0
		for _, c := range changes[whom] {
			if c.IsCreation() {
				created++
			}
		}
		if created > 1 {
			found = append(found, violationf("duplicates", whom, "the account was created %d times", created))
		}
	}
	return found
}
