// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// duplicates finds two resources of the endpoint about one person or group, two accounts of one person, and accounts that were created
// twice.
func (s *snapshot) duplicates(accounts []string, changes map[string][]accountChange) []violation {
	var found []violation
	seen := map[string]string{}
	once := func(what, whom, name string) {
		if earlier, twice := seen[what+whom]; twice {
			found = append(found, violation{Check: "duplicates", Whom: whom, Detail: fmt.Sprintf("%s: %s and %s", what, earlier, name)})
		}
		seen[what+whom] = name
	}
	for i := range s.users {
		if user := &s.users[i]; v1alpha1.IsSCIM(user) {
			once("users of the provider", user.Spec.OrganizationRef.Name+"/"+v1alpha1.FoldUserName(user.Spec.UserName), user.Name)
		}
	}
	for i := range s.groups {
		if group := &s.groups[i]; v1alpha1.IsSCIM(group) && group.DeletionTimestamp.IsZero() {
			once("groups of the provider", group.Spec.OrganizationRef.Name+"/"+v1alpha1.FoldDisplayName(group.Spec.DisplayName), group.Name)
		}
	}
	for _, name := range accounts {
		once("accounts", name, name)
	}
	for whom, ofPerson := range changes {
		created := 0
		for _, c := range ofPerson {
			if c.isCreation() {
				created++
			}
		}
		if created > 1 {
			found = append(found, violation{Check: "duplicates", Whom: whom, Detail: fmt.Sprintf("the account was created %d times", created)})
		}
	}
	return found
}
