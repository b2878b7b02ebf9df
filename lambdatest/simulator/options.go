// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Option configures an organization when it is created.
type Option func(*Org)

// Name sets the name of the organization, for "?org=".
func Name(name string) Option {
	return func(o *Org) { o.name = name }
}

// Token sets the bearer token that belongs to the organization.
func Token(token string) Option {
	return func(o *Org) { o.token = token }
}

// With sets the switches. The zero value of Switches follows the contract.
func With(switches Switches) Option {
	return func(o *Org) { o.switches = switches }
}

// ConcurrencyGroups names the concurrency groups that exist. Any other is 400.
func ConcurrencyGroups(names ...string) Option {
	return func(o *Org) { o.setConcurrencyGroups(names, true) }
}

// DefaultConcurrencyGroup makes a concurrency group exist, and members of a
// mapped concurrency group fall back to it. Without it they fall back to one
// that has no name.
func DefaultConcurrencyGroup(name string) Option {
	return func(o *Org) {
		o.defaultConcurrencyGroup = name
		o.setConcurrencyGroups([]string{name}, true)
	}
}

// Seed makes random behaviour repeatable: faults with a probability, and shuffled
// lists.
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

// Accounts fills the organization with those accounts, see AddAccount.
func Accounts(accounts ...Account) Option {
	return func(o *Org) {
		for _, a := range accounts {
			o.add(a)
		}
	}
}

// Switches are deviations from the contract, from harmless ones to wrong answers.
// With all off, the simulator follows the contract. They can be set at any time,
// with Switch or over HTTP. What the contract leaves open is not a deviation: see
// Readings.
type Switches struct {
	// GroupsOff: group provisioning is off; every write to a group is 403.
	GroupsOff bool `json:"groupsOff"`
	// PageSize is the size of a page without "count"; 0 means 20.
	PageSize int `json:"pageSize"`
	// MaxPageSize limits "count"; 0 means 100.
	MaxPageSize int `json:"maxPageSize"`
	// Latency is the delay before a call is carried out.
	Latency Duration `json:"latency"`
	// RateLimit is the number of calls per second that are answered; others get
	// 429 with "Retry-After: 1". 0 means no limit.
	RateLimit int `json:"rateLimit"`
	// HideRetryAfter: no answer has a Retry-After header.
	HideRetryAfter bool `json:"hideRetryAfter"`
	// ReassertAfter is how long a mapping takes to set its concurrency group back
	// after another was written; 0 means 30 seconds.
	ReassertAfter Duration `json:"reassertAfter"`

	// TruncateLists ends each list after this many items, also in totalResults; 0 is off.
	TruncateLists int `json:"truncateLists"`
	// GapsInPages omits this many items at the end of each page, but counts them.
	GapsInPages int `json:"gapsInPages"`
	// RepeatPages: every page contains the items of the first one.
	RepeatPages bool `json:"repeatPages"`
	// WrongTotals is added to totalResults.
	WrongTotals int `json:"wrongTotals"`
	// WrongIDs: an answer about one user or group carries another id.
	WrongIDs bool `json:"wrongIDs"`
	// MissingIDs: no user or group in an answer has an id.
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

// Latency delays every call by d, or until its caller gives up.
func (o *Org) Latency(d time.Duration) {
	o.Switch(func(s *Switches) { s.Latency = Duration(d) })
}

// Duration is a time.Duration that is "1.5s" in JSON.
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
