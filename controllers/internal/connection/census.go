// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"slices"
	"sync"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// Standing is how a person stands: what the counts of an organization are made of.
type Standing uint16

const (
	// StandsClaimed means: a claim counts.
	StandsClaimed Standing = 1 << iota
	// StandsActive means: active at LambdaTest.
	StandsActive
	// StandsSynced means: LambdaTest has what is wanted.
	StandsSynced
	// StandsFailing means: it has not, for a reason other than waiting.
	StandsFailing
	// StandsDrifted means: it differs, and driftPolicy says Report.
	StandsDrifted
	// StandsDenied means: to lose access, and LambdaTest could not be told yet.
	StandsDenied
	// StandsOnAccount means: there is an account, and somebody claims it.
	StandsOnAccount
	// StandsBarred means: is to have no access, whether LambdaTest was told yet or not.
	StandsBarred
	// StandsOpen means: something is to be done.
	StandsOpen
	// StandsLeaving means: to lose access because nobody claims the person any more.
	StandsLeaving
	// StandsRefused means: LambdaTest refuses something of what is wanted.
	StandsRefused
)

// counts are how many people stand how.
type counts struct {
	People, Active, Synced, Failing, Drifted, PendingDenials, Accounts, Refused int
}

// Census knows how each person of an organization stood after the last reconcile.
type Census struct {
	mu      sync.Mutex
	byUser  map[string]Standing
	version uint64
	// struck are those who were struck while memory is filled from statuses, which may be older. Nil once that is done.
	struck map[string]struct{}
}

func newCensus() *Census {
	return &Census{byUser: map[string]Standing{}, struck: map[string]struct{}{}}
}

// Record notes how a person stands.
func (l *Census) Record(user string, now Standing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, ok := l.byUser[user]
	l.byUser[user] = now
	if !ok || before.counted() != now.counted() {
		l.version++
	}
}

// counted is the part of a standing that counts are made of.
func (s Standing) counted() Standing { return s &^ StandsOpen }

// recall adds what a claim's status says of how its person stands, before anybody was looked at. False: the person was struck after the
// claim was read, and stays so.
func (l *Census) recall(user string, remembered Standing) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, struck := l.struck[user]; struck {
		return false
	}
	l.byUser[user] |= remembered
	return true
}

// recalled ends the time in which statuses are recalled.
func (l *Census) recalled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.struck = nil
}

// Expect says that a person is about to be looked at, before anything that the look depends on is read: whoever changes any of it from
// now on finds the person here, with something to be done, and wakes them. It changes no count, and enter ends it.
func (l *Census) Expect(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byUser[user] |= StandsOpen
}

// Remove forgets a person.
func (l *Census) Remove(user string) {
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
func (l *Census) has(user string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.byUser[user]
	return ok
}

// isBarred tells whether a person is to have no access.
func (l *Census) isBarred(user string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byUser[user]&StandsBarred != 0
}

// open lists the people for whom something is to be done.
func (l *Census) open() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var users []string
	for user, stands := range l.byUser {
		if stands&StandsOpen != 0 {
			users = append(users, user)
		}
	}
	return users
}

// Counts adds up. The version changes whenever they may.
func (l *Census) Counts() (counts, uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var sum counts
	for _, stands := range l.byUser {
		sum.People += one(stands, StandsClaimed)
		sum.Active += one(stands, StandsClaimed|StandsActive)
		sum.Synced += one(stands, StandsSynced)
		sum.Failing += one(stands, StandsFailing)
		sum.Drifted += one(stands, StandsDrifted)
		sum.PendingDenials += one(stands, StandsDenied)
		sum.Accounts += one(stands, StandsOnAccount)
		sum.Refused += one(stands, StandsRefused)
	}
	return sum, l.version
}

func one(stands, all Standing) int {
	if stands&all == all {
		return 1
	}
	return 0
}

// urgency is the priority with which an open person is looked at again: others is that of whoever is not denied.
func (l *Census) urgency(user string, others int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch stands := l.byUser[user]; {
	case stands&StandsDenied == 0:
		return others
	case stands&StandsLeaving != 0:
		return lane.Deletion
	}
	return lane.Denial
}

// remembered is how a person stood by the status of one claim.
func remembered(claim *v1alpha1.LambdaTestUser) Standing {
	var stands Standing
	if claims.IsFull(claim) && claim.DeletionTimestamp.IsZero() {
		stands |= StandsClaimed
		if status.IsReady(claim) {
			stands |= StandsSynced
		}
		if claim.Status.Effective != nil && !claim.Status.Effective.Active {
			stands |= StandsBarred
		}
	}
	if claim.Status.Account != nil && claims.IsFull(claim) {
		stands |= StandsOnAccount
	}
	if condition := status.ReadyCondition(claim); condition != nil && slices.Contains(RefusalReasons, condition.Reason) {
		stands |= StandsRefused
	}
	if claim.Status.Account != nil {
		if claim.Status.Account.Active {
			stands |= StandsActive
		}
	}
	return stands
}
