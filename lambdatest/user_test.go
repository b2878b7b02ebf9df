// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func ada() lambdatest.User {
	return lambdatest.User{UserName: "ada@example.com", Active: true, GivenName: "Ada", FamilyName: "Example"}
}

func created(t *testing.T, client *lambdatest.Client, user lambdatest.User) lambdatest.User {
	t.Helper()
	got, err := client.CreateUser(t.Context(), user)
	if err != nil {
		t.Fatalf("creating user: %v", err)
	}
	return got
}

// asUser is the account as the client shows it.
func asUser(a simulator.Account) lambdatest.User {
	return lambdatest.User{
		ID: a.ID, UserName: a.UserName, Active: a.Active, GivenName: a.GivenName, FamilyName: a.FamilyName,
		Role: a.Role, ConcurrencyGroup: a.ConcurrencyGroup,
	}
}

func TestCreateUserSendsAllAttributes(t *testing.T) {
	sim, client := connected(t, simulator.ConcurrencyGroups("Team <A> & B"))
	want := ada()
	want.Active, want.Role, want.ConcurrencyGroup = false, lambdatest.RoleGuest, "Team <A> & B"

	got := created(t, client, want)

	want.ID = got.ID
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected user (-want +got):\n%s", diff)
	}
	account, _ := sim.Account("ada@example.com")
	if diff := cmp.Diff(want, asUser(account)); diff != "" {
		t.Errorf("unexpected account (-want +got):\n%s", diff)
	}
}

func TestCreateUserUpdatesWhomTheOrganizationHasAlready(t *testing.T) {
	sim, client := connected(t)
	first := sim.AddAccount(simulator.Account{UserName: "Ada@Example.com", GivenName: "A", FamilyName: "E", Role: "Admin"})

	got := created(t, client, ada())

	want := lambdatest.User{ID: first.ID, UserName: "Ada@Example.com", Active: true, GivenName: "A", FamilyName: "E", Role: "User"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected user (-want +got):\n%s", diff)
	}
}

func TestGetUserReadsWhatIsThere(t *testing.T) {
	sim, client := connected(t, simulator.ConcurrencyGroups("QA"), simulator.Reads(simulator.Settings{"concurrency-group-in-answers": "always"}))
	account := sim.AddAccount(simulator.Account{
		UserName: "bob@example.com", GivenName: "Bob", FamilyName: "Example",
		Active: true, Role: "Admin", ConcurrencyGroup: "QA",
	})

	got, err := client.GetUser(t.Context(), account.ID)
	if err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff(asUser(account), got); diff != "" {
		t.Errorf("unexpected user (-want +got):\n%s", diff)
	}
}

func TestUpdateUserMakesAllChangesInOneCall(t *testing.T) {
	sim, client := connected(t, simulator.ConcurrencyGroups("QA"), simulator.Reads(simulator.Settings{"concurrency-group-in-answers": "always"}))
	user := created(t, client, ada())
	active, role, group := false, lambdatest.RoleAdmin, "QA"

	got, err := client.UpdateUser(t.Context(), user.ID, lambdatest.UserChange{Active: &active, Role: &role, ConcurrencyGroup: &group})
	if err != nil {
		t.Fatal(err)
	}

	want := user
	want.Active, want.Role, want.ConcurrencyGroup = active, role, group
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected user (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"POST /Users": 1, "PATCH /Users/{id}": 1}, sim.Counts()); diff != "" {
		t.Errorf("unexpected calls (-want +got):\n%s", diff)
	}
}

func TestUpdateUserLeavesTheRestAlone(t *testing.T) {
	_, client := connected(t)
	want := ada()
	want.Role = lambdatest.RoleAdmin
	user := created(t, client, want)
	off := false

	got, err := client.UpdateUser(t.Context(), user.ID, lambdatest.UserChange{Active: &off})
	if err != nil {
		t.Fatal(err)
	}

	user.Active = false
	if diff := cmp.Diff(user, got); diff != "" {
		t.Errorf("unexpected user (-want +got):\n%s", diff)
	}
}

