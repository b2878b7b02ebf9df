// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

const newGroup = `{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group"],
	"displayName": "QA", "members": [{"value": "23001"}],
	"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group": {"LambdatestRoles": ["Admin"]}}`

const shownGroup = `{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group"],
	"id": "23004", "displayName": "QA", "members": [{"value": "23001", "display": "user-000001@example.com"}],
	"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group": {"LambdatestRoles": ["Admin"]},
	"meta": {"resourceType": "Group", "created": "2026-11-24T12:00:00Z", "lastModified": "2026-11-24T12:00:00Z"}}`

const rolesPath = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group:LambdatestRoles"

// roles returns the roles of the first three accounts.
func roles(sim *simulator.Server) string {
	var all []string
	for _, account := range sim.Accounts() {
		all = append(all, account.Role)
	}
	return strings.Join(all, " ")
}

func TestAGroupIsCreatedReadFoundAndListed(t *testing.T) {
	sim := started(t, simulator.Population(3))
	list := `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
		"totalResults": 1, "startIndex": 1, "itemsPerPage": 20, "Resources": [` + shownGroup + `]}`

	play(t, sim,
		step{"POST /Groups", newGroup, 201, shownGroup},
		step{"GET /Groups/23004", "", 200, shownGroup},
		step{"GET /Groups", "", 200, list},
		step{`GET /Groups?filter=displayName%20eq%20%22qa%22`, "", 200, list},
		step{`GET /Groups?filter=userName%20eq%20%22qa%22`, "", 400, ""},
	)
	if got := roles(sim); got != "Admin User User" {
		t.Errorf("the roles are %s", got)
	}
}

func TestTheNameOfAGroupIsUniqueAmongLivingOnes(t *testing.T) {
	sim := started(t, simulator.Population(3))
	play(t, sim,
		step{"POST /Groups", newGroup, 201, ""},
		step{"POST /Groups", newGroup, 409, ""},
		step{"POST /Groups", `{"displayName": "qa"}`, 409, ""},
		step{"POST /Groups", `{"displayName": "Dev"}`, 201, ""},
		step{"PATCH /Groups/23005", patchOf(`{"op": "Replace", "path": "displayName", "value": "QA"}`), 409, ""},
		step{"PUT /Groups/23005", `{"displayName": "QA"}`, 409, ""},
		step{"PATCH /Groups/23005", patchOf(`{"op": "Replace", "path": "displayName", "value": "DEV"}`), 200, ""},
		step{"DELETE /Groups/23004", "", 204, ""},
		step{"PATCH /Groups/23005", patchOf(`{"op": "Replace", "path": "displayName", "value": "QA"}`), 200, ""},
	)
}

func TestADeletedGroupComesBackWithoutItsMembers(t *testing.T) {
	sim := started(t, simulator.Population(3))
	play(t, sim,
		step{"POST /Groups", newGroup, 201, ""},
		step{"DELETE /Groups/23004", "", 204, ""},
		step{"GET /Groups/23004", "", 404, ""},
		step{"DELETE /Groups/23004", "", 404, ""},
		step{"POST /Groups", `{"displayName": "QA"}`, 201, strings.NewReplacer(
			`[{"value": "23001", "display": "user-000001@example.com"}]`, `[]`, `["Admin"]`, `[]`).Replace(shownGroup)},
	)
	if got := roles(sim); got != "User User User" {
		t.Errorf("the roles are %s", got)
	}
}

func TestEveryGroupWriteIs403WhileProvisioningIsOff(t *testing.T) {
	sim := started(t, simulator.Population(1), simulator.With(simulator.Switches{GroupsOff: true}))
	group := sim.SetGroup("QA", nil)
	play(t, sim,
		step{"POST /Groups", newGroup, 403, ""},
		step{"PUT /Groups/" + group.ID, newGroup, 403, ""},
		step{"PATCH /Groups/" + group.ID, patchOf(`{"op": "Replace", "path": "displayName", "value": "B"}`), 403, ""},
		step{"DELETE /Groups/" + group.ID, "", 403, ""},
		step{"GET /Groups/" + group.ID, "", 200, ""},
	)
}

