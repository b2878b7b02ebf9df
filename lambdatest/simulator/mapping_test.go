// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

const (
	one   = "user-000001@example.com"
	two   = "user-000002@example.com"
	three = "user-000003@example.com"
)

// mapped maps a group with those members.
func mapped(t *testing.T, sim *simulator.Server, group string, kind simulator.EntityKind, target string, members ...string) {
	t.Helper()
	sim.SetGroup(group, nil, members...)
	if err := sim.MapGroup(group, simulator.Mapping{Kind: kind, Target: target}); err != nil {
		t.Fatal(err)
	}
}

// groupsOf are the concurrency groups of those accounts.
func groupsOf(sim *simulator.Server, userNames ...string) string {
	var all []string
	for _, userName := range userNames {
		account, _ := sim.Account(userName)
		all = append(all, account.ConcurrencyGroup)
	}
	return strings.Join(all, " ")
}

func TestAMappedConcurrencyGroupHasTheMembersAndTheyFallBackToTheDefault(t *testing.T) {
	sim := started(t, simulator.Population(3), simulator.DefaultConcurrencyGroup("Default"))
	mapped(t, sim, "QA", simulator.ConcurrencyGroup, "QA pool", one, two)
	if got := groupsOf(sim, one, two, three); got != "QA pool QA pool " {
		t.Errorf("the concurrency groups are %q", got)
	}
	// The group of the mapping exists from now on.
	play(t, sim, step{"PATCH /Users/23003", replace(userPath+":LambdatestGroup", `"QA pool"`), 200, ""})

	group, _ := sim.Group("QA")
	play(t, sim, step{"PATCH /Groups/" + group.ID, patchOf(`{"op": "Remove", "path": "members", "value": [{"value": "23001"}]}`), 200, ""})

	if got := groupsOf(sim, one, two, three); got != "Default QA pool QA pool" {
		t.Errorf("the concurrency groups are %q", got)
	}
	play(t, sim, step{"DELETE /Groups/" + group.ID, "", 204, ""})
	if got := groupsOf(sim, one, two); got != "Default Default" {
		t.Errorf("after the deletion of the group, the concurrency groups are %q", got)
	}
}

func TestMembersOfASubOrganizationLeaveTheParentAndComeBack(t *testing.T) {
	sim := started(t, simulator.Population(3))
	sub := sim.AddSubOrganization("europe", "token-of-europe")
	inEurope := func(call string) answer {
		method, path, _ := strings.Cut(call, " ")
		return send(t, method, sim.BaseURL()+path, "token-of-europe", "")
	}
	play(t, sim, step{"POST /Groups", `{"displayName": "EU", "members": [{"value": "23001"}, {"value": "23003"}]}`, 201, ""})
	if err := sim.MapGroup("EU", simulator.Mapping{Kind: simulator.SubOrganization, Target: "europe"}); err != nil {
		t.Fatal(err)
	}

	play(t, sim, step{"GET /Users/23001", "", 400, ""}, step{"DELETE /Users/23001", "", 400, ""})
	if got := listedIDs(t, sim, ""); got != "23002" {
		t.Errorf("the parent lists %s", got)
	}
	if got := inEurope("GET /Users/23001"); got.status != http.StatusOK || len(sub.Accounts()) != 2 {
		t.Errorf("the sub-organization answers %d and has %v", got.status, sub.Accounts())
	}
	if got := inEurope("GET /Users/23002"); got.status != http.StatusBadRequest {
		t.Errorf("the sub-organization answers %d about the parent's user", got.status)
	}
	if got := inEurope("DELETE /Users/23003"); got.status != http.StatusNoContent {
		t.Errorf("the sub-organization answers %d to a denial", got.status)
	}

	// The parent's group keeps its members, and can be written with them.
	play(t, sim, step{"PUT /Groups/23004", `{"displayName": "EU", "members": [{"value": "23001"}]}`, 200, ""},
		step{"PUT /Groups/23004", `{"displayName": "EU"}`, 200, ""})
	if got := listedIDs(t, sim, ""); got != "23001 23002 23003" {
		t.Errorf("after their return the parent lists %s", got)
	}
	if account, _ := sim.Account(three); account.Active || len(sub.Accounts()) != 0 {
		t.Errorf("they came back as %+v, and the sub-organization has %v", account, sub.Accounts())
	}
}

