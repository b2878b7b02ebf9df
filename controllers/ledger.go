// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import "sync"

// standing is how a person stands: what the counts of an organization are made of.
type standing uint16

const (
	// standsClaimed: a claim counts.
	standsClaimed standing = 1 << iota
	// standsActive: active at LambdaTest.
	standsActive
	// standsSynced: LambdaTest has what is wanted.
	standsSynced
	// standsFailing: it has not, for a reason other than waiting.
	standsFailing
	// standsDrifted: it differs, and driftPolicy says Report.
	standsDrifted
	// standsDenied: to lose access, and LambdaTest could not be told yet.
	standsDenied
	// standsOnAccount: there is an account, and somebody claims it.
	standsOnAccount
	// standsBarred: is to have no access, whether LambdaTest was told yet or not.
	standsBarred
	// standsOpen: something is to be done.
	standsOpen
	// standsLeaving: to lose access because nobody claims the person any more.
	standsLeaving
	// standsRefused: LambdaTest refuses something of what is wanted.
	standsRefused
)

// counts are how many people stand how.
type counts struct {
	people, active, synced, failing, drifted, pendingDenials, accounts, refused int
}

// ledger knows how each person of an organization stood after the last reconcile.
type ledger struct {
	mu      sync.Mutex
	byUser  map[string]standing
	version uint64
	// struck are those who were struck while memory is filled from statuses, which may be older. Nil once that is done.
	struck map[string]struct{}
}

func newLedger() *ledger {
	return &ledger{byUser: map[string]standing{}, struck: map[string]struct{}{}}
}

// enter notes how a person stands.
func (l *ledger) enter(user string, now standing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, ok := l.byUser[user]
	l.byUser[user] = now
	if !ok || before.counted() != now.counted() {
		l.version++
	}
}

// counted is the part of a standing that counts are made of.
func (s standing) counted() standing { return s &^ standsOpen }

// recall adds what a claim's status says of how its person stands, before anybody was looked at. False: the person was struck after the
// claim was read, and stays so.
func (l *ledger) recall(user string, remembered standing) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, struck := l.struck[user]; struck {
		return false
	}
	l.byUser[user] |= remembered
	return true
}

// recalled ends the time in which statuses are recalled.
func (l *ledger) recalled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.struck = nil
}

// expect says that a person is about to be looked at, before anything that the look depends on is read: whoever changes any of it from
// now on finds the person here, with something to be done, and wakes them. It changes no count, and enter ends it.
func (l *ledger) expect(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byUser[user] |= standsOpen
}

// strike forgets a person.
func (l *ledger) strike(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.struck != nil {
		l.struck[user] = struct{}{}
	}
	if _, ok := l.byUser[user]; ok {
		delete(l.byUser, user)
		l.version++
	}
}

// has tells whether there is any claim about a person.
func (l *ledger) has(user string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.byUser[user]
	return ok
}

// isBarred tells whether a person is to have no access.
func (l *ledger) isBarred(user string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byUser[user]&standsBarred != 0
}

// open lists the people for whom something is to be done.
func (l *ledger) open() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var users []string
	for user, stands := range l.byUser {
		if stands&standsOpen != 0 {
			users = append(users, user)
		}
	}
	return users
}

// counts adds up. The version changes whenever they may.
func (l *ledger) counts() (counts, uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var sum counts
	for _, stands := range l.byUser {
		sum.people += one(stands, standsClaimed)
		sum.active += one(stands, standsClaimed|standsActive)
		sum.synced += one(stands, standsSynced)
		sum.failing += one(stands, standsFailing)
		sum.drifted += one(stands, standsDrifted)
		sum.pendingDenials += one(stands, standsDenied)
		sum.accounts += one(stands, standsOnAccount)
		sum.refused += one(stands, standsRefused)
	}
	return sum, l.version
}

func one(stands, all standing) int {
	if stands&all == all {
		return 1
	}
	return 0
}

// urgency is the priority with which an open person is looked at again: others is that of whoever is not denied.
func (l *ledger) urgency(user string, others int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch stands := l.byUser[user]; {
	case stands&standsDenied == 0:
		return others
	case stands&standsLeaving != 0:
		return priorityDeletion
	}
	return priorityDenial
}
