// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

const (
	// maxNesting of a JSON body: a SCIM resource needs five levels; a decoder's stack should not be the client's to choose.
	maxNesting = 32
	// maxOperations of one PATCH: Entra sends one per attribute, others one per member.
	maxOperations = 5000
	// maxElements of an attribute that is no Set: each operation of a PATCH looks at all of them. What is stored has far fewer.
	maxElements = 100
)
