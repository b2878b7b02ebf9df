// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package controllers makes LambdaTest agree with the LambdaTestUsers, LambdaTestGroups and LambdaTestOrganizations of a cluster.
//
// A LambdaTestUser is a claim. Work is keyed by the person that claims are about, so one worker at a time touches an account:
//
//		claims ──merge──► desired ┐
//		                          ├─plan──► change ──lane──► one call ──settle──► conditions of each claim
//		table ──observe─► observed┘
//
//	  - merge (person_merge.go) and plan (person_plan.go) are pure: values in, a value out. The role that groups give comes into merge
//	    as a value, groupRole. A policy that may hold a change back, such as the guard, belongs between plan and lane: inTheWay
//	    (person_converge.go) is asked there and answers with a situation; change says whether it mutates, denies, and what differs.
//	  - The guard (policy in guard.go, which is pure; memory in guard_memory.go; writes in guard_store.go) is asked before access is taken
//	    away. It never waits: it answers from memory, or once one goroutine an organization has written the answer down, and then wakes
//	    whoever asked.
//	  - A connection (connection.go) is all that is in memory about an organization. The organization controller uses, blocks and
//	    closes it. Everybody calls LambdaTest through connection.call, after lane.acquire (a reconcile, which never waits) or
//	    lane.wait (a goroutine, which may).
//	  - A lane (lane.go) decides who of an organization calls next: by urgency, then by age, within rate, circuit (circuit.go) and
//	    calls in flight. Who has to wait is woken up through a doorway (doorway.go) when the turn comes.
//	  - accounts (accounts.go) is what is known of an organization's accounts, and since when: from the last complete comparison
//	    (sweep.go), from every call since, and after a restart from status. setbacks are what stands in the way of single people, and
//	    ledger how everybody stands, which is what counts are made of.
//	  - A situation (situation.go) is where things stand, for people; outcome.go maps what happened upstream to one, and settle
//	    (conditions.go) alone turns it into conditions. Status is written once, and only where it differs.
//
// It imports api and lambdatest, and never scimserver: the two meet in the API server. It is no policy of the SCIM endpoint, and the
// client that it calls knows nothing of Kubernetes.
package controllers
