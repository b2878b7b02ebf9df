// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import "time"

const (
	// defaultPageSize is the size of a page when "count" is absent (contract).
	defaultPageSize = 20

	// defaultMaxPageSize caps "count", so that every client has to page.
	defaultMaxPageSize = 100

	// maxBodyBytes bounds a request: a group of 10 000 members is about 300 KiB.
	maxBodyBytes = 8 << 20

	// maxRecords bounds the record of calls. Counts stay exact beyond it.
	maxRecords = 200_000

	// firstID is what ids start after; five digits, as LambdaTest's.
	firstID = 23_000

	// headerTimeout bounds how long a request may take to say what it wants.
	headerTimeout = 30 * time.Second
)
