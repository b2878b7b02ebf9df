// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

const newAda = `{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"],
	"userName": "ada@example.com", "active": true, "name": {"givenName": "Ada", "familyName": "Example"},
	"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User": {"OrganizationRole": "Admin", "LambdatestGroup": "QA"}}`

const shownAda = `{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"],
	"id": "23001", "userName": "ada@example.com", "active": true,
	"name": {"givenName": "Ada", "familyName": "Example", "formatted": "Ada Example"},
	"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User": {"OrganizationRole": "Admin", "LambdatestGroup": "QA"}}`

// readAda is what every answer but that to POST shows.
var readAda = strings.Replace(shownAda, `, "LambdatestGroup": "QA"`, "", 1)

// patchOf is the body of a PATCH with those operations.
func patchOf(operations string) string {
	return `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [` + operations + `]}`
}

func TestAUserIsCreatedReadFoundAndListed(t *testing.T) {
	sim := started(t, simulator.ConcurrencyGroups("QA"))
	list := `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
		"totalResults": 1, "startIndex": 1, "itemsPerPage": 20, "Resources": [` + readAda + `]}`

	play(t, sim,
		step{"POST /Users", newAda, 201, shownAda},
		step{"GET /Users/23001", "", 200, readAda},
		step{"GET /Users", "", 200, list},
		step{`GET /Users?filter=userName%20eq%20%22ADA@example.com%22`, "", 200, list},
		step{`GET /Users?filter=userName+eq+%22bob@example.com%22`, "", 200,
			`{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
			"totalResults": 0, "startIndex": 1, "itemsPerPage": 20, "Resources": []}`},
	)
}

func TestEveryCallNeedsTheToken(t *testing.T) {
	sim := started(t)
	want := `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "401", "detail": "the token is wrong or has expired"}`
	for _, wrong := range []string{"", "another", token + "x"} {
		got := send(t, "POST", sim.BaseURL()+"/Users", wrong, newAda)
		if got.status != http.StatusUnauthorized {
			t.Errorf("token %q: status %d, want 401", wrong, got.status)
		}
		sameJSON(t, "POST /Users", want, got.body)
	}

	sim.RotateToken("new")

	if got := send(t, "GET", sim.BaseURL()+"/Users", token, ""); got.status != http.StatusUnauthorized {
		t.Errorf("the rotated token: status %d, want 401", got.status)
	}
	if got := send(t, "GET", sim.BaseURL()+"/Users", "new", ""); got.status != http.StatusOK {
		t.Errorf("the new token: status %d, want 200", got.status)
	}
	if accounts := sim.Accounts(); len(accounts) != 0 {
		t.Errorf("an account was created: %v", accounts)
	}
}

