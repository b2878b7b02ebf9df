// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// compared tells whether a complete comparison says who has an account. Before that, a member who is not known may well have one.
func (a *accounts) compared() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tried && !a.sweptAt.IsZero()
}

// resolve returns the ids of the accounts of some people, and the userNames of those who have none.
func (a *accounts) resolve(userNames []string) (ids, without []string) {
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

// usersOf names the people who have these accounts.
func (a *accounts) usersOf(ids []string) []string {
	wanted := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		wanted[id] = struct{}{}
	}
	var users []string
	a.each(func(user string, account lambdatest.User) bool {
		if _, ok := wanted[account.ID]; ok {
			users = append(users, user)
		}
		return true
	})
	return users
}

// doubtRoles marks that LambdaTest has computed these people's roles anew. With lookUp they are read again at once; otherwise the next
// sweep that starts after now settles it.
func (a *accounts) doubtRoles(users []string, lookUp bool, now time.Time) {
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

// doubtRoles follows a change of groups at LambdaTest: the roles of these accounts are what it computed, whatever was known. A few are
// looked up; for many, a comparison is the cheaper way.
func (c *connection) doubtRoles(ids []string, now time.Time) {
	if len(ids) == 0 {
		return
	}
	affected := c.accounts.usersOf(ids)
	c.accounts.doubtRoles(affected, false, now)
	claimed := slices.DeleteFunc(affected, func(user string) bool { return !c.ledger.has(user) })
	if len(claimed) > c.lastComparison().pages+1 {
		c.sweepEarly()
		return
	}
	c.accounts.doubtRoles(claimed, true, now)
	c.wake(priorityChange, claimed...)
}

// wakeMembers looks again at people whose role from groups may have changed.
func (c *connection) wakeMembers(users []string) {
	for _, user := range users {
		if c.ledger.has(user) {
			c.wake(priorityChange, user)
		}
	}
}

// appeared lets groups follow who wait for somebody's account. They wait a little for more: while thousands are being created, a group
// follows in some dozens of steps.
func (c *connection) appeared(user string) {
	c.setbacks.clear(user) // an address that belonged to another organization is ours now
	for resource, awaited := range c.groups.awaits(user) {
		delay := min(max(time.Duration(awaited)*followEach, followMin), followMax)
		c.registry.groups.addAfter(delay, reconcile.Request{NamespacedName: c.groupNamed(resource)})
	}
}

const (
	// followEach, followMin and followMax are how long a group waits for further accounts: by how many it waits for.
	followEach = 5 * time.Millisecond
	followMin  = time.Second
	followMax  = 30 * time.Second
)
