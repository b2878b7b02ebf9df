// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
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

// reportUnclaimedAdmins records an event and an audit line for each active Admin that no resource claims, and that the sweep before did not show as
// such: made Admin at LambdaTest, or left behind by a resource that is gone. The first sweep after the start reports none: these may have
// been Admins for years.
func (c *Connection) reportUnclaimedAdmins(ctx context.Context) {
	now := map[string]string{} // the user by account
	for user, account := range c.Accounts.Active() {
		if stands, _ := c.Census.get(user); stands&(StandsOnAccount|StandsOpen) == 0 && IsAdmin(account) {
			now[account.ID] = user
		}
	}
	c.mu.Lock()
	before := c.unclaimedAdmins
	c.unclaimedAdmins = now
	c.mu.Unlock()
	if before == nil {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if _, known := before[id]; !known {
			c.registry.reportUnclaimedAdmin(ctx, c.Organization, id, now[id])
		}
	}
}

func (c *Registry) reportUnclaimedAdmin(ctx context.Context, name types.NamespacedName, id, user string) {
	c.Options.Audit.Write(audit.Line{
		Event: audit.BecameAdmin, Namespace: name.Namespace, Organization: name.Name, Account: id, Reason: "Unclaimed",
	}, user)
	organization := &v1alpha1.LambdaTestOrganization{}
	if err := c.reader.Get(ctx, name, organization, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "No event about an Admin whom no resource claims", "organization", name)
		return
	}
	c.guards.Recorder.Eventf(organization, nil, corev1.EventTypeWarning, "UnclaimedAdmin", "Sweep",
		"Account %s is an active Admin at LambdaTest, and no resource claims it. If the person is to stay Admin, declare them; otherwise change the account at LambdaTest.", id)
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
