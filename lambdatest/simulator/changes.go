// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"slices"
	"time"
)

// AccountChange is an account being made or written, whether that made a
// difference or not. What groups do to roles is not in it.
type AccountChange struct {
	Time time.Time `json:"time"`
	// Call is the route that did it, as in "PATCH /Users/{id}"; empty for
	// somebody at LambdaTest.
	Call string `json:"call,omitempty"`
	// Fault is what became of the call's answer, if anything.
	Fault Kind `json:"fault,omitempty"`
	// Before is the zero Account for one that is new.
	Before Account `json:"before"`
	After  Account `json:"after"`
}

// KeepChanges lets the organization keep every AccountChange, without bound.
func KeepChanges() Option {
	return func(o *Org) { o.keepChanges = true }
}

// Changes returns what became of accounts, in the order in which it did.
func (o *Org) Changes() []AccountChange {
	o.world.Lock()
	defer o.world.Unlock()
	return slices.Clone(o.changes)
}

// noteChange is called with the lock held, after the change.
func (o *Org) noteChange(before Account, a *account) {
	if !o.keepChanges {
		return
	}
	o.changes = append(o.changes, AccountChange{
		Time: o.world.now(), Call: o.acting.route, Fault: o.acting.fault, Before: before, After: a.export(),
	})
}

// acting is the call that is being carried out.
type acting struct {
	route string
	fault Kind
}

// before is what to call noteChange with once the account is changed.
func (a *account) before() Account {
	if a == nil {
		return Account{}
	}
	return a.export()
}
