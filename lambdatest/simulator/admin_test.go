// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func TestStateShowsAccountsGroupsAndCalls(t *testing.T) {
	sim := started(t, simulator.ConcurrencyGroups("QA"))
	sameJSON(t, "GET /_state", `{"accounts": [], "groups": [], "calls": {}}`, admin(t, sim, "GET /_state", "").body)
	play(t, sim,
		step{"POST /Users", newAda, 201, ""},
		step{"GET /Users", "", 200, ""},
		step{"GET /Users?filter=x", "", 400, ""},
		step{"PATCH /Users/23001", patchOf(`{"op": "Replace", "path": "active", "value": true}`), 200, ""},
	)
	sim.SetGroup("QA", []string{"Admin"}, "ada@example.com")

	sameJSON(t, "GET /_state", `{
		"accounts": [{"id": "23001", "userName": "ada@example.com", "givenName": "Ada", "familyName": "Example",
			"active": true, "role": "Admin", "concurrencyGroup": "QA"}],
		"groups": [{"id": "23002", "displayName": "QA", "roles": ["Admin"], "members": [{"value": "23001", "display": "ada@example.com"}]}],
		"calls": {"POST /Users": 1, "GET /Users": 2, "PATCH /Users/{id}": 1}}`, admin(t, sim, "GET /_state", "").body)
}

func TestCallsAreOnRecordInTheirOrder(t *testing.T) {
	sim := started(t)
	play(t, sim, step{"POST /Users", `{"a": 1}`, 400, ""}, step{"GET /Users/7?x=y", "", 404, ""})
	send(t, "GET", sim.BaseURL()+"/Users", "wrong", "")

	want := []simulator.Call{
		{Method: "POST", Route: "POST /Users", Path: "/api/scim/Users", Query: map[string][]string{}, Body: `{"a": 1}`, Time: noon, Status: 400},
		{Method: "GET", Route: "GET /Users/{id}", Path: "/api/scim/Users/7", Query: map[string][]string{"x": {"y"}}, Time: noon, Status: 404},
		{Method: "GET", Route: "GET /Users", Path: "/api/scim/Users", Query: map[string][]string{}, Time: noon, Status: 401},
	}
	if diff := cmp.Diff(want, sim.Calls()); diff != "" {
		t.Errorf("unexpected record (-want +got):\n%s", diff)
	}
	if sim.Writes() != 1 {
		t.Errorf("%d writes, want 1", sim.Writes())
	}
	if got := admin(t, sim, "DELETE /_calls", ""); got.status != http.StatusNoContent || len(sim.Calls()) != 0 || len(sim.Counts()) != 0 {
		t.Errorf("status %d, calls %v; want them forgotten", got.status, sim.Calls())
	}
	sameJSON(t, "GET /_calls", `[]`, admin(t, sim, "GET /_calls", "").body)
}

func TestSomebodyEditsAnAccountAtLambdaTest(t *testing.T) {
	sim := started(t)
	admin(t, sim, "POST /_accounts", `{"userName": "ada@example.com", "givenName": "Ada", "familyName": "Example"}`)
	admin(t, sim, "PUT /_accounts/ada@example.com", `{"role": "Guest", "givenName": "Augusta"}`)
	admin(t, sim, "POST /_accounts/ADA@example.com", `{"active": false, "id": "1", "userName": "bob@example.com"}`)

	want := []simulator.Account{{ID: "23001", UserName: "ada@example.com", GivenName: "Augusta", FamilyName: "Example", Role: "Guest"}}
	if diff := cmp.Diff(want, sim.Accounts()); diff != "" {
		t.Errorf("unexpected accounts (-want +got):\n%s", diff)
	}
	if got := admin(t, sim, "DELETE /_accounts/ada@example.com", ""); got.status != http.StatusNoContent || len(sim.Accounts()) != 0 {
		t.Errorf("status %d, accounts %v; want them gone", got.status, sim.Accounts())
	}
	if calls := sim.Counts(); len(calls) != 0 {
		t.Errorf("people at LambdaTest were counted as calls: %v", calls)
	}
}

func TestAForeignAccountIsAddedOverHTTP(t *testing.T) {
	sim := started(t)
	if got := admin(t, sim, "POST /_accounts", `{"userName": "eve@example.com", "foreign": true}`); got.status != http.StatusCreated {
		t.Errorf("status %d, want 201", got.status)
	}
	play(t, sim, step{`GET /Users?filter=userName%20eq%20%22eve@example.com%22`, "", 400, ""})
}

func TestAnAccountThatGoesLeavesItsGroups(t *testing.T) {
	sim := started(t, simulator.Population(2))
	sim.SetGroup("QA", nil, "user-000001@example.com", "user-000002@example.com")

	sim.RemoveAccount("user-000001@example.com")

	group, _ := sim.Group("QA")
	if diff := cmp.Diff([]simulator.Member{{ID: "23002", UserName: "user-000002@example.com"}}, group.Members); diff != "" {
		t.Errorf("unexpected members (-want +got):\n%s", diff)
	}
}

