// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import "time"

// Bounds are the promised times. They apply while LambdaTest is reachable.
type Bounds struct {
	// Deny is how long a denied person may stay active while a leader runs.
	Deny time.Duration
	// Failover, the lease and ten seconds, applies from the death of a leader, and to a call of that leader that takes effect late.
	Failover time.Duration
	// Return applies to a new leader whose election took longer than a lease, from its election.
	Return time.Duration
	// Sweep applies to a change that was made at LambdaTest itself: one sweep, with its jitter and the reading of the list.
	Sweep time.Duration
}

// Promised returns the bounds for organizations whose sweeps take at most that long, from the begin of one to the end of the next.
func Promised(sweep time.Duration) Bounds {
	return Bounds{Deny: 5 * time.Second, Failover: 25 * time.Second, Return: 10 * time.Second, Sweep: sweep}
}

// InFlight is how long a call may be in flight after its caller died or its answer was lost, and how long a healed link may still delay
// answers.
const InFlight = 10 * time.Second