func TestATeamGivesItsCustomRoleAndAWriteDoesNotTakeIt(t *testing.T) {
	sim := started(t, simulator.Population(1))
	sim.SetTeam("QA", "QA Lead")
	mapped(t, sim, "QA", simulator.Team, "QA", one)

	written := role(t, ask(t, sim, "PATCH /Users/23001", replace(userPath+":OrganizationRole", `"Guest"`)))
	sim.RemoveGroup("QA")
	left := role(t, ask(t, sim, "GET /Users/23001", ""))

	if written != "QA Lead" || left != "Guest" {
		t.Errorf("in the team the role is %s, without it %s", written, left)
	}
}

func TestACustomRoleOfAnAccountIsTakenByAWrite(t *testing.T) {
	sim := started(t, with(func(a *simulator.Account) { a.CustomRole = "QA Lead" }))
	if got := role(t, ask(t, sim, "PATCH /Users/23001", replace(userPath+":OrganizationRole", `"Guest"`))); got != "Guest" {
		t.Errorf("the role is %s", got)
	}
}

func TestPendingAndRejectedMappings(t *testing.T) {
	sim := started(t, simulator.Population(2))
	setState := func(state simulator.MappingState, members ...string) string {
		sim.SetGroup("QA", nil, members...)
		if err := sim.MapGroup("QA", simulator.Mapping{Kind: simulator.ConcurrencyGroup, Target: "QA", State: state}); err != nil {
			t.Fatal(err)
		}
		return groupsOf(sim, one, two)
	}
	if got := setState(simulator.Pending, one); got != " " {
		t.Errorf("pending from the start: %q", got)
	}
	if got := setState(simulator.Approved, one); got != "QA " {
		t.Errorf("approved: %q", got)
	}
	setState(simulator.Pending, one)
	sim.SetGroup("QA", nil, one, two)
	if got := groupsOf(sim, one, two); got != "QA " {
		t.Errorf("pending again, with one more member: %q", got)
	}
	if got := setState(simulator.Rejected, one, two); got != " " {
		t.Errorf("rejected: %q", got)
	}
}

func TestRulesMapGroupsThatAreCreatedOrRenamed(t *testing.T) {
	sim := started(t, simulator.Population(1))
	sim.AddSubOrganization("org-eu", "token-of-eu")
	before := sim.SetGroup("pool-old", nil)
	if err := sim.SetRules(
		simulator.Rule{Type: "all", Priority: 1, Kind: simulator.Team},
		simulator.Rule{Type: "prefix", Pattern: "POOL-", Priority: 3, Kind: simulator.ConcurrencyGroup, AutoApprove: true},
		simulator.Rule{Type: "regex", Pattern: "^org-", Priority: 2, Kind: simulator.SubOrganization, AutoApprove: true},
	); err != nil {
		t.Fatal(err)
	}
	play(t, sim, step{"POST /Groups", `{"displayName": "pool-a", "members": [{"value": "23001"}]}`, 201, ""})
	for _, name := range []string{"org-eu", "org-us", "design"} {
		sim.SetGroup(name, nil)
	}

	want := map[string]simulator.Mapping{
		"pool-old": {State: simulator.Pending, Assigned: []string{}}, // older than the rules
		"pool-a":   {Kind: simulator.ConcurrencyGroup, Target: "pool-a", State: simulator.AutoApproved, Assigned: []string{one}},
		"org-eu":   {Kind: simulator.SubOrganization, Target: "org-eu", State: simulator.AutoApproved, Assigned: []string{}},
		"org-us":   {Kind: simulator.SubOrganization, State: simulator.Pending, Assigned: []string{}}, // there is none to take
		"design":   {Kind: simulator.Team, State: simulator.Pending, Assigned: []string{}},
	}
	if diff := cmp.Diff(want, sim.Mappings()); diff != "" {
		t.Errorf("unexpected mappings (-want +got):\n%s", diff)
	}

	play(t, sim, step{"PATCH /Groups/" + before.ID, replace("displayName", `"pool-new"`), 200, ""})
	if got := sim.Mappings()["pool-new"].State; got != simulator.AutoApproved {
		t.Errorf("renamed, it is %s", got)
	}
}

