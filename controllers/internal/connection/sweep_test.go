// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func TestSweepsThatFailGetASmallPartOfTheRate(t *testing.T) {
	set := Settings{perSecond: 10}
	const calls = 3000 // three passes over 100 000 accounts
	took := 300 * time.Second
	for failures, want := range map[int]time.Duration{1: 0, 2: took, 3: 2 * took, 5: 4 * took, 100: 4 * took} {
		if got := set.costOf(calls, failures); got != want {
			t.Errorf("after %d failures the next waits %s, want %s", failures, got, want)
		}
	}
}

func TestASweepThatFailsCountsItsCalls(t *testing.T) {
	server := simulator.Start(simulator.Population(30))
	defer server.Close()
	server.Switch(func(s *simulator.Switches) { s.MaxPageSize, s.RepeatPages = 10, true })
	client, err := lambdatest.New(server.BaseURL(), simulator.DefaultToken)
	if err != nil {
		t.Fatal(err)
	}
	c, set := newTestConnection()
	set.perSecond, set.burst = 1000, 1000
	c.Use(set, client)

	if err := c.Sweep(t.Context()); err == nil {
		t.Fatal("a list that does not add up is believed")
	}
	if got, want := c.LastSweep().calls, len(server.Calls()); got != want || want != 3*sweepPasses {
		t.Errorf("%d calls are counted, LambdaTest saw %d", got, want)
	}
}

func TestASweepThatFailedIsNotRepeatedForLookups(t *testing.T) {
	c, set := newTestConnection()
	c.Use(set, &lambdatest.Client{})
	c.noteSweep(listing{pages: 1}, nil)
	c.noteSweep(listing{pages: 1}, ErrNotCalled)
	<-c.sweepSoon // of use

	for range 100 {
		c.CountLookUp()
	}

	if len(c.sweepSoon) > 0 {
		t.Error("lookups bring the next sweep forward, although the list cannot be believed")
	}
	if c.Accounts.Expecting {
		t.Error("people wait for a sweep that may not come soon")
	}
}

// An answer is bounded by the client, and a list is many answers.
func TestASweepOfAListWithoutEndIsGivenUp(t *testing.T) {
	long := strings.Repeat("x", 100<<10)
	for what, account := range map[string]lambdatest.User{
		"userNames":          {UserName: long},
		"first names":        {GivenName: long},
		"last names":         {FamilyName: long},
		"roles":              {Role: long},
		"concurrency groups": {ConcurrencyGroup: long},
	} {
		t.Run(what, func(t *testing.T) {
			found, id := newListing(), 0
			for found.total = 100_000; id < found.total; {
				page := lambdatest.Page[lambdatest.User]{StartIndex: id + 1, Total: found.total}
				for range sweepPageSize {
					id++
					each := account
					each.ID, each.UserName = strconv.Itoa(id), strconv.Itoa(id)+account.UserName
					page.Items = append(page.Items, each)
				}
				if err := found.add(page, func(string) (lambdatest.User, bool) { return lambdatest.User{}, false }); err != nil {
					return
				}
			}
			t.Errorf("%d accounts with %s of 100 KiB are kept", id, what)
		})
	}
}

func TestTheSameAccountsOnEveryPassCountOnce(t *testing.T) {
	found := newListing()
	page := lambdatest.Page[lambdatest.User]{StartIndex: 1, Total: 1, Items: []lambdatest.User{
		{ID: "1", UserName: "ada@example.com", GivenName: strings.Repeat("x", maxListBytes/2)},
	}}
	for range sweepPasses {
		if err := found.add(page, func(string) (lambdatest.User, bool) { return lambdatest.User{}, false }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASweepOfGroupsWithoutEndIsGivenUp(t *testing.T) {
	found := groupListing{byID: map[string]groups.Group{}}
	members := make([]lambdatest.Member, 25_000)
	for i := range members {
		members[i].ID = strconv.Itoa(i)
	}
	for id := range 10_000 {
		page := lambdatest.Page[lambdatest.Group]{Items: []lambdatest.Group{{ID: strconv.Itoa(id), DisplayName: "QA", Members: members}}}
		if err := found.add(page); err != nil {
			return
		}
	}
	t.Error("10 000 groups with 25 000 members each are kept")
}

func TestTwoAccountsThatDifferInCaseOnlyAreSetAsideAndTheOthersSwept(t *testing.T) {
	c, set := newTestConnection()
	set.perSecond, set.burst = 1000, 1000
	list := &fixedList{users: []lambdatest.User{
		{ID: "1", UserName: ada, Active: true}, {ID: "2", UserName: grace, Active: true}, {ID: "3", UserName: "ADA@Example.com", Active: true},
	}}
	c.Use(set, list)

	if err := c.Sweep(t.Context()); err != nil {
		t.Fatalf("the sweep is discarded: %v", err)
	}
	if account, known := c.Accounts.Get(grace); !known || account.ID != "2" {
		t.Error("the other account is not known")
	}
	if several := c.Accounts.Several(ada); len(several) != 2 {
		t.Errorf("%d accounts are set aside, want both", len(several))
	}
	if got := c.LastSweep().Several; !slices.Equal(got, []string{"1 and 3"}) {
		t.Errorf("reported are %q", got)
	}
	list.users = list.users[:2]
	if err := c.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if account, known := c.Accounts.Get(ada); !known || account.ID != "1" || len(c.LastSweep().Several) > 0 {
		t.Errorf("after one of the two was deleted, the account is %+v (%v)", account, c.LastSweep().Several)
	}
}

// An earlier version took straße and strasse for one person. The status of the one may name the account of the other.
func TestAnAccountThatIsListedUnderAnotherUserNameIsNotMissing(t *testing.T) {
	c, set := newTestConnection()
	set.perSecond, set.burst = 1000, 1000
	c.Accounts.Remember("admin@strasse.example", lambdatest.User{ID: "1", Active: true})
	c.Use(set, &fixedList{users: []lambdatest.User{{ID: "1", UserName: "admin@straße.example", Active: true}}})

	if err := c.Sweep(t.Context()); err != nil {
		t.Fatalf("the sweep is discarded: %v", err)
	}
	if account, known := c.Accounts.Get("admin@strasse.example"); known {
		t.Errorf("account %s counts as that of another person", account.ID)
	}
	if _, known := c.Accounts.Get("admin@straße.example"); !known {
		t.Error("the account is not known")
	}
}

// fixedList is a LambdaTest that shows these accounts, and each of them by its id.
type fixedList struct {
	Upstream
	users []lambdatest.User
}

func (l *fixedList) ListUsers(_ context.Context, start, _ int) (lambdatest.Page[lambdatest.User], error) {
	return lambdatest.Page[lambdatest.User]{Items: l.users, StartIndex: start, Total: len(l.users)}, nil
}

func (l *fixedList) GetUser(_ context.Context, id string) (lambdatest.User, error) {
	for _, user := range l.users {
		if user.ID == id {
			return user, nil
		}
	}
	return lambdatest.User{}, &lambdatest.Error{Status: http.StatusNotFound}
}
