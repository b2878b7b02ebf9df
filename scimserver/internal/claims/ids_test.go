// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import "github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"

// idInAcme is the id of a person of the organization acme.
func idInAcme(userName string) string { return v1alpha1.SCIMUserName("acme", userName) }
