// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package promises is the oracle of the tests that look at the whole operator while everything around it fails: it compares what was
// recorded in a run with the promises of docs/reliability.md. It knows the promises and no code of the operator but the API types.
//
// A run records values. Times are Moments since its start:
//
//   - History: requests of providers and their answers, also those whose answer was lost (history.go; user_model.go and group_model.go say
//     which answers are allowed);
//   - Versions: each version of each resource, in the order of the API server (versions.go);
//   - AccountChange: each change of an account at LambdaTest, and which call made it (accounts.go);
//   - Period: which fault was when, and which replica led (period.go);
//   - Snapshot: resources and LambdaTest at one time (snapshot.go).
//
// A check is a pure function from such values to Violations, in a file of its own, with a test that shows it failing on a bad record.
// Record.Violations runs all checks of what was recorded over time; Snapshot.Differences and Snapshot.Duplicates look at one time.
//
//	deny.go         a denied person is off in time; said.go knows what the provider said
//	lost.go         an acknowledged request is not lost; linear.go: each answer is right
//	duplicates.go   nothing is there twice, and no account was created twice
//	writes.go       one call for each change, and none that changes nothing
//	settled.go      resources and LambdaTest agree, or a resource says why not; merge.go knows what the claims ask for
//	wishes.go       no call does what no party asked for; no claim says Synced while it is not so
//	conditions.go   the reason of each condition fits
//	guard.go        a prune takes no more people than the guard lets go; guard_hours.go: nor does anything else, in any hour
//	policy.go       no other client changes the provider's resources
//	quiet.go        nothing is written while nothing changes
//	tables.go       no table in memory grows with time
//
// test/chaos uses it with processes in real time, test/simulation in simulated time. The people and programs that such a run needs are in
// test/parties. It is test support: nothing that ships imports it.
package promises
