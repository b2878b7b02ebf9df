// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"slices"
	"strings"
)

const enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// isUnstored tells whether a path names an attribute that the RFC has and that is not stored.
func (t *ResourceType) isUnstored(name, sub string) bool {
	for known, subs := range t.Unstored {
		if strings.EqualFold(known, name) {
			return sub == "" || containsFold(subs, sub)
		}
	}
	return false
}

func containsFold(names []string, name string) bool {
	return slices.ContainsFunc(names, func(known string) bool { return strings.EqualFold(known, name) })
}

// isEnterprise tells whether an attribute belongs to the enterprise extension.
func isEnterprise(name string) bool {
	return containsFold([]string{"employeeNumber", "costCenter", "organization", "division", "department", "manager"}, name)
}
