// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command chaos uses the whole product while everything about it is broken at random, and then looks whether its promises held.
//
// Identity providers of several organizations speak SCIM to three replicas, somebody applies manifests about the same people, and
// somebody edits accounts at LambdaTest. Meanwhile replicas are killed and paused, the API server and etcd are restarted, links between
// every two parties are slow, cut or half-open, LambdaTest fails, and tokens are rotated, by a schedule that follows from a seed. What
// was asked and answered is a history; checks compare it with what LambdaTest and the API server recorded. Each check is a file.
//
//	main.go        one run, from the start of everything to the report
//	schedule.go    seed -> what goes wrong when; pure
//	faults.go      carries the schedule out; links.go has the network
//	provider.go    clients of SCIM; writers.go manifests, accounts at LambdaTest, and an intruder
//	history.go     what was asked and answered; user_model.go, group_model.go what may be answered
//	observer.go    what the resources said, who led, and when
//	check_*.go     the promises
//
// It is test support: nothing that ships imports it.
package main
