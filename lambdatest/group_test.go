// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// twoPeople returns an organization of Ada and Bob.
func twoPeople(t *testing.T) (sim *simulator.Server, client *lambdatest.Client, ada, bob lambdatest.Member) {
	t.Helper()
	sim, client = connected(t)
	member := func(userName string) lambdatest.Member {
		account := sim.AddAccount(simulator.Account{UserName: userName, Active: true})
		return lambdatest.Member{ID: account.ID, UserName: userName}
	}
	return sim, client, member("ada@example.com"), member("bob@example.com")
}

func createdGroup(t *testing.T, client *lambdatest.Client, group lambdatest.Group) lambdatest.Group {
	t.Helper()
	got, err := client.CreateGroup(t.Context(), group)
	if err != nil {
		t.Fatalf("creating group: %v", err)
	}
	return got
}

func roleOf(sim *simulator.Server, userName string) string {
	account, _ := sim.Account(userName)
	return account.Role
}

func TestCreateGroupGivesItsMembersTheHighestRole(t *testing.T) {
	sim, client, ada, bob := twoPeople(t)
	want := lambdatest.Group{DisplayName: "QA", Roles: []string{"Guest", "Admin"}, Members: []lambdatest.Member{ada, bob}}

	got := createdGroup(t, client, want)

	want.ID = got.ID
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected group (-want +got):\n%s", diff)
	}
	if role := roleOf(sim, ada.UserName); role != lambdatest.RoleAdmin {
		t.Errorf("the member's role is %q, want Admin", role)
	}
}

func TestGetGroupAndFindGroupShowTheSame(t *testing.T) {
	sim, client, ada, _ := twoPeople(t)
	made := sim.SetGroup("QA", []string{"Guest"}, ada.UserName)
	want := lambdatest.Group{ID: made.ID, DisplayName: "QA", Roles: []string{"Guest"}, Members: []lambdatest.Member{ada}}

	got, err := client.GetGroup(t.Context(), made.ID)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, unexpected group (-want +got):\n%s", err, diff)
	}
	got, found, err := client.FindGroup(t.Context(), "qa")
	if diff := cmp.Diff(want, got); err != nil || !found || diff != "" {
		t.Errorf("error %v, found %v, unexpected group (-want +got):\n%s", err, found, diff)
	}
	if _, found, err := client.FindGroup(t.Context(), "Q"); err != nil || found {
		t.Errorf("error %v, found %v; want neither", err, found)
	}
}

func TestReplaceGroupReplacesTheWholeMembership(t *testing.T) {
	sim, client, ada, bob := twoPeople(t)
	made := sim.SetGroup("QA", []string{"Admin"}, ada.UserName)
	want := lambdatest.Group{ID: made.ID, DisplayName: "Testers", Roles: []string{"Guest"}, Members: []lambdatest.Member{bob}}

	got, err := client.ReplaceGroup(t.Context(), made.ID, want)

	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, unexpected group (-want +got):\n%s", err, diff)
	}
	if roles := roleOf(sim, ada.UserName) + " " + roleOf(sim, bob.UserName); roles != "User Guest" {
		t.Errorf("the roles are %s, want User Guest", roles)
	}
}

func TestPatchGroupMakesAllChangesInOneCall(t *testing.T) {
	sim, client, ada, bob := twoPeople(t)
	made := sim.SetGroup("QA", nil, ada.UserName)
	name, roles := "Testers", []string{"Admin"}

	got, err := client.PatchGroup(t.Context(), made.ID, lambdatest.GroupChange{
		DisplayName: &name, Roles: &roles, AddMembers: []string{bob.ID}, RemoveMembers: []string{ada.ID},
	})

	want := lambdatest.Group{ID: made.ID, DisplayName: name, Roles: roles, Members: []lambdatest.Member{bob}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, unexpected group (-want +got):\n%s", err, diff)
	}
	if calls := sim.Writes(); calls != 1 {
		t.Errorf("made %d writes, want 1", calls)
	}
}

func TestPatchGroupCanTakeAllRolesAway(t *testing.T) {
	sim, client, ada, _ := twoPeople(t)
	made := sim.SetGroup("QA", []string{"Admin"}, ada.UserName)

	if _, err := client.PatchGroup(t.Context(), made.ID, lambdatest.GroupChange{Roles: new([]string)}); err != nil {
		t.Fatal(err)
	}

	if role := roleOf(sim, ada.UserName); role != lambdatest.RoleUser {
		t.Errorf("the member's role is %q, want User", role)
	}
}

func TestAnEmptyPatchOfAGroupIsRejectedWithoutACall(t *testing.T) {
	sim, client := connected(t)

	_, err := client.PatchGroup(t.Context(), "1", lambdatest.GroupChange{})

	if !lambdatest.IsRejected(err) || len(sim.Counts()) != 0 {
		t.Errorf("got %v and calls %v; want a rejection and none", err, sim.Counts())
	}
}

func TestADeletedGroupIsRestoredWithoutItsMembers(t *testing.T) {
	_, client, ada, _ := twoPeople(t)
	first := createdGroup(t, client, lambdatest.Group{DisplayName: "QA", Members: []lambdatest.Member{ada}})
	if err := client.DeleteGroup(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetGroup(t.Context(), first.ID); !lambdatest.IsNotFound(err) {
		t.Errorf("reading a deleted group: %v, want not found", err)
	}

	restored := createdGroup(t, client, lambdatest.Group{DisplayName: "QA"})

	if restored.ID != first.ID || len(restored.Members) != 0 {
		t.Errorf("restored %+v; want id %s without members", restored, first.ID)
	}
}

func TestListGroupsPages(t *testing.T) {
	sim, client := connected(t)
	for _, name := range []string{"A", "B", "C"} {
		sim.SetGroup(name, nil)
	}

	page, err := client.ListGroups(t.Context(), 3, 2)

	if err != nil || page.Total != 3 || len(page.Items) != 1 || page.Items[0].DisplayName != "C" {
		t.Errorf("got %+v, error %v; want C of 3", page, err)
	}
}

func TestAGroupOfTenThousandMembersFits(t *testing.T) {
	sim, client := connected(t, simulator.Population(10_000))
	members := make([]lambdatest.Member, 0, 10_000)
	for _, account := range sim.Accounts() {
		members = append(members, lambdatest.Member{ID: account.ID})
	}

	got := createdGroup(t, client, lambdatest.Group{DisplayName: "Everybody", Members: members})

	if len(got.Members) != 10_000 {
		t.Errorf("the group has %d members", len(got.Members))
	}
}
