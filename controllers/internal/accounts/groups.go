// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Swept tells whether a complete sweep says who has an account. Before that, a member who is not known may well have one.
func (a *Table) Swept() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tried && !a.sweptAt.IsZero()
}

// Resolve returns the ids of the accounts of some people, and the userNames of those who have none.
func (a *Table) Resolve(userNames []string) (ids, without []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, userName := range userNames {
		if entry := a.byUser[v1alpha1.FoldUserName(userName)]; entry.ID != "" {
			ids = append(ids, entry.ID)
		} else {
			without = append(without, userName)
		}
	}
	return ids, without
}

// UsersOf names the people who have these accounts.
func (a *Table) UsersOf(ids []string) []string {
	wanted := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		wanted[id] = struct{}{}
	}
	var users []string
	a.Each(func(user string, account lambdatest.User) bool {
		if _, ok := wanted[account.ID]; ok {
			users = append(users, user)
		}
		return true
	})
	return users
}

// DoubtRoles marks that LambdaTest has computed these people's roles anew. With lookUp they are read again at once; otherwise the next
// sweep that starts after now settles it.
func (a *Table) DoubtRoles(users []string, lookUp bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, user := range users {
		entry, ok := a.byUser[user]
		if !ok || entry.ID == "" {
			continue
		}
		entry.roleUnsureSince = now
		if lookUp {
			entry.doubtSince = now
		}
		a.byUser[user] = entry
	}
}