func TestFaultsAndSwitchesAreSetOverHTTP(t *testing.T) {
	sim := started(t)
	got := admin(t, sim, "POST /_faults", `{"switches": {"maxPageSize": 5, "latency": "1ms"}, "concurrencyGroups": {"QA": true},
		"faults": [{"kind": "refuse", "status": 429, "retryAfter": "30", "call": "GET /Users", "times": 1}]}`)
	if got.status != 200 || !strings.Contains(got.body, `"maxPageSize":5,"latency":"1ms"`) {
		t.Fatalf("got %+v", got)
	}
	if got := ask(t, sim, "GET /Users", ""); got.status != 429 || got.header.Get("Retry-After") != "30" {
		t.Errorf("the call got %d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
	play(t, sim, step{"GET /Users", "", 200, ""}, step{"POST /Users", newAda, 201, ""})

	admin(t, sim, "POST /_faults", `{"faults": [{"kind": "refuse", "status": 500}]}`)
	play(t, sim, step{"GET /Users", "", 500, ""})
	admin(t, sim, "POST /_faults", `{"clear": true, "switches": {"pageSize": 1}}`)
	if diff := cmp.Diff(page{1, 1, 1, ids(1, 1)}, listed(t, sim, "")); diff != "" {
		t.Errorf("unexpected page (-want +got):\n%s", diff)
	}
}

func TestTheTokenIsRotatedOverHTTP(t *testing.T) {
	sim := started(t)
	if got := admin(t, sim, "POST /_token", `{"token": "new"}`); got.status != http.StatusNoContent || sim.Token() != "new" {
		t.Errorf("status %d, token %q", got.status, sim.Token())
	}
	play(t, sim, step{"GET /Users", "", 401, ""})
}

func TestEachOrganizationHasItsOwnState(t *testing.T) {
	sim := started(t)
	other := sim.AddOrg("other", "other-token", simulator.Population(1))
	send(t, "GET", sim.BaseURL()+"/Users", "other-token", "")
	other.RotateToken("newer")
	send(t, "GET", sim.BaseURL()+"/Users", "other-token", "")

	sameJSON(t, "first", `{"accounts": [], "groups": [], "calls": {}}`, admin(t, sim, "GET /_state", "").body)
	got := admin(t, sim, "GET /_state?org=other", "")
	if !strings.Contains(got.body, "user-000001@example.com") || !strings.Contains(got.body, `"calls":{"GET /Users":2}`) {
		t.Errorf("the other organization's state is %s", got.body)
	}
	if got := admin(t, sim, "GET /_state?org=third", ""); got.status != http.StatusNotFound {
		t.Errorf("an unknown organization: status %d, want 404", got.status)
	}
}

func TestAdminRequestsThatAreWrongAreRefused(t *testing.T) {
	sim := started(t, simulator.Population(1))
	for _, test := range []struct {
		call, body string
		status     int
	}{
		{"POST /_accounts", `{"userName": "ada"}`, 400},
		{"POST /_accounts", `{"userName": "user-000001@example.com"}`, 409},
		{"POST /_accounts", `{"userName": "a@example.com", "role": "Owner"}`, 400},
		{"POST /_accounts", `{"username": "a@example.com", "nickname": "a"}`, 400},
		{"PUT /_accounts/nobody@example.com", `{}`, 404},
		{"PUT /_accounts/user-000001@example.com", `{"role": "Owner"}`, 400},
		{"PUT /_accounts/user-000001@example.com", `{"activ": false}`, 400},
		{"DELETE /_accounts/nobody@example.com", ``, 404},
		{"POST /_faults", `{"switches": {"pageSise": 1}}`, 400},
		{"POST /_faults", `{"switches": {"latency": "long"}}`, 400},
		{"POST /_faults", `{"fault": []}`, 400},
		{"POST /_faults", `{"faults": [{"kind": "explode"}]}`, 400},
		{"POST /_faults", `{"faults": [{"kind": "refuse"}]}`, 400},
		{"POST /_faults", `{"faults": [{"kind": "lose", "call": "POST /User"}]}`, 400},
		{"POST /_token", `{}`, 400},
	} {
		if got := admin(t, sim, test.call, test.body); got.status != test.status {
			t.Errorf("%s %s: status %d, want %d", test.call, test.body, got.status, test.status)
		}
	}
}

func TestAdminIsForThisMachineOnly(t *testing.T) {
	request := httptest.NewRequest("GET", "/_state", nil)
	request.RemoteAddr = "192.0.2.1:1234"
	recorder := httptest.NewRecorder()

	simulator.New().ServeHTTP(recorder, request)

	if recorder.Code != http.StatusForbidden {
		t.Errorf("status %d, want 403", recorder.Code)
	}
}
