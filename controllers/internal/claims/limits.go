// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

const (
	// portions are those that an organization's claims are listed in, so that a list of 100 000 takes 4 MB at a time and not 60.
	portions = 16
	// fewMembers are searched one by one, which takes no memory and less than a microsecond.
	fewMembers = 16
)
