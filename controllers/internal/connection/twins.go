// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// Two LambdaTestOrganizations may be one organization at LambdaTest: by the same token, or by two tokens that show the same accounts. Only
// the oldest of them makes calls, even while something keeps it from calling. Where a younger one was first, because the older one was
// opened or given its token later, the younger one stops, and the older one waits until the last call of the younger one has ended.

// Login says which organization at LambdaTest a connection is about.
type Login struct {
	// examined says that the Secret with the token was read, or could not be; before, nothing is known.
	examined bool
	// fingerprint is of address and token; empty without a token.
	fingerprint string
	address     string
}

// Login is that of the settings.
func (s Settings) Login() Login {
	return Login{examined: true, fingerprint: s.Fingerprint, address: Address(s.BaseURL)}
}

// NoteExamined notes that the Secret with the token could not be read: what was known of it stays.
func (c *Connection) NoteExamined() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.login.examined = true
}

// Examined tells whether the Secret with an organization's token was read, or could not be.
func (c *Registry) Examined(organization types.NamespacedName) bool {
	found, ok := c.Find(organization)
	return ok && found.currentLogin().examined
}

func (c *Connection) currentLogin() Login {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.login
}

// setLogin notes a login and returns the one before. Accounts that were compared with another token say nothing about the new one.
func (c *Connection) setLogin(now Login) Login {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.login
	if before.fingerprint != "" && now.fingerprint != "" && before != now {
		c.lastSweep.twin = types.NamespacedName{}
	}
	c.login = now
	return before
}

// olderThan orders organizations by creation, then by name. It is a total order, so that locks of two connections can be taken by it.
func (c *Connection) olderThan(other *Connection) bool {
	return other.IsYoungerThan(c.Organization, c.createdAt)
}

// IsYoungerThan tells whether the organization is younger than one of that name and creation.
func (c *Connection) IsYoungerThan(name types.NamespacedName, createdAt time.Time) bool {
	if createdAt.Equal(c.createdAt) {
		return name.String() < c.Organization.String()
	}
	return createdAt.Before(c.createdAt)
}

// yield stops a connection because an older one is about the same organization. It says whether calls are still under way.
func (c *Connection) yield(to Precedence) bool {
	if _, obstacle := c.State(); c.Client() != nil && obstacle == (status.Outcome{}) {
		c.Block(NotReady(c.Organization.Name, to.Problem()))
		c.changed()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls > 0
}

// Precedence says whether a connection may make calls: the zero value is that it may.
type Precedence struct {
	// Older is the organization that makes the calls instead, and shares says what both have.
	Older, shares string
	// Busy is a younger organization that was stopped, and whose last calls have not ended.
	Busy string
}

// Problem says, for the status, why the connection makes no calls.
func (c Precedence) Problem() string {
	return fmt.Sprintf("%s %s: delete one of the two, or give this one the token of another LambdaTest organization", c.Older, c.shares)
}

// beats says that the older connection makes the calls.
func beats(older *Connection, shares string) Precedence {
	return Precedence{Older: older.Organization.String(), shares: shares}
}

const (
	sharesToken    = "uses the same token"
	sharesAccounts = "has the same accounts"
)

// TakeLogin notes which organization at LambdaTest a connection is about. If the connection may make calls, use puts it into force.
func (c *Registry) TakeLogin(asking *Connection, now Login, use func()) Precedence {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	before := asking.setLogin(now)
	if before.fingerprint != "" && before != now {
		defer c.wakeBlocked()
	}
	if !before.examined {
		asking.noteTwin(c.findOlderTwin(asking)) // by the accounts that statuses name
	}
	result := c.contend(asking, now)
	if result == (Precedence{}) && use != nil {
		use()
	}
	return result
}

func (c *Registry) contend(asking *Connection, now Login) Precedence {
	var younger []*Connection
	for _, other := range c.All() {
		switch theirs := other.currentLogin(); {
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
	var result Precedence
	for _, other := range younger {
		if other.yield(beats(asking, sharesToken)) {
			result.Busy = other.Organization.String()
		}
	}
	return result
}

// ReleaseLogin notes that an organization has no token that can be used.
func (c *Registry) ReleaseLogin(asking *Connection, baseURL string) {
	c.TakeLogin(asking, Login{examined: true, address: Address(baseURL)}, nil)
}

// olderTwin follows a complete sweep of a connection. It names an older organization at the same address that has the same accounts: the two
// have two tokens of one LambdaTest organization, since accounts of two organizations never share an id. The younger one stops.
func (c *Registry) olderTwin(asking *Connection) (name types.NamespacedName) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	for _, younger := range c.All() {
		if asking.olderThan(younger) && c.areTwins(asking, younger) {
			younger.noteTwin(asking)
			younger.yield(beats(asking, sharesAccounts))
		}
	}
	twin := c.findOlderTwin(asking)
	if twin != nil {
		asking.yield(beats(twin, sharesAccounts))
		name = twin.Organization
	}
	return name
}

func (c *Registry) findOlderTwin(asking *Connection) *Connection {
	for _, older := range c.All() {
		if older.olderThan(asking) && c.areTwins(older, asking) {
			return older
		}
	}
	return nil
}

func (c *Registry) areTwins(older, younger *Connection) bool {
	return older != younger && older.currentLogin().address == younger.currentLogin().address && older.hasAccountsOf(younger)
}

// hasAccountsOf tells whether the connection, which is the older one, has an account of the other. In another namespace, other users may
// write statuses, and would stop the other organization by naming its accounts there: only accounts that LambdaTest has shown count.
func (c *Connection) hasAccountsOf(younger *Connection) bool {
	return younger.Accounts.Shares(c.Accounts, c.Organization.Namespace != younger.Organization.Namespace)
}

// twinOf is the older twin that was noted, as long as it has the same accounts.
func (c *Registry) twinOf(asking *Connection) *Connection {
	twin, there := c.Opening(asking.LastSweep().twin)
	if !there || !twin.hasAccountsOf(asking) {
		return nil
	}
	return twin
}

func (c *Connection) noteTwin(older *Connection) {
	if older == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastSweep.twin = older.Organization
}

// wakeBlocked requeues organizations that make no calls: what they wait for may be over.
func (c *Registry) wakeBlocked() {
	for _, other := range c.All() {
		if _, obstacle := other.State(); obstacle != (status.Outcome{}) {
			other.changed()
		}
	}
}
