// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package simulator simulates LambdaTest in a test: the SCIM API of one or more
// organizations, with state, over HTTP. It implements the contract and not the
// assumptions of the client: it shares no code and no struct with package
// lambdatest, and matches JSON names exactly. It is for tests and for the
// development environment; the operator does not import it.
//
//	sim := simulator.Start(simulator.Token("a-token"))
//	defer sim.Close()
//	client, err := lambdatest.New(sim.BaseURL(), "a-token")
//
// # Awkward by default
//
//   - Pages are small: 20 without "count", 100 at most.
//   - A POST for an existing account resets its role to User, unless the POST
//     names a role.
//   - Filters other than userName eq "x" (displayName eq "x" for groups), an op
//     that is not spelled as documented, other paths, "True" for true, a
//     concurrency group that does not exist: all are 400 and change nothing.
//   - A call about a user of another organization is 400: by id, filter or POST.
//   - A concurrency group does not exist until ConcurrencyGroups names it.
//
// Other awkward behaviour has names. Switches are on until switched off:
//
//	sim.Switch(func(s *simulator.Switches) { s.RepeatPages = true })
//
//	GroupsOff KeepRoleOnUpsert PageSize MaxPageSize Latency RateLimit HideRetryAfter
//	ShuffleLists TruncateLists GapsInPages RepeatPages WrongTotals
//	WrongIDs MissingIDs SomebodyElse
//
// Faults apply to calls: to the next one or to several, of one route or of all:
//
//	sim.FailNext(http.StatusTooManyRequests, simulator.RetryAfter(30*time.Second))
//	sim.Fail(http.StatusBadGateway, simulator.Probability(0.1))
//	sim.LoseNextAnswer(simulator.On("POST /Users"))
//
//	method            done   what the caller sees
//	FailNext, Fail    no     that status; with RetryAfter, RetryAt, Body
//	DropNext          no     a connection that ends
//	InterceptNext     no     200 and HTML, as from a proxy
//	LoseNextAnswer    yes    a connection that ends
//	GarbleNextAnswer  yes    200 and HTML
//	SlowNext          yes    the answer, later
//	HoldNext          yes    the answer, after Release
//
// Probabilities and shuffles use Seed.
//
// # Acting behind the caller's back
//
// AddAccount, EditAccount, RemoveAccount, AddForeignAccount, SetGroup,
// RemoveGroup, SetConcurrencyGroup and RotateToken are changes that people make
// at LambdaTest itself. Accounts and Groups return the state, Calls, Counts and
// Writes the calls so far, and Changes (with KeepChanges) the changes of accounts.
// None of these methods counts as a call.
//
// # Over HTTP
//
// The API is below /api/scim. The following paths need no token, and answer only
// requests from this machine. "?org=name" selects another organization than the
// first:
//
//	GET    /_state                {"accounts": […], "groups": […], "calls": {"POST /Users": 1}}
//	GET    /_calls                every call: method, route, path, query, body, time, status, fault
//	DELETE /_calls                forgets them
//	POST   /_accounts             {"userName": …, "givenName": …, "role": …, "active": …, "foreign": true}
//	PUT    /_accounts/{userName}  edits what the body names, {"active": false}; POST does the same
//	DELETE /_accounts/{userName}  removes the account permanently
//	POST   /_faults               {"clear": true, "switches": {"latency": "100ms"}, "concurrencyGroups": {"QA": true},
//	                              "faults": [{"kind": "refuse", "status": 429, "retryAfter": "30", "call": "POST /Users", "times": 1}]}
//	POST   /_token                {"token": …} replaces the token
//
// The program in cmd/simulator serves all that.
package simulator
