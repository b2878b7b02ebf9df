// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Two LambdaTestOrganizations may be one organization at LambdaTest: by the same token, or by two tokens that show the same accounts.
// Only the oldest of them makes calls, whatever keeps it from doing so at the moment. Where a younger one was first, because the older one
// was opened or given its token later, the younger one stops, and the older one waits until the last call of the younger one has ended.

// identity is what tells which organization at LambdaTest a connection is about.
type identity struct {
	// examined says that the token was looked for; until then nothing is known.
	examined bool
	// fingerprint is of address and token; empty without a token.
	fingerprint string
	baseURL     string
}

func (s settings) identity() identity {
	return identity{examined: true, fingerprint: s.fingerprint, baseURL: s.baseURL}
}

// examined notes that the token was looked for in vain: what was known of it stays.
func (c *connection) examined() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.identity.examined = true
}

// examined tells whether an organization's token was looked for.
func (c *connections) examined(organization types.NamespacedName) bool {
	found, ok := c.find(organization)
	return ok && found.identified().examined
}

func (c *connection) identified() identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identity
}

// identify notes an identity and returns the one before. Accounts that were compared with another token say nothing about this one.
func (c *connection) identify(now identity) identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.identity
	if before.fingerprint != "" && now.fingerprint != "" && before != now {
		c.comparison.twin = ""
	}
	c.identity = now
	return before
}

// olderThan orders organizations by creation, then by name. It is a total order, so that locks of two connections can be taken by it.
func (c *connection) olderThan(other *connection) bool {
	return other.isYoungerThan(c.organization, c.createdAt)
}

func (c *connection) isYoungerThan(name types.NamespacedName, createdAt time.Time) bool {
	if createdAt.Equal(c.createdAt) {
		return name.String() < c.organization.String()
	}
	return createdAt.Before(c.createdAt)
}

// yield stops a connection because an older one is about the same organization. It says whether calls are still under way.
func (c *connection) yield(to contest) bool {
	c.mu.Lock()
	stopped := c.upstream == nil || c.obstacle != situation{}
	c.mu.Unlock()
	if !stopped {
		c.block(notReady(c.organization.Name, to.problem()))
		c.changed()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls > 0
}

// contest is what came of comparing a connection with the others: the zero value is that it is the only one.
type contest struct {
	// older is the connection that makes the calls, and shares what both have.
	older, shares string
	// busy is a younger one that was stopped, and whose last calls have not ended.
	busy string
}

func (c contest) problem() string {
	return fmt.Sprintf("%s %s: delete one of the two, or give this one the token of another LambdaTest organization", c.older, c.shares)
}

// beats makes the older connection the one that makes the calls.
func beats(older *connection, shares string) contest {
	return contest{older: older.organization.String(), shares: shares}
}

const (
	sharesToken    = "uses the same token"
	sharesAccounts = "has the same accounts"
)

// take notes which organization at LambdaTest a connection is about. If it is the only one that may make calls, use puts it into force.
func (c *connections) take(asking *connection, now identity, use func()) contest {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	before := asking.identify(now)
	if before.fingerprint != "" && before != now {
		defer c.wakeBlocked()
	}
	if !before.examined {
		asking.noteTwin(c.findOlderTwin(asking)) // of the accounts that status remembers
	}
	result := c.contend(asking, now)
	if result == (contest{}) && use != nil {
		use()
	}
	return result
}

func (c *connections) contend(asking *connection, now identity) contest {
	var younger []*connection
	for _, other := range c.all() {
		switch theirs := other.identified(); {
		case other == asking, theirs.fingerprint != now.fingerprint, now.fingerprint == "":
		case other.olderThan(asking):
			return beats(other, sharesToken)
		default:
			younger = append(younger, other)
		}
	}
	if twin := c.twinOf(asking); twin != nil {
		return beats(twin, sharesAccounts)
	}
	var result contest
	for _, other := range younger {
		if other.yield(beats(asking, sharesToken)) {
			result.busy = other.organization.String()
		}
	}
	return result
}

// release notes that an organization has no token that can be used.
func (c *connections) release(asking *connection, baseURL string) {
	c.take(asking, identity{examined: true, baseURL: baseURL}, nil)
}

// olderTwin is told when a connection has compared its accounts. It names an older one, called at the same address, that has the same
// accounts: two tokens of one LambdaTest organization. Accounts of two organizations never share an id. The younger one stops.
func (c *connections) olderTwin(asking *connection) string {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	for _, younger := range c.all() {
		if asking.olderThan(younger) && c.areTwins(asking, younger) {
			younger.noteTwin(asking)
			younger.yield(beats(asking, sharesAccounts))
		}
	}
	twin := c.findOlderTwin(asking)
	if twin == nil {
		return ""
	}
	asking.yield(beats(twin, sharesAccounts))
	return twin.organization.String()
}

func (c *connections) findOlderTwin(asking *connection) *connection {
	for _, older := range c.all() {
		if older.olderThan(asking) && c.areTwins(older, asking) {
			return older
		}
	}
	return nil
}

func (c *connections) areTwins(a, b *connection) bool {
	return a != b && a.identified().baseURL == b.identified().baseURL && b.accounts.shares(a.accounts)
}

// twinOf is the older twin that was found, as long as it still is one.
func (c *connections) twinOf(asking *connection) *connection {
	name := asking.lastComparison().twin
	if name == "" {
		return nil
	}
	for _, other := range c.all() {
		if other.organization.String() == name && asking.accounts.shares(other.accounts) {
			return other
		}
	}
	return nil
}

func (c *connection) noteTwin(older *connection) {
	if older == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.comparison.twin = older.organization.String()
}

// wakeBlocked looks again at organizations that make no calls: what they waited for may be over.
func (c *connections) wakeBlocked() {
	for _, other := range c.all() {
		if _, obstacle := other.state(); obstacle != (situation{}) {
			other.changed()
		}
	}
}