func TestARenameRenamesTheEntityAndMayFallBackToPending(t *testing.T) {
	sim := started(t, simulator.Population(2))
	if err := sim.SetRules(simulator.Rule{Type: "prefix", Pattern: "pool-", Kind: simulator.ConcurrencyGroup, AutoApprove: true}); err != nil {
		t.Fatal(err)
	}
	group := sim.SetGroup("pool-a", nil, one)
	rename := func(name string) simulator.MappingState {
		play(t, sim, step{"PATCH /Groups/" + group.ID, replace("displayName", `"`+name+`"`), 200, ""})
		return sim.Mappings()[name].State
	}

	if state := rename("pool-b"); state != simulator.AutoApproved || groupsOf(sim, one) != "pool-b" {
		t.Errorf("renamed within the rule, it is %s and the concurrency group is %q", state, groupsOf(sim, one))
	}
	if state := rename("mobile"); state != simulator.Pending || groupsOf(sim, one) != "mobile" {
		t.Errorf("renamed out of the rule, it is %s and the concurrency group is %q", state, groupsOf(sim, one))
	}
	sim.SetGroup("mobile", nil, one, two)
	if got := groupsOf(sim, one, two); got != "mobile " {
		t.Errorf("pending, it assigned %q", got)
	}

	mapped(t, sim, "mobile", simulator.ConcurrencyGroup, "mobile", one)
	if state := rename("web"); state != simulator.Approved || groupsOf(sim, one) != "web" {
		t.Errorf("approved by a person and renamed, it is %s and the concurrency group is %q", state, groupsOf(sim, one))
	}
}

func TestADeletedTargetWaitsForAPerson(t *testing.T) {
	sim := started(t, simulator.Population(1))
	if err := sim.SetRules(simulator.Rule{Type: "all", Kind: simulator.ConcurrencyGroup, AutoApprove: true}); err != nil {
		t.Fatal(err)
	}
	group := sim.SetGroup("QA", nil, one)
	if err := sim.DeleteTarget("QA"); err != nil {
		t.Fatal(err)
	}
	play(t, sim, step{"PATCH /Groups/" + group.ID, replace("displayName", `"Dev"`), 200, ""})

	want := simulator.Mapping{Kind: simulator.ConcurrencyGroup, Target: "QA", State: simulator.Pending, TargetDeleted: true, Assigned: []string{}}
	if diff := cmp.Diff(want, sim.Mappings()["Dev"]); diff != "" || groupsOf(sim, one) != "" {
		t.Errorf("the concurrency group is %q, and the mapping (-want +got):\n%s", groupsOf(sim, one), diff)
	}
	mapped(t, sim, "Dev", simulator.ConcurrencyGroup, "Dev", one)
	if groupsOf(sim, one) != "Dev" {
		t.Errorf("mapped again, the concurrency group is %q", groupsOf(sim, one))
	}
}

func TestACompetingMappingIsAConflictUntilAPersonResolvesIt(t *testing.T) {
	sim := started(t, simulator.Population(2))
	sub := sim.AddSubOrganization("europe", "token-of-europe")
	mapped(t, sim, "QA", simulator.ConcurrencyGroup, "QA", one, two)
	mapped(t, sim, "Dev", simulator.ConcurrencyGroup, "Dev", one)
	mapped(t, sim, "EU", simulator.SubOrganization, "europe", two)

	pool, europe := simulator.Conflict{UserName: one, Current: "QA", Incoming: "Dev"}, simulator.Conflict{UserName: two, Current: "QA", Incoming: "EU"}
	if diff := cmp.Diff([]simulator.Conflict{pool, europe}, sim.Conflicts()); diff != "" || groupsOf(sim, one, two) != "QA QA" {
		t.Errorf("the concurrency groups are %q, and the conflicts (-want +got):\n%s", groupsOf(sim, one, two), diff)
	}

	if err := sim.Resolve(pool, false); err != nil {
		t.Fatal(err)
	}
	if err := sim.Resolve(europe, true); err != nil {
		t.Fatal(err)
	}

	if _, moved := sub.Account(two); !moved || len(sim.Conflicts()) != 0 || groupsOf(sim, one) != "QA" {
		t.Errorf("moved %v, conflicts %v, the concurrency group is %q", moved, sim.Conflicts(), groupsOf(sim, one))
	}
	// A decision is remembered, and a group that goes resolves the rest.
	sim.SetGroup("Dev", nil)
	sim.SetGroup("Dev", nil, one)
	if len(sim.Conflicts()) != 0 {
		t.Errorf("the same conflict came back: %v", sim.Conflicts())
	}
	sim.RemoveGroup("QA")
	if groupsOf(sim, one) != "Dev" {
		t.Errorf("the group that is left gives %q", groupsOf(sim, one))
	}
}

