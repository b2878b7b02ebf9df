// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package organization is the reconciler of LambdaTestOrganizations: it opens, changes and closes the connection, creates the SCIM token, and
// writes the status. It makes no call to LambdaTest. It imports internal, api, lambdatest and lambdatest/hosts, and no other reconciler.
package organization
