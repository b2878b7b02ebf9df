// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lane

import "time"

// How urgent work is. Within one class the queue is first come, first served. A handful of values, because each is a label of a metric.
const (
	// Denial is for people who are to lose access.
	Denial = 500
	// Granted is for people who hold a reservation for a call: until they are reconciled, no other call can use it. Where workers
	// are scarce, because the API server is slow, some person always holds one.
	Granted = 400
	// Deletion is for people whose last claim is being deleted. It may be a whole organization at once, so people who hold a reservation
	// come first, and so does every denial.
	Deletion = 350
	// Change is for people of whom a claim says something new.
	Change = 300
	// Sweep is for the pages of a sweep. Adoption waits for them, so they come before creations.
	Sweep = 250
	// Creation is for people who have no account yet.
	Creation = 200
	// Drift is for accounts that were changed at LambdaTest.
	Drift = 100
	// InitialList is for everything that was there when the operator started.
	InitialList = 0
	// Report is for the status of an organization. Organizations that are not open yet come first: the initial list queues them at
	// -100, and their denials wait.
	Report = -200
)

const (
	// MaxInFlight is how many calls an organization may have under way: a quarter of the default concurrency, so that a slow
	// organization leaves workers to the others.
	MaxInFlight = 24
	// denialsInFlight is how many more denials may be under way when all places are taken, so that no denial waits for a slow call.
	denialsInFlight = 4
	// agingShare gives every fourth grant that is no denial to the oldest ticket, so that none waits for ever.
	agingShare = 4
	// RetryShare is the part of an organization's rate, a fifth, that is left to people whose calls fail. It does not bind a denial until
	// the denial keeps failing.
	RetryShare = 5

	// CircuitThreshold is for how many people calls must fail, without a success between, before LambdaTest is taken for unavailable.
	CircuitThreshold = 3
	// minRate is the slowest an organization is slowed down to by 429s, in calls a second; each of them also brings a pause.
	minRate = 1
	// rateRecovery is how many successes bring the rate back to the ceiling.
	rateRecovery = 50

	// DenialBackoffMax bounds the wait of people who are to lose access: a denial is promised within 5 s of LambdaTest's return.
	DenialBackoffMax = 2 * time.Second
)
