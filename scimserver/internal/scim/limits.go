// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

const (
	// maxNesting of a JSON body: a SCIM resource needs five levels; a decoder's stack should not be the client's to choose.
	maxNesting = 32
)

const (
	// maxOperations of one PATCH: Entra sends one per attribute, others one per member.
	maxOperations = 5000
)
