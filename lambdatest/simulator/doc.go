// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package simulator is a LambdaTest that fits into a test: the SCIM API of one
// or more organizations, with state, over HTTP. It implements the contract and
// not what the client assumes: it shares no code and no struct with package
// lambdatest, and matches JSON names exactly. It is for tests and for the
// development environment; nothing that is shipped imports it.
//
//	sim := simulator.Start(simulator.Token("a-token"))
//	defer sim.Close()
//	client, err := lambdatest.New(sim.BaseURL(), "a-token")
//
// # Awkward by default
//
//   - Pages are small: 20 without "count", 100 at most.
//   - A POST for somebody who is there already resets the role to User unless it
//     says otherwise.
//   - Filters other than userName eq "x" (displayName eq "x" for groups), an op
//     that is not spelled as documented, other paths, "True" for true, a
//     concurrency group that does not exist: 400, and nothing is changed.
//   - Users of another organization are 400: by id, by filter, by POST.
//   - A concurrency group does not exist until ConcurrencyGroups names it.
//
// Each other awkwardness has a name. Switches are states, see Switches:
//
//	sim.Switch(func(s *simulator.Switches) { s.RepeatPages = true })
//
//	GroupsOff KeepRoleOnUpsert PageSize MaxPageSize Latency RateLimit HideRetryAfter
//	ShuffleLists TruncateLists GapsInPages RepeatPages WrongTotals
//	WrongIDs MissingIDs SomebodyElse
//
// Faults meet calls, the next one or as many as said, of one route or of all:
//
//	sim.FailNext(http.StatusTooManyRequests, simulator.RetryAfter(30*time.Second))
//	sim.Fail(http.StatusBadGateway, simulator.Probability(0.1))
//	sim.LoseNextAnswer(simulator.On("POST /Users"))
//
//	method            done   what the caller sees
//	FailNext, Fail    no     that status; RetryAfter, RetryAt, Body dress it
//	DropNext          no     a connection that ends
//	InterceptNext     no     200 and HTML, as from a proxy
//	LoseNextAnswer    yes    a connection that ends
//	GarbleNextAnswer  yes    200 and HTML
//	SlowNext          yes    the answer, later
//	HoldNext          yes    the answer, after Release
//
// Probabilities and shuffles draw from Seed.
//
// # Acting behind the caller's back
//
// AddAccount, EditAccount, RemoveAccount, AddForeignAccount, SetGroup,
// RemoveGroup, SetConcurrencyGroup and RotateToken are people at LambdaTest.
// Accounts, Groups, Calls, Counts, Writes and, with KeepChanges, Changes say
// what is, what was called and what became of accounts; none of them counts as
// a call.
//
// # Over HTTP
//
// The API is below /api/scim. Beside it, without a token but from this machine
// only, with "?org=name" for another organization than the first:
//
//	GET    /_state                {"accounts": […], "groups": […], "calls": {"POST /Users": 1}}
//	GET    /_calls                every call: method, route, path, query, body, time, status, fault
//	DELETE /_calls                forgets them
//	POST   /_accounts             {"userName": …, "givenName": …, "role": …, "active": …, "foreign": true}
//	PUT    /_accounts/{userName}  edits what the body names, {"active": false}; POST does the same
//	DELETE /_accounts/{userName}  takes the account away for good
//	POST   /_faults               {"clear": true, "switches": {"latency": "100ms"}, "concurrencyGroups": {"QA": true},
//	                              "faults": [{"kind": "refuse", "status": 429, "retryAfter": "30", "call": "POST /Users", "times": 1}]}
//	POST   /_token                {"token": …} replaces the token
//
// The program in cmd/simulator serves all that.
package simulator