func TestACreationThatLacksOrMisspellsSomethingIsRefused(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":                    ``,
		"no JSON":                    `<user/>`,
		"a list":                     `[]`,
		"no userName":                `{"active": true, "name": {"givenName": "A", "familyName": "E"}}`,
		"a userName in another case": `{"username": "a@example.com", "active": true, "name": {"givenName": "A", "familyName": "E"}}`,
		"no address":                 `{"userName": "ada", "active": true, "name": {"givenName": "A", "familyName": "E"}}`,
		"a name beside the address":  `{"userName": "Ada <a@example.com>", "active": true, "name": {"givenName": "A", "familyName": "E"}}`,
		"no active":                  `{"userName": "a@example.com", "name": {"givenName": "A", "familyName": "E"}}`,
		"active as text":             `{"userName": "a@example.com", "active": "True", "name": {"givenName": "A", "familyName": "E"}}`,
		"no name":                    `{"userName": "a@example.com", "active": true}`,
		"no given name":              `{"userName": "a@example.com", "active": true, "name": {"familyName": "E"}}`,
		"an empty family name":       `{"userName": "a@example.com", "active": true, "name": {"givenName": "A", "familyName": ""}}`,
		"name as text":               `{"userName": "a@example.com", "active": true, "name": "A E"}`,
		"other schemas":              `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "userName": "a@example.com", "active": true, "name": {"givenName": "A", "familyName": "E"}}`,
		"an unknown role":            strings.Replace(newAda, "Admin", "admin", 1),
		"an extension as text":       `{"userName": "a@example.com", "active": true, "name": {"givenName": "A", "familyName": "E"}, "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User": "Admin"}`,
		"no such concurrency group":  strings.Replace(newAda, `"QA"`, `"Nowhere"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			sim := started(t, simulator.ConcurrencyGroups("QA"))
			play(t, sim, step{"POST /Users", body, 400, ""})
			if accounts := sim.Accounts(); len(accounts) != 0 {
				t.Errorf("an account was created: %v", accounts)
			}
		})
	}
}

func TestACreationForSomebodyWhoIsThereUpdatesThem(t *testing.T) {
	without := `{"userName": "ADA@example.com", "active": false, "name": {"givenName": "Other", "familyName": "Name"}}`
	for name, test := range map[string]struct {
		readings simulator.Settings
		body     string
		role     string
	}{
		"and resets the role":              {nil, without, "User"},
		"and keeps the role when switched": {simulator.Settings{"post-without-role": "keeps-role"}, without, "Admin"},
		"and takes the role that is sent": {nil, strings.TrimSuffix(without, "}") +
			`, "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User": {"OrganizationRole": "Guest"}}`, "Guest"},
	} {
		t.Run(name, func(t *testing.T) {
			sim := started(t, simulator.Reads(test.readings), simulator.ConcurrencyGroups("QA"))
			play(t, sim, step{"POST /Users", newAda, 201, ""}, step{"POST /Users", test.body, 201, ""})

			want := []simulator.Account{{ID: "23001", UserName: "ada@example.com", GivenName: "Ada", FamilyName: "Example",
				Role: test.role, ConcurrencyGroup: "QA"}}
			if diff := cmp.Diff(want, sim.Accounts()); diff != "" {
				t.Errorf("unexpected accounts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUsersOfAnotherOrganizationAreRefusedEverywhere(t *testing.T) {
	sim := started(t)
	other := sim.AddOrg("other", "other-token")
	eve := other.AddAccount(simulator.Account{UserName: "eve@example.com", Active: true})
	mallory := sim.AddForeignAccount("mallory@example.com")

	for _, foreign := range []simulator.Account{eve, mallory} {
		play(t, sim,
			step{"POST /Users", strings.Replace(newAda, "ada@", strings.TrimSuffix(foreign.UserName, "example.com"), 1), 400, ""},
			step{"GET /Users/" + foreign.ID, "", 400, ""},
			step{"PATCH /Users/" + foreign.ID, patchOf(`{"op": "Replace", "path": "active", "value": false}`), 400, ""},
			step{"PUT /Users/" + foreign.ID, `{"active": false}`, 400, ""},
			step{"DELETE /Users/" + foreign.ID, "", 400, ""},
			step{`GET /Users?filter=userName%20eq%20%22` + foreign.UserName + `%22`, "", 400, ""},
		)
	}

	if got := send(t, "GET", sim.BaseURL()+"/Users/"+eve.ID, "other-token", ""); got.status != http.StatusOK {
		t.Errorf("their own organization sees %d, want 200", got.status)
	}
	if account, _ := other.Account("eve@example.com"); !account.Active {
		t.Error("another organization's user was deactivated")
	}
}

func TestAPatchTakesTheDocumentedPathsOnly(t *testing.T) {
	const extension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User:"
	for operations, status := range map[string]int{
		`{"op": "Replace", "path": "active", "value": false}`:                                 200,
		`{"op": "Replace", "path": "` + extension + `OrganizationRole", "value": "Guest"}`:    200,
		`{"op": "Replace", "path": "` + extension + `LambdatestGroup", "value": "QA"}`:        200,
		`{"op": "replace", "path": "active", "value": false}`:                                 400,
		`{"op": "Add", "path": "active", "value": false}`:                                     400,
		`{"op": "Remove", "path": "active"}`:                                                  400,
		`{"op": "Replace", "path": "Active", "value": false}`:                                 400,
		`{"op": "Replace", "path": "active", "value": "False"}`:                               400,
		`{"op": "Replace", "path": "active"}`:                                                 400,
		`{"op": "Replace", "path": "active", "value": null}`:                                  400,
		`{"op": "Replace", "value": {"active": false}}`:                                       400,
		`{"op": "Replace", "path": "userName", "value": "b@example.com"}`:                     400,
		`{"op": "Replace", "path": "name.givenName", "value": "B"}`:                           400,
		`{"op": "Replace", "path": "` + extension + `organizationRole", "value": "Guest"}`:    400,
		`{"op": "Replace", "path": "` + extension + `OrganizationRole", "value": "Owner"}`:    400,
		`{"op": "Replace", "path": "` + extension + `OrganizationRole", "value": ["Guest"]}`:  400,
		`{"op": "Replace", "path": "` + extension + `LambdatestGroup", "value": "Nowhere"}`:   400,
		`{"op": "Replace", "path": "` + extension + `LambdatestGroup", "value": ""}`:          400,
		`{"op": "Replace", "path": "active", "value": false}, {"op": "Replace", "path": "x"}`: 400,
		``: 400,
	} {
		t.Run(operations, func(t *testing.T) {
			sim := started(t, simulator.ConcurrencyGroups("QA"))
			play(t, sim, step{"POST /Users", newAda, 201, ""}, step{"PATCH /Users/23001", patchOf(operations), status, ""})

			account, _ := sim.Account("ada@example.com")
			if status == 400 && !account.Active {
				t.Error("a refused PATCH was carried out in part")
			}
		})
	}
}

func TestAPatchMakesAllItsChanges(t *testing.T) {
	sim := started(t, simulator.ConcurrencyGroups("QA", "Dev"))
	play(t, sim, step{"POST /Users", newAda, 201, ""}, step{"PATCH /Users/23001", patchOf(`
		{"op": "Replace", "path": "active", "value": false},
		{"op": "Replace", "path": "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User:OrganizationRole", "value": "Guest"},
		{"op": "Replace", "path": "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User:LambdatestGroup", "value": "Dev"}`), 200,
		strings.NewReplacer(`"active": true`, `"active": false`, "Admin", "Guest").Replace(readAda)})
	if account, _ := sim.Account("ada@example.com"); account.ConcurrencyGroup != "Dev" {
		t.Errorf("the concurrency group is %q, want Dev", account.ConcurrencyGroup)
	}
}

func TestAPutTakesActiveAndTheExtensionOnly(t *testing.T) {
	sim := started(t, simulator.ConcurrencyGroups("QA"))
	play(t, sim,
		step{"POST /Users", newAda, 201, ""},
		step{"PUT /Users/23001", newAda, 400, ""},
		step{"PUT /Users/23001", `{"active": false, "id": "23001"}`, 400, ""},
		step{"PUT /Users/23001", `{"active": false, "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User": {"Role": "User"}}`, 400, ""},
		step{"GET /Users/23001", "", 200, readAda},
		step{"PUT /Users/23001", `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "active": false,
			"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User": {"OrganizationRole": "User"}}`, 200,
			strings.NewReplacer(`"active": true`, `"active": false`, "Admin", "User").Replace(readAda)},
	)
}

func TestADeleteDeactivatesAndTheAccountStays(t *testing.T) {
	sim := started(t, simulator.ConcurrencyGroups("QA"))
	play(t, sim,
		step{"POST /Users", newAda, 201, ""},
		step{"DELETE /Users/23001", "", 204, ""},
		step{"DELETE /Users/23001", "", 204, ""},
		step{"GET /Users/23001", "", 200, strings.Replace(readAda, `"active": true`, `"active": false`, 1)},
	)
}

func TestAnUnknownIDIs404(t *testing.T) {
	sim := started(t)
	play(t, sim,
		step{"GET /Users/1", "", 404, ""},
		step{"PUT /Users/1", `{"active": false}`, 404, ""},
		step{"PATCH /Users/1", patchOf(`{"op": "Replace", "path": "active", "value": false}`), 404, ""},
		step{"DELETE /Users/1", "", 404, ""},
		step{"GET /Nowhere", "", 404, ""},
		step{"PUT /Users", "", 404, ""},
	)
}

func TestOnlyTheDocumentedFilterIsUnderstood(t *testing.T) {
	sim := started(t, simulator.Population(1))
	for _, filter := range []string{
		``, `userName`, `userName eq`, `userName eq user-000001@example.com`, `username eq "a"`, `userName EQ "a"`,
		`userName ne "a"`, `userName co "a"`, `id eq "23001"`, `active eq true`, `displayName eq "a"`,
		`userName eq "a" or active eq "b"`, `userName eq "a" and userName eq "a"`, `(userName eq "a")`, `userName eq "a`,
	} {
		query := strings.NewReplacer(" ", "%20", `"`, "%22").Replace(filter)
		if got := ask(t, sim, "GET /Users?filter="+query, ""); got.status != http.StatusBadRequest {
			t.Errorf("filter %q: status %d, want 400", filter, got.status)
		}
	}
}
