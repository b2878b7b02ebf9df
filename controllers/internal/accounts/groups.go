// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Swept tells whether a complete sweep has shown all accounts, or all people with a claim were read. Before that, a member without a known
// account may have one.
func (a *Table) Swept() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.swept() || a.tried && a.covered
}

func (a *Table) swept() bool { return a.tried && !a.sweptAt.IsZero() }

// Resolve returns the ids of the accounts of some people, the userNames of those who have none, and the ids of accounts that these had.
func (a *Table) Resolve(userNames []string) (ids, without, former []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, userName := range userNames {
		entry := a.byUser[v1alpha1.FoldUserName(userName)]
		if entry.ID != "" {
			ids = append(ids, entry.ID)
			continue
		}
		without = append(without, userName)
		if entry.formerID != "" {
			former = append(former, entry.formerID)
		}
	}
	return ids, without, former
}

// UsersOf names the people who have these accounts.
func (a *Table) UsersOf(ids []string) []string {
	wanted := sets.New(ids...)
	var users []string
	a.Each(func(user string, account lambdatest.User) bool {
		if wanted.Has(account.ID) {
			users = append(users, user)
		}
		return true
	})
	return users
}

// DoubtRoles marks that LambdaTest has computed the roles of these people anew. With lookUp their accounts are in doubt as well, and so read
// again at once; otherwise the next sweep that starts after now reads them.
func (a *Table) DoubtRoles(users []string, lookUp bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, user := range users {
		entry := a.byUser[user]
		if entry.ID == "" {
			continue
		}
		entry.roleUnsureSince = now
		if lookUp {
			entry.doubtSince = now
		}
		a.byUser[user] = entry
	}
}
