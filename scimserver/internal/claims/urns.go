// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

// Schema URNs. The extensions are LambdaTest's own, so that a provider's mapping for LambdaTest works here unchanged.
const (
	userSchema           = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema          = "urn:ietf:params:scim:schemas:core:2.0:Group"
	userExtension        = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"
	groupExtension       = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group"
	organizationRoleName = "OrganizationRole"
	lambdatestGroupName  = "LambdatestGroup"
	lambdatestRolesName  = "LambdatestRoles"
)
