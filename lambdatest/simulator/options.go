// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Option shapes an organization while it is made.
type Option func(*Org)

// Name sets what the organization is called in "?org=".
func Name(name string) Option {
	return func(o *Org) { o.name = name }
}

// Token sets the bearer token that belongs to the organization.
func Token(token string) Option {
	return func(o *Org) { o.token = token }
}

// With sets the named switches. The zero value of Switches is the contract.
func With(switches Switches) Option {
	return func(o *Org) { o.switches = switches }
}

// ConcurrencyGroups names the concurrency groups that exist. Any other is 400.
func ConcurrencyGroups(names ...string) Option {
	return func(o *Org) { o.setConcurrencyGroups(names, true) }
}

// Seed makes what is left to chance the same each time: faults with a
// probability, and shuffled lists.
func Seed(seed uint64) Option {
	return func(o *Org) { o.random = rand.New(rand.NewPCG(seed, seed)) }
}

// Clock sets the clock of records, of meta.created and of the rate limit, for
// all organizations of the server.
func Clock(now func() time.Time) Option {
	return func(o *Org) { o.world.now = now }
}

// Population fills the organization with n active accounts,
// "user-000001@example.com" and so on.
func Population(n int) Option {
	return func(o *Org) {
		for i := 1; i <= n; i++ {
			o.add(Account{
				UserName:   fmt.Sprintf("user-%06d@example.com", i),
				GivenName:  "User",
				FamilyName: fmt.Sprintf("Number %d", i),
				Active:     true,
			})
		}
	}
}

// Switches are the named deviations, from harmless to lies. All off is the
// contract. They can be set at any time, by Switch or over HTTP.
type Switches struct {
	// GroupsOff: group provisioning is not switched on, every write is 403.
	GroupsOff bool `json:"groupsOff"`
	// KeepRoleOnUpsert: a POST without OrganizationRole leaves the role of an
	// existing account alone. Otherwise it resets it to User.
	KeepRoleOnUpsert bool `json:"keepRoleOnUpsert"`
	// PageSize is the size of a page without "count"; 0 is 20.
	PageSize int `json:"pageSize"`
	// MaxPageSize caps "count"; 0 is 100.
	MaxPageSize int `json:"maxPageSize"`
	// Latency is how long every call takes before it is looked at.
	Latency Duration `json:"latency"`
	// RateLimit is how many calls a second are answered; others are 429 with
	// "Retry-After: 1". 0 is no limit.
	RateLimit int `json:"rateLimit"`
	// HideRetryAfter: no answer says when to come back.
	HideRetryAfter bool `json:"hideRetryAfter"`

	// ShuffleLists: each list has an order of its own, so pages overlap and miss.
	ShuffleLists bool `json:"shuffleLists"`
	// TruncateLists ends each list after so many, and counts them so; 0 is off.
	TruncateLists int `json:"truncateLists"`
	// GapsInPages leaves out the last so many of each page, but counts them.
	GapsInPages int `json:"gapsInPages"`
	// RepeatPages: every page holds what the first one holds.
	RepeatPages bool `json:"repeatPages"`
	// WrongTotals is added to totalResults.
	WrongTotals int `json:"wrongTotals"`
	// WrongIDs: an answer about one user or group carries another id.
	WrongIDs bool `json:"wrongIDs"`
	// MissingIDs: nothing has an id.
	MissingIDs bool `json:"missingIDs"`
	// SomebodyElse: a search for a userName finds another account.
	SomebodyElse bool `json:"somebodyElse"`
}

// Switch changes the switches; calls that come later see the change.
func (o *Org) Switch(change func(*Switches)) {
	o.world.Lock()
	defer o.world.Unlock()
	change(&o.switches)
}

// Latency makes every call take d, or until its caller gives up.
func (o *Org) Latency(d time.Duration) {
	o.Switch(func(s *Switches) { s.Latency = Duration(d) })
}

// Duration is a time.Duration that JSON spells "1.5s".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("reading a duration: %w", err)
	}
	*d = Duration(parsed)
	return nil
}
