// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import "time"

const (
	// defaultPageSize is the size of a page when "count" is absent (contract).
	defaultPageSize = 20

	// defaultMaxPageSize limits "count", so that every client must read several pages.
	defaultMaxPageSize = 100

	// maxBodyBytes bounds a request: a group of 10 000 members is about 300 KiB.
	maxBodyBytes = 8 << 20

	// maxRecords bounds the record of calls. Counts stay exact beyond it.
	maxRecords = 200_000

	// defaultReassertAfter is how long a mapping takes to set its concurrency
	// group back: within a minute (contract).
	defaultReassertAfter = 30 * time.Second

	// firstID is the number before the first id; ids have five digits, as at LambdaTest.
	firstID = 23_000

	// headerTimeout bounds how long a client may take to send the headers of a request.
	headerTimeout = 30 * time.Second
)
