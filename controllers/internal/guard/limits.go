// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package guard

import "time"

const (
	// window is what the guard's limits are counted in; its defaults are those of the API.
	window         = time.Hour
	defaultMinimum = 10
	defaultPercent = 20
	// tokenLength makes 80 bits, short enough to be typed.
	tokenLength = 16
	// quiet is how long the held set must stay the same before the organization names its new token.
	quiet = 2 * time.Second
	// gather is how long a write waits for more requests, while people are held.
	gather = 50 * time.Millisecond
	// retryPause is how long after a failed write the next one begins.
	retryPause = time.Second
	// checkInterval is how often the guard asks, while people are held, whether their namespace or definition is being deleted.
	checkInterval = 15 * time.Second
	// maxListed is how many entries the API takes in a list of status.guard, and maxListedBytes bounds the size of each of the four: with
	// the annotations, which may take 256 kB, the organization stays below the 1.5 MiB that etcd takes. Further entries wait for room.
	maxListed      = 10000
	maxListedBytes = 300_000
	// maxBy is how many bytes status takes of the name of who decided.
	maxBy = 256
	// maxEntryBytes is more than an entry takes: the name of a resource has 253 characters.
	maxEntryBytes = 320
)