func TestMembersComeAndGo(t *testing.T) {
	members := func(sim *simulator.Server) string {
		var all []string
		group, _ := sim.Group("QA")
		for _, member := range group.Members {
			all = append(all, strings.TrimSuffix(member.UserName, "@example.com"))
		}
		return strings.Join(all, " ")
	}
	for name, test := range map[string]struct{ call, body, want string }{
		"added":            {"PATCH", patchOf(`{"op": "Add", "path": "members", "value": [{"value": "23002"}, {"value": "23003"}]}`), "user-000001 user-000002 user-000003"},
		"added twice":      {"PATCH", patchOf(`{"op": "Add", "path": "members", "value": [{"value": "23001"}, {"value": "23001"}]}`), "user-000001"},
		"removed":          {"PATCH", patchOf(`{"op": "Remove", "path": "members", "value": [{"value": "23001"}]}`), ""},
		"removed, but out": {"PATCH", patchOf(`{"op": "Remove", "path": "members", "value": [{"value": "23002"}]}`), "user-000001"},
		"exchanged": {"PATCH", patchOf(`{"op": "Remove", "path": "members", "value": [{"value": "23001"}]},
			{"op": "Add", "path": "members", "value": [{"value": "23002"}]}`), "user-000002"},
		"replaced":         {"PUT", `{"displayName": "QA", "members": [{"value": "23003"}]}`, "user-000003"},
		"replaced by none": {"PUT", `{"displayName": "QA"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sim := started(t, simulator.Population(3))
			play(t, sim, step{"POST /Groups", newGroup, 201, ""}, step{test.call + " /Groups/23004", test.body, 200, ""})
			if diff := cmp.Diff(test.want, members(sim)); diff != "" {
				t.Errorf("unexpected members (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAGroupWriteThatIsNotDocumentedIsRefusedAsAWhole(t *testing.T) {
	const good = `{"op": "Remove", "path": "members", "value": [{"value": "23001"}]}, `
	for _, operation := range []string{
		`{"op": "add", "path": "members", "value": [{"value": "23002"}]}`,
		`{"op": "Replace", "path": "members", "value": []}`,
		`{"op": "Remove", "path": "members"}`,
		`{"op": "Remove", "path": "members[value eq \"23001\"]"}`,
		`{"op": "Add", "path": "members", "value": [{"value": "1"}]}`,
		`{"op": "Add", "path": "members", "value": [{"value": 23002}]}`,
		`{"op": "Add", "path": "members", "value": "23002"}`,
		`{"op": "Replace", "path": "displayName", "value": ""}`,
		`{"op": "Replace", "path": "` + rolesPath + `", "value": ["Owner"]}`,
		`{"op": "Replace", "path": "` + rolesPath + `", "value": "Admin"}`,
		`{"op": "Replace", "value": {"displayName": "B"}}`,
	} {
		t.Run(operation, func(t *testing.T) {
			sim := started(t, simulator.Population(3))
			play(t, sim,
				step{"POST /Groups", newGroup, 201, ""},
				step{"PATCH /Groups/23004", patchOf(good + operation), 400, ""},
				step{"GET /Groups/23004", "", 200, shownGroup},
			)
		})
	}
	sim := started(t)
	play(t, sim,
		step{"POST /Groups", `{"members": []}`, 400, ""},
		step{"POST /Groups", `{"displayName": "A", "members": [{"value": "1"}]}`, 400, ""},
		step{"POST /Groups", `{"displayName": "A", "members": {}}`, 400, ""},
	)
}

func TestRolesFollowTheGroups(t *testing.T) {
	sim := started(t, simulator.Population(3))
	expect := func(why, want string) {
		t.Helper()
		if got := roles(sim); got != want {
			t.Errorf("%s: the roles are %s, want %s", why, got, want)
		}
	}
	low := sim.SetGroup("Low", []string{"Guest"}, "user-000001@example.com", "user-000002@example.com")
	expect("in a low group", "Guest Guest User")
	high := sim.SetGroup("High", []string{"Admin", "Guest"}, "user-000001@example.com")
	expect("the highest of two groups wins", "Admin Guest User")

	play(t, sim, step{"PATCH /Groups/" + high.ID, patchOf(`{"op": "Replace", "path": "` + rolesPath + `", "value": ["User"]}`), 200, ""})
	expect("the group gives another role", "User Guest User")
	play(t, sim, step{"DELETE /Groups/" + high.ID, "", 204, ""})
	expect("the other group is left", "Guest Guest User")
	play(t, sim, step{"PUT /Groups/" + low.ID, `{"displayName": "Low"}`, 200, ""})
	expect("no group is left", "User User User")

	if _, err := sim.EditAccount("user-000003@example.com", func(a *simulator.Account) { a.Role = "Admin" }); err != nil {
		t.Fatal(err)
	}
	sim.SetGroup("Plain", nil, "user-000003@example.com")
	expect("a group without roles changes none", "User User Admin")
}
