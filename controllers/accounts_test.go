// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// at is a time of these tests, in seconds.
func at(seconds int) time.Time {
	return time.Date(2026, 1, 2, 3, 4, seconds, 0, time.UTC)
}

func adaAccount() lambdatest.User { return lambdatest.User{ID: "1", UserName: ada, Role: "User"} }

func TestADoubtStaysUntilTheAccountIsReadAfterIt(t *testing.T) {
	for name, read := range map[string]func(a *accounts, begun time.Time){
		"by a lookup":                    func(a *accounts, begun time.Time) { a.saw(ada, adaAccount(), begun) },
		"by a lookup that finds nothing": func(a *accounts, begun time.Time) { a.missed(ada, begun) },
		"by a comparison": func(a *accounts, begun time.Time) {
			a.replace(map[string]lambdatest.User{ada: adaAccount()}, begun)
		},
		"by a comparison that lacks it": func(a *accounts, begun time.Time) { a.replace(nil, begun) },
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccounts()
			a.saw(ada, adaAccount(), at(0))
			a.doubt(ada, at(20), at(28))

			read(a, at(10))
			if !a.observe(ada, at(21), false).doubtful {
				t.Error("a read that began before the doubt ended it")
			}
			read(a, at(30))
			if a.observe(ada, at(31), false).doubtful {
				t.Error("a read that began after the doubt did not end it")
			}
		})
	}
}

func TestARoleStaysUnsureUntilItIsReadAfterTheChangeOfGroups(t *testing.T) {
	for name, read := range map[string]func(a *accounts, begun, ended time.Time){
		"by a lookup":           func(a *accounts, begun, _ time.Time) { a.saw(ada, adaAccount(), begun) },
		"by a change's answer":  func(a *accounts, begun, ended time.Time) { a.changed(ada, adaAccount(), begun, ended) },
		"by a complete listing": func(a *accounts, begun, _ time.Time) { a.replace(map[string]lambdatest.User{ada: adaAccount()}, begun) },
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccounts()
			a.saw(ada, adaAccount(), at(0))
			a.doubtRoles([]string{ada}, true, at(20))

			read(a, at(10), at(30))
			if have := a.observe(ada, at(31), false); !have.roleUnsure || !have.doubtful {
				t.Errorf("a read that began before the change of groups settled the role: %+v", have)
			}
			read(a, at(40), at(41))
			if have := a.observe(ada, at(42), false); have.roleUnsure || have.doubtful {
				t.Errorf("a read that began after the change of groups did not settle the role: %+v", have)
			}
		})
	}
}

func TestADoubtfulAccountThatNobodyClaimsIsForgottenOnceAComparisonLacksIt(t *testing.T) {
	a := newAccounts()
	a.saw(ada, adaAccount(), at(0))
	a.doubt(ada, at(1), at(9))
	a.forget(ada)

	a.replace(nil, at(20))

	if missing := a.missingIn(nil, at(30)); len(missing) > 0 {
		t.Errorf("%v is looked for again, and counts as gone, at each comparison", slices.Collect(maps.Keys(missing)))
	}
	a.replace(nil, at(30))
	if len(a.byUser) > 0 {
		t.Errorf("%v is never forgotten", slices.Collect(maps.Keys(a.byUser)))
	}
}

func TestTablesThatAreComparedAreNotLockedTogether(t *testing.T) {
	a := newAccounts()
	a.saw(ada, adaAccount(), at(0))
	shared := make(chan bool, 1)
	go func() { shared <- a.shares(a) }()

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
	a := newAccounts()
	a.doubt(ada, at(1), at(9))

	a.replace(nil, at(5))

	if !a.observe(ada, at(6), false).doubtful {
		t.Error("a comparison that began while a creation might still arrive says that there is no account")
	}
}
