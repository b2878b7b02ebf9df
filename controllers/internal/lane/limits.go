// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lane

import (
	"time"
)

// How urgent work is. Within one class the queue is first come, first served. A handful of values, because each is a label of a metric.
const (
	// Denial is for people who are to lose access.
	Denial = 500
	// Granted is for people who hold a reservation for a call: whoever waits for them waits for nothing. As long as workers are what
	// is short, because the API server is slow, there is always somebody with one.
	Granted = 400
	// Deletion is for people about whom the last claim goes. It may be a whole organization at once: whoever holds a reservation
	// comes first, and so does every denial.
	Deletion = 350
	// Change is for people of whom something else was said.
	Change = 300
	// Sweep is for the pages of a sweep. Adoption waits for them, so they come before creations.
	Sweep = 250
	// Creation is for people who have no account yet.
	Creation = 200
	// Drift is for accounts that were changed at LambdaTest.
	Drift = 100
	// InitialList is for everything that was there when the operator started.
	InitialList = 0
	// Report is for what the status of an organization is to say. Organizations that were not opened yet come first: the initial
	// list brings them at -100, and their denials wait.
	Report = -200
)

const (
	// MaxInFlight is how many calls an organization may have under way: a quarter of the default concurrency, so that slow
	// organizations leave workers to the others.
	MaxInFlight = 24
	// denialsInFlight is how many more denials may be under way when all places are taken, so that none waits for a slow call.
	denialsInFlight = 4
	// agingShare lets every fourth grant that is no denial go to whoever waits longest, so that nobody waits for ever.
	agingShare = 4
	// RetryShare is the part of an organization's rate that is left to people whose calls fail. A denial is not bound by it until it
	// keeps failing.
	RetryShare = 5

	// CircuitThreshold is how many people in a row must fail before the organization is taken for unavailable.
	CircuitThreshold = 3
	// minRate is the slowest an organization is slowed down to by 429s, in calls a second; each of them also brings a pause.
	minRate = 1
	// rateRecovery is how many successes it takes from there back to the ceiling.
	rateRecovery = 50

	// DenialBackoffMax bounds the wait of people who are to lose access: a denial is promised within 5 s of LambdaTest's return.
	DenialBackoffMax = 2 * time.Second
)
