// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package simulation runs the whole product in simulated time: replicas of the operator with their caches, leader election and SCIM endpoint,
// an API server in memory, LambdaTest's simulator, identity providers, Git, and people who change accounts at LambdaTest, in one bubble of
// testing/synctest, over a network in memory. A day of faults takes a minute. docs/simulation.md says what is simulated and what is not.
//
//	world.go     everything that runs, and the client of each party; tenant.go has the organizations
//	replica.go   one process of the operator: start, stop, crash
//	terms.go     which replica led when
//	schedule.go  seed -> which event when; events.go carries events out; faulty.go has faults that may overlap
//	hooks.go     traps for a kind of write, and which kinds of writes met which faults
//	judge.go     compares what happened with the promises (test/promises)
//	bubble.go    the bubble, the goroutines that are left in it, and a watchdog
//	storm.go     one storm, a shorter schedule for one that fails, and its timeline; trace.go
//
// It is test support: nothing that ships imports it.
package simulation
