// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import "strings"

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

// extensionPrefix precedes the vendor's name in the URNs of its extensions.
const extensionPrefix = "urn:ietf:params:scim:schemas:extension:"

// brands are the names of the vendor, in lower case and without spaces. Newer pages of the vendor tell administrators to enter the URN of the
// extension with the new name, "TestMu AI".
var brands = map[string]bool{"lambdatest": true, "testmuai": true}

// lambdaTestName gives a key or a path that begins with the URN of an extension the name LambdaTest, in whatever spelling of the brand it came.
func lambdaTestName(path string) string {
	if len(path) < len(extensionPrefix) || !strings.EqualFold(path[:len(extensionPrefix)], extensionPrefix) {
		return path
	}
	brand, rest, found := strings.Cut(path[len(extensionPrefix):], ":")
	if !found || !brands[strings.ToLower(strings.Join(strings.Fields(brand), ""))] {
		return path
	}
	return extensionPrefix + "LambdaTest:" + rest
}
