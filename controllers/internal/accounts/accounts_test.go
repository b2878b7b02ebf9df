// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

const ada = "ada@example.com"

// at is a time of these tests, in seconds.
func at(seconds int) time.Time {
	return time.Date(2026, 1, 2, 3, 4, seconds, 0, time.UTC)
}

func adaAccount() lambdatest.User { return lambdatest.User{ID: "1", UserName: ada, Role: "User"} }

func TestADoubtStaysUntilTheAccountIsReadAfterIt(t *testing.T) {
	for name, read := range map[string]func(a *Table, begun time.Time){
		"by a lookup":                    func(a *Table, begun time.Time) { a.Saw(ada, adaAccount(), begun) },
		"by a lookup that finds nothing": func(a *Table, begun time.Time) { a.Missed(ada, begun) },
		"by a sweep": func(a *Table, begun time.Time) {
			a.Replace(map[string]lambdatest.User{ada: adaAccount()}, nil, begun)
		},
		"by a sweep that lacks it": func(a *Table, begun time.Time) { a.Replace(nil, nil, begun) },
	} {
		t.Run(name, func(t *testing.T) {
			a := New()
			a.Saw(ada, adaAccount(), at(0))
			a.Doubt(ada, at(20), at(28))

			read(a, at(10))
			if !a.Observe(ada, at(21), false).Doubtful {
				t.Error("a read that began before the doubt ended it")
			}
			read(a, at(30))
			if a.Observe(ada, at(31), false).Doubtful {
				t.Error("a read that began after the doubt did not end it")
			}
		})
	}
}

func TestARoleStaysUnsureUntilItIsReadAfterTheChangeOfGroups(t *testing.T) {
	for name, read := range map[string]func(a *Table, begun, ended time.Time){
		"by a lookup":          func(a *Table, begun, _ time.Time) { a.Saw(ada, adaAccount(), begun) },
		"by a change's answer": func(a *Table, begun, ended time.Time) { a.Changed(ada, adaAccount(), begun, ended) },
		"by a complete listing": func(a *Table, begun, _ time.Time) {
			a.Replace(map[string]lambdatest.User{ada: adaAccount()}, nil, begun)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := New()
			a.Saw(ada, adaAccount(), at(0))
			a.DoubtRoles([]string{ada}, true, at(20))

			read(a, at(10), at(30))
			if have := a.Observe(ada, at(31), false); !have.RoleUnsure || !have.Doubtful {
				t.Errorf("a read that began before the change of groups settled the role: %+v", have)
			}
			read(a, at(40), at(41))
			if have := a.Observe(ada, at(42), false); have.RoleUnsure || have.Doubtful {
				t.Errorf("a read that began after the change of groups did not settle the role: %+v", have)
			}
		})
	}
}

func TestADoubtfulAccountThatNobodyClaimsIsForgottenOnceASweepLacksIt(t *testing.T) {
	a := New()
	a.Saw(ada, adaAccount(), at(0))
	a.Doubt(ada, at(1), at(9))
	a.Forget(ada)

	a.Replace(nil, nil, at(20))

	if missing := a.MissingIn(nil, at(30)); len(missing) > 0 {
		t.Errorf("%v is looked for again, and counts as gone, at each sweep", slices.Collect(maps.Keys(missing)))
	}
	a.Replace(nil, nil, at(30))
	if len(a.byUser) > 0 {
		t.Errorf("%v is never forgotten", slices.Collect(maps.Keys(a.byUser)))
	}
}

func TestTablesThatAreComparedAreNotLockedTogether(t *testing.T) {
	a := New()
	a.Saw(ada, adaAccount(), at(0))
	shared := make(chan bool, 1)
	go func() { shared <- a.Shares(a, false) }()

	select {
	case got := <-shared:
		if !got {
			t.Error("a table does not share the accounts of itself")
		}
	case <-time.After(10 * time.Second):
		t.Error("a table waits for another while it is locked")
	}
}

func TestAChangeThatMayStillTakeEffectIsNotForgotten(t *testing.T) {
	a := New()
	a.Doubt(ada, at(1), at(9))

	a.Replace(nil, nil, at(5))

	if !a.Observe(ada, at(6), false).Doubtful {
		t.Error("a sweep that began while a creation might still arrive says that there is no account")
	}
}

