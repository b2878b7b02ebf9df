// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"slices"
	"time"
)

// AccountChange records that an account was created or written, also when the
// write changed nothing. Role changes that groups cause are not recorded.
type AccountChange struct {
	Time time.Time `json:"time"`
	// Call is the route of the call, as in "PATCH /Users/{id}"; empty for a
	// change at LambdaTest itself.
	Call string `json:"call,omitempty"`
	// Fault is the fault that spoiled the call's answer, if any.
	Fault Kind `json:"fault,omitempty"`
	// Before is the zero Account if the account is new.
	Before Account `json:"before"`
	After  Account `json:"after"`
}

// KeepChanges lets the organization keep every AccountChange, without bound.
func KeepChanges() Option {
	return func(o *Org) { o.keepChanges = true }
}

// Changes returns all changes of accounts, oldest first.
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
	// met are the readings that the call met; nil outside of a call.
	met map[string]bool
}

// before returns the account before a change, for noteChange.
func (a *account) before() Account {
	if a == nil {
		return Account{}
	}
	return a.export()
}