func TestDeactivateUserKeepsTheAccount(t *testing.T) {
	sim, client := connected(t)
	user := created(t, client, ada())

	for range 2 {
		if err := client.DeactivateUser(t.Context(), user.ID); err != nil {
			t.Fatal(err)
		}
	}

	if account, found := sim.Account("ada@example.com"); !found || account.Active {
		t.Errorf("found %v, account %+v; want it there and inactive", found, account)
	}
}

func TestFindUserIgnoresCaseAndQuotes(t *testing.T) {
	_, client := connected(t)
	user := created(t, client, ada())

	got, found, err := client.FindUser(t.Context(), "ADA@example.com")
	if err != nil || !found || got != user {
		t.Errorf("got %+v, %v, %v; want %+v", got, found, err, user)
	}

	for _, unknown := range []string{"bob@example.com", `" or active eq "true`, `back\slash@example.com`, "a+b & c@example.com"} {
		if _, found, err := client.FindUser(t.Context(), unknown); found || err != nil {
			t.Errorf("looking for %q: found %v, error %v; want neither", unknown, found, err)
		}
	}
}

func TestListUsersWalksAllPages(t *testing.T) {
	sim, client := connected(t, simulator.Population(45))
	var names []string

	for start, more := 1, true; more; {
		page, err := client.ListUsers(t.Context(), start, 20)
		if err != nil {
			t.Fatal(err)
		}
		for _, user := range page.Items {
			names = append(names, user.UserName)
		}
		start, more = page.Next()
	}

	if len(names) != 45 || names[0] != "user-000001@example.com" || names[44] != "user-000045@example.com" {
		t.Errorf("got %d users: %v", len(names), names)
	}
	if calls := sim.Count("GET /Users"); calls != 3 {
		t.Errorf("made %d calls, want 3", calls)
	}
}

func TestListUsersOfNobodyIsEmpty(t *testing.T) {
	_, client := connected(t)

	page, err := client.ListUsers(t.Context(), 1, 20)

	if _, more := page.Next(); err != nil || more || len(page.Items) != 0 {
		t.Errorf("got %+v, more %v, error %v; want an empty last page", page, more, err)
	}
}

func TestArgumentsThatNoCallCanCarryAreRejectedWithoutACall(t *testing.T) {
	sim, client := connected(t)
	ctx := t.Context()
	off := false
	for name, try := range map[string]func() error{
		"no id":           func() error { _, err := client.GetUser(ctx, ""); return err },
		"a path for id":   func() error { _, err := client.GetUser(ctx, "../Groups/1"); return err },
		"a dot for id":    func() error { return client.DeactivateUser(ctx, "..") },
		"a query for id":  func() error { return client.DeactivateUser(ctx, "1?x=y") },
		"no change":       func() error { _, err := client.UpdateUser(ctx, "1", lambdatest.UserChange{}); return err },
		"change of no id": func() error { _, err := client.UpdateUser(ctx, "", lambdatest.UserChange{Active: &off}); return err },
		"no userName":     func() error { _, _, err := client.FindUser(ctx, ""); return err },
		"nobody":          func() error { _, err := client.CreateUser(ctx, lambdatest.User{}); return err },
		"page zero":       func() error { _, err := client.ListUsers(ctx, 0, 20); return err },
		"an empty page":   func() error { _, err := client.ListUsers(ctx, 1, 0); return err },
		"a group's path":  func() error { return client.DeleteGroup(ctx, "a/b") },
		"a nameless group": func() error {
			_, err := client.CreateGroup(ctx, lambdatest.Group{})
			return err
		},
	} {
		if err := try(); !lambdatest.IsRejected(err) || lambdatest.IsOutcomeUnknown(err) {
			t.Errorf("%s: got %v, want a rejection", name, err)
		}
	}
	if calls := sim.Counts(); len(calls) != 0 {
		t.Errorf("calls were made: %v", calls)
	}
}
