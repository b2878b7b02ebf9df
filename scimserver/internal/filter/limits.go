// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package filter

const (
	// maxBytes of a filter or a path, and maxNesting of its brackets: what people and providers write is far below.
	maxBytes   = 8 << 10
	maxNesting = 32
	// maxTerms of a filter: each is evaluated for every resource of the organization.
	maxTerms = 100
)
