// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command chaos uses the whole product while it injects random faults everywhere, and then checks whether the product kept its promises.
//
// Identity providers of several organizations send SCIM requests to three replicas, other clients apply manifests about the same people,
// and others edit accounts at LambdaTest. Meanwhile replicas are killed and paused, the API server and etcd are restarted, network links
// are slow, cut or half-open, LambdaTest fails, and tokens are rotated. A seed determines the schedule. Requests and answers are recorded
// as a history; the checks of test/promises compare it with the records of LambdaTest and of the API server. The clients are those of
// test/parties.
//
//	main.go             one run, from the start of everything to the report
//	schedule.go         seed -> which fault when, by test/schedule; pure
//	faults.go           carries out the schedule; links.go has the network
//	observer.go         the versions of the resources, and which replica led when
//	settle.go           waits until everything agrees; quiet.go looks whether it stays so
//	check_footprint.go  replicas that do not grow, which needs processes
//
// It is test support: nothing that ships imports it.
package main
