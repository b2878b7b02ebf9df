// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// AccountCounts count the active accounts of an organization that need a look.
type AccountCounts struct {
	// Admins are the active Admins, claimed or not. UnclaimedActive and UnclaimedAdmins are about accounts that no resource claims.
	Admins, UnclaimedActive, UnclaimedAdmins int
}

// CountAccounts counts the accounts that are known.
func (c *Connection) CountAccounts() AccountCounts {
	var sum AccountCounts
	for user, account := range c.Accounts.Active() {
		isAdmin := IsAdmin(account)
		stands, _ := c.Census.get(user)
		unclaimed := stands&StandsOnAccount == 0
		for into, counts := range map[*int]bool{
			&sum.Admins: isAdmin, &sum.UnclaimedActive: unclaimed, &sum.UnclaimedAdmins: unclaimed && isAdmin,
		} {
			if counts {
				*into++
			}
		}
	}
	return sum
}

// IsAdmin tells whether an account is an active Admin.
func IsAdmin(account lambdatest.User) bool {
	return account.Active && account.Role == string(v1alpha1.RoleAdmin)
}

// countsChanged tells whether the counts of accounts differ from those that it saw last.
func (c *Connection) countsChanged() bool {
	now := c.CountAccounts()
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.counted
	c.counted = now
	return before != now
}