// The first sweep may end before the status of a person is read: what it does not show comes from the status, and what it shows does not.
func TestRememberFillsInWhatASweepDidNotShow(t *testing.T) {
	known := New()
	known.Replace(map[string]lambdatest.User{"ada": {ID: "1", Active: true, Role: "User"}}, nil, time.Now())
	known.Remember("ada", lambdatest.User{ID: "1", Role: "Admin", ConcurrencyGroup: "mobile"})
	known.Remember("bob", lambdatest.User{})
	if got, _ := known.Get("ada"); got.Role != "User" || got.ConcurrencyGroup != "mobile" || !got.Active {
		t.Errorf("known: %+v", got)
	}
	known.Saw("ada", lambdatest.User{ID: "2", Active: true}, time.Now())
	if got, _ := known.Get("ada"); got.Role != "" || got.ConcurrencyGroup != "" {
		t.Errorf("another account of the same address has attributes of the former one: %+v", got)
	}
}

func TestAStatusProvesNoSharedAccount(t *testing.T) {
	own, other := New(), New()
	account := lambdatest.User{ID: "1", UserName: ada, Active: true}
	own.Saw(ada, account, at(1))
	other.Remember(ada, account)
	if !own.Shares(other, false) {
		t.Error("an account that a status names is not known")
	}
	if own.Shares(other, true) {
		t.Error("an account that only a status names counts as read")
	}

	other.Saw(ada, account, at(2))

	if !own.Shares(other, true) {
		t.Error("an account that was read does not count")
	}
}

func TestSeveralAccountsOfOnePersonAreSetAside(t *testing.T) {
	table := New()
	table.Replace(map[string]lambdatest.User{ada: {ID: "1", UserName: ada, Active: true}}, nil, at(1))
	both := []lambdatest.User{{ID: "1", UserName: ada, Active: true}, {ID: "2", UserName: "ADA@example.com", Active: true}}

	changed := table.Replace(nil, map[string][]lambdatest.User{ada: slices.Clone(both)}, at(2))

	if !slices.Equal(changed, []string{ada}) {
		t.Errorf("changed are %v", changed)
	}
	have := table.Observe(ada, at(3), false)
	if !slices.Equal(have.Several, both) || have.Account == nil || have.Account.ID != "1" {
		t.Errorf("observed is %+v, want both accounts, and the one that was known", have)
	}
	for _, one := range both {
		one.Active = false
		table.Changed(ada, one, at(4), at(4))
	}
	if table.IsActive(ada) {
		t.Error("both are off, and one counts as active")
	}
	if again := table.Replace(nil, map[string][]lambdatest.User{ada: both}, at(5)); !slices.Equal(again, []string{ada}) || !table.IsActive(ada) {
		t.Errorf("a sweep that shows them active again changes %v", again)
	}
	if back := table.Replace(map[string]lambdatest.User{ada: both[0]}, nil, at(6)); !slices.Contains(back, ada) || len(table.Several(ada)) > 0 {
		t.Errorf("after one of them is gone, changed are %v, several %v", back, table.Several(ada))
	}
}

func TestAnIncompleteListSetsAccountsAsideAndKeepsThoseThatAre(t *testing.T) {
	table, bob := New(), "bob@example.com"
	adas := []lambdatest.User{{ID: "1", UserName: ada}, {ID: "2", UserName: "ADA@example.com"}}
	bobs := []lambdatest.User{{ID: "3", UserName: bob}, {ID: "4", UserName: "BOB@example.com"}}
	table.Show(nil, map[string][]lambdatest.User{ada: adas}, at(1))

	changed := table.Show(nil, map[string][]lambdatest.User{bob: bobs}, at(2))

	if !slices.Equal(changed, []string{bob}) || len(table.Several(bob)) != 2 {
		t.Errorf("changed are %v, several of the second person %v", changed, table.Several(bob))
	}
	if len(table.Several(ada)) != 2 {
		t.Errorf("a list that does not show the first person makes the accounts %v", table.Several(ada))
	}
}

// The sweep and the round read accounts while reconciles do.
func TestAnAnswerThatIsOlderThanWhatIsKnownChangesNothing(t *testing.T) {
	for name, late := range map[string]func(a *Table){
		"a lookup":                   func(a *Table) { a.Saw(ada, adaAccount(), at(5)) },
		"a read that finds none":     func(a *Table) { a.Missed(ada, at(5)) },
		"a change":                   func(a *Table) { a.Changed(ada, adaAccount(), at(5), at(9)) },
		"a list":                     func(a *Table) { a.Show(map[string]lambdatest.User{ada: adaAccount()}, nil, at(5)) },
		"a complete list without it": func(a *Table) { a.Replace(nil, nil, at(5)) },
	} {
		t.Run(name, func(t *testing.T) {
			a := New()
			a.Saw(ada, adaAccount(), at(0))
			a.Moved(ada, at(10))

			late(a)

			if account, known := a.Said(ada); account != nil || known {
				t.Errorf("the account is %+v (known %t), want one that has moved", account, known)
			}
			if got := a.LastID(ada); got != "1" {
				t.Errorf("the last id is %q, want 1", got)
			}
		})
	}
}