func TestAMappingThatIsSetBackByHandReassertsItself(t *testing.T) {
	moving := &clock{}
	sim := started(t, simulator.Population(1), simulator.Clock(moving.now),
		simulator.With(simulator.Switches{ReassertAfter: simulator.Duration(time.Second)}))
	mapped(t, sim, "QA", simulator.ConcurrencyGroup, "QA", one)
	if _, err := sim.EditAccount(one, func(a *simulator.Account) { a.ConcurrencyGroup = "Dev" }); err != nil {
		t.Fatal(err)
	}
	if got := groupsOf(sim, one); got != "Dev" {
		t.Errorf("at once it is %q", got)
	}
	moving.advance(time.Second)
	if got := groupsOf(sim, one); got != "QA" {
		t.Errorf("after a second it is %q", got)
	}
}

func TestTheConsoleOverHTTP(t *testing.T) {
	sim := started(t, simulator.Population(1))
	sim.SetGroup("QA", nil, one)
	sim.SetGroup("Dev", nil, one)
	for _, test := range []struct {
		call, body string
		status     int
		want       string
	}{
		{"POST /_sub-organizations", `{"name": "europe", "token": "token-of-europe"}`, 201, ""},
		{"POST /_sub-organizations", `{"name": "europe", "token": "another"}`, 409, ""},
		{"POST /_sub-organizations", `{"name": "asia"}`, 400, ""},
		{"PUT /_mappings/QA", `{"kind": "concurrencyGroup", "target": "QA"}`, 200,
			`{"Dev": {"state": "Pending", "assigned": []}, "QA": {"kind": "concurrencyGroup", "target": "QA", "state": "Approved", "assigned": ["` + one + `"]}}`},
		{"PUT /_mappings/Dev", `{"kind": "concurrencyGroup", "target": "QA"}`, 409, ""},
		{"PUT /_mappings/Dev", `{"kind": "subOrganization", "target": "asia"}`, 400, ""},
		{"PUT /_mappings/Dev", `{"kind": "subOrganization"}`, 400, ""},
		{"PUT /_mappings/Dev", `{"kind": "squad", "target": "QA"}`, 400, ""},
		{"PUT /_mappings/Dev", `{"kind": "team", "target": "QA", "state": "Perhaps"}`, 400, ""},
		{"PUT /_mappings/Ops", `{"kind": "team", "target": "QA"}`, 404, ""},
		{"PUT /_mappings/Dev", `{"kind": "subOrganization", "target": "europe"}`, 200, ""},
		{"GET /_conflicts", ``, 200, `[{"userName": "` + one + `", "current": "QA", "incoming": "Dev"}]`},
		{"POST /_conflicts", `{"userName": "` + one + `", "current": "QA", "incoming": "Dev", "use": "none"}`, 400, ""},
		{"POST /_conflicts", `{"userName": "` + one + `", "current": "Dev", "incoming": "QA", "use": "current"}`, 404, ""},
		{"POST /_conflicts", `{"userName": "` + one + `", "current": "QA", "incoming": "Dev", "use": "incoming"}`, 200, `[]`},
		{"DELETE /_mappings/Dev", ``, 200, ""},
		{"DELETE /_mappings/Dev", ``, 404, ""},
		{"PUT /_teams/QA", `{"customRole": "QA Lead"}`, 204, ""},
		{"PUT /_rules", `[{"type": "prefix", "pattern": "qa-", "priority": 2, "kind": "team", "autoApprove": true}]`, 200,
			`[{"type": "prefix", "pattern": "qa-", "priority": 2, "kind": "team", "autoApprove": true}]`},
		{"PUT /_rules", `[{"type": "regex", "pattern": "(", "kind": "team"}]`, 400, ""},
		{"PUT /_rules", `[{"type": "suffix", "kind": "team"}]`, 400, ""},
		{"GET /_rules", ``, 200, ""},
		{"PUT /_accounts/" + one, `{"customRole": "Auditor"}`, 200, ""},
	} {
		got := admin(t, sim, test.call, test.body)
		if got.status != test.status {
			t.Errorf("%s %s: %d %s, want %d", test.call, test.body, got.status, got.body, test.status)
		}
		if test.want != "" {
			sameJSON(t, test.call, test.want, got.body)
		}
	}
	if account, _ := sim.Account(one); account.CustomRole != "Auditor" {
		t.Errorf("the account is %+v", account)
	}
}
