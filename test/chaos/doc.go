// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command chaos uses the whole product while it injects random faults everywhere, and then checks whether the product kept its promises.
//
// Identity providers of several organizations send SCIM requests to three replicas, other clients apply manifests about the same people,
// and others edit accounts at LambdaTest. Meanwhile replicas are killed and paused, the API server and etcd are restarted, network links
// are slow, cut or half-open, LambdaTest fails, and tokens are rotated. A seed determines the schedule. Requests and answers are recorded
// as a history; the checks compare it with the records of LambdaTest and of the API server. Each check is a file.
//
//	main.go        one run, from the start of everything to the report
//	schedule.go    seed -> which fault when; pure
//	faults.go      carries out the schedule; links.go has the network
//	provider.go    clients of SCIM; writers.go writes manifests and accounts at LambdaTest, and has an intruder
//	history.go     requests and answers; user_model.go and group_model.go say which answers are allowed
//	observer.go    the versions of the resources, and which replica led when
//	check_*.go     the promises
//
// It is test support: nothing that ships imports it.
package main
