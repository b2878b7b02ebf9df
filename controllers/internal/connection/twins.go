// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// Two LambdaTestOrganizations may be one organization at LambdaTest: by the same token, or by two tokens that show the same accounts.
// Only the oldest of them makes calls, whatever keeps it from doing so at the moment. Where a younger one was first, because the older one
// was opened or given its token later, the younger one stops, and the older one waits until the last call of the younger one has ended.

// Login is what tells which organization at LambdaTest a connection is about.
type Login struct {
	// examined says that the token was looked for; until then nothing is known.
	examined bool
	// fingerprint is of address and token; empty without a token.
	fingerprint string
	baseURL     string
}

// Login is what the settings say of how the organization signs in.
func (s Settings) Login() Login {
	return Login{examined: true, fingerprint: s.Fingerprint, baseURL: s.BaseURL}
}

// NoteExamined notes that the token was looked for in vain: what was known of it stays.
func (c *Connection) NoteExamined() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.login.examined = true
}

// Examined tells whether an organization's token was looked for.
func (c *Registry) Examined(organization types.NamespacedName) bool {
	found, ok := c.Find(organization)
	return ok && found.Login().examined
}

// Login is how the organization signs in, as far as it was looked for.
func (c *Connection) Login() Login {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.login
}

// setLogin notes an identity and returns the one before. Accounts that were compared with another token say nothing about this one.
func (c *Connection) setLogin(now Login) Login {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.login
	if before.fingerprint != "" && now.fingerprint != "" && before != now {
		c.lastSweep.twin = ""
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
	c.mu.Lock()
	stopped := c.upstream == nil || c.obstacle != status.Outcome{}
	c.mu.Unlock()
	if !stopped {
		c.Block(NotReady(c.Organization.Name, to.Problem()))
		c.changed()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls > 0
}

// Precedence is what came of comparing a connection with the others: the zero value is that it is the only one.
type Precedence struct {
	// Older is the connection that makes the calls, and shares what both have.
	Older, shares string
	// Busy is a younger one that was stopped, and whose last calls have not ended.
	Busy string
}

// Problem says why the connection makes no calls, for people to read.
func (c Precedence) Problem() string {
	return fmt.Sprintf("%s %s: delete one of the two, or give this one the token of another LambdaTest organization", c.Older, c.shares)
}

// beats makes the older connection the one that makes the calls.
func beats(older *Connection, shares string) Precedence {
	return Precedence{Older: older.Organization.String(), shares: shares}
}

const (
	sharesToken    = "uses the same token"
	sharesAccounts = "has the same accounts"
)

// TakeLogin notes which organization at LambdaTest a connection is about. If it is the only one that may make calls, use puts it into force.
func (c *Registry) TakeLogin(asking *Connection, now Login, use func()) Precedence {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	before := asking.setLogin(now)
	if before.fingerprint != "" && before != now {
		defer c.wakeBlocked()
	}
	if !before.examined {
		asking.noteTwin(c.findOlderTwin(asking)) // of the accounts that status remembers
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
		switch theirs := other.Login(); {
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
	c.TakeLogin(asking, Login{examined: true, baseURL: baseURL}, nil)
}

// olderTwin is told when a connection has compared its accounts. It names an older one, called at the same address, that has the same
// accounts: two tokens of one LambdaTest organization. Accounts of two organizations never share an id. The younger one stops.
func (c *Registry) olderTwin(asking *Connection) string {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	for _, younger := range c.All() {
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
	return twin.Organization.String()
}

func (c *Registry) findOlderTwin(asking *Connection) *Connection {
	for _, older := range c.All() {
		if older.olderThan(asking) && c.areTwins(older, asking) {
			return older
		}
	}
	return nil
}

func (c *Registry) areTwins(a, b *Connection) bool {
	return a != b && a.Login().baseURL == b.Login().baseURL && b.Accounts.Shares(a.Accounts)
}

// twinOf is the older twin that was found, as long as it still is one.
func (c *Registry) twinOf(asking *Connection) *Connection {
	name := asking.LastSweep().twin
	if name == "" {
		return nil
	}
	for _, other := range c.All() {
		if other.Organization.String() == name && asking.Accounts.Shares(other.Accounts) {
			return other
		}
	}
	return nil
}

func (c *Connection) noteTwin(older *Connection) {
	if older == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastSweep.twin = older.Organization.String()
}

// wakeBlocked looks again at organizations that make no calls: what they waited for may be over.
func (c *Registry) wakeBlocked() {
	for _, other := range c.All() {
		if _, obstacle := other.State(); obstacle != (status.Outcome{}) {
			other.changed()
		}
	}
}
