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
//   - Only the answer to POST shows a user's concurrency group.
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
//	GroupsOff PageSize MaxPageSize Latency RateLimit HideRetryAfter ReassertAfter
//	TruncateLists GapsInPages RepeatPages WrongTotals
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
// # Readings
//
// Where LambdaTest's documents are silent or contradict each other, a Reading
// names what they allow. Readings lists all of them with their settings, the
// default first; docs/simulator.md has the same as a table.
//
//	sim := simulator.Start(simulator.Reads(simulator.Settings{"errors": "html"}))
//	err := sim.SetReadings(simulator.Settings{"total-results": "this-page"})
//
// Answers says how many answers each setting shaped, so that a test can tell
// that a setting was never met.
//
// # Mappings
//
// A group can be mapped to a team, a concurrency group or a sub-organization, as
// an administrator (MapGroup) or a rule (SetRules) does in the vendor's console.
// Members are assigned while the mapping is Approved or Auto-Approved; DeleteTarget
// and a rename may make it Pending. A member of a mapped sub-organization (see
// AddSubOrganization) leaves the parent and comes back on leaving the group.
// Mappings that exclude each other are Conflicts until Resolve. An account has a
// custom role of its own (Account.CustomRole), or that of a team (SetTeam).
//
// # Acting behind the caller's back
//
// AddAccount, EditAccount, RemoveAccount, AddForeignAccount, SetGroup,
// RemoveGroup, SetConcurrencyGroup and RotateToken are changes that people make
// at LambdaTest itself, and so are the functions for mappings. Accounts and Groups
// return the state, Calls, Counts and Writes the calls so far, and Changes (with
// KeepChanges) the changes of accounts. None of these methods counts as a call.
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
//	GET    /_readings             every reading, its setting, and the answers that each setting shaped
//	PATCH  /_readings             {"errors": "html"} sets these; PUT also resets all others to their default
//	GET    /_mappings             the mapping of every group
//	PUT    /_mappings/{group}     {"kind": "team"|"concurrencyGroup"|"subOrganization", "target": …, "state": "Approved"}
//	DELETE /_mappings/{group}     deletes the entity to which the group is mapped
//	PUT    /_rules                [{"type": "prefix"|"regex"|"all", "pattern": …, "priority": 1, "kind": …, "autoApprove": true}]; GET shows them
//	GET    /_conflicts            [{"userName": …, "current": …, "incoming": …}]
//	POST   /_conflicts            one of them, with "use": "current"|"incoming"
//	PUT    /_teams/{name}         {"customRole": …} makes a team
//	POST   /_sub-organizations    {"name": …, "token": …}
//
// The program in cmd/simulator serves all that.
package simulator
