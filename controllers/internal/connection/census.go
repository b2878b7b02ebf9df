// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/util/sets"

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
	// StandsActive means: the account is active at LambdaTest.
	StandsActive
	// StandsSynced means: LambdaTest has what is desired.
	StandsSynced
	// StandsFailing means: LambdaTest does not have it, for a reason other than waiting.
	StandsFailing
	// StandsDrifted means: the account differs, and driftPolicy is Report.
	StandsDrifted
	// StandsDenied means: is to lose access, and LambdaTest has not confirmed that yet.
	StandsDenied
	// StandsOnAccount means: there is an account, and a claim about it.
	StandsOnAccount
	// StandsBarred means: is to have no access, whether LambdaTest has confirmed that or not.
	StandsBarred
	// StandsOpen means: something is to be done.
	StandsOpen
	// StandsLeaving means: is to lose access because there is no claim any more.
	StandsLeaving
	// StandsRefused means: LambdaTest refuses something of what is desired.
	StandsRefused
	// StandsAdmin means: the account is an active Admin.
	StandsAdmin
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
	// pending are the denials that LambdaTest has not confirmed, by person.
	pending map[string]PendingDenial
	// removed are the people who were removed while memory is filled from statuses, which may be older. Nil once that is done.
	removed sets.Set[string]
}

func newCensus() *Census {
	return &Census{byUser: map[string]Standing{}, pending: map[string]PendingDenial{}, removed: sets.New[string]()}
}

// Record notes how a person stands. What is unsaid stays as it was: a reconcile that waits for its call does not know.
func (l *Census) Record(user string, now, unsaid Standing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, ok := l.byUser[user]
	now = now&^unsaid | before&unsaid
	l.byUser[user] = now
	if now&StandsDenied == 0 {
		delete(l.pending, user)
	}
	if !ok || before.counted() != now.counted() {
		l.version++
	}
}

// counted is the part of a standing that counts are made of.
func (s Standing) counted() Standing { return s &^ StandsOpen }

// recall adds what a claim's status says of how its person stands, before the first reconcile. False: the person was removed after the claim
// was read, and stays so.
func (l *Census) recall(user string, remembered Standing) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.removed.Has(user) {
		return false
	}
	l.byUser[user] |= remembered
	return true
}

// recalled ends the time in which statuses are recalled.
func (l *Census) recalled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.removed = nil
}

// Expect says that a person is about to be reconciled. Call it before anything is read: a change of what was read finds the person open, and
// requeues them. It changes no count, and Record ends it.
func (l *Census) Expect(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byUser[user] |= StandsOpen
}

// Remove forgets a person.
func (l *Census) Remove(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.removed != nil {
		l.removed.Insert(user)
	}
	delete(l.pending, user)
	if _, ok := l.byUser[user]; ok {
		delete(l.byUser, user)
		l.version++
	}
}

// get returns how a person stands, and whether there is a claim about them.
func (l *Census) get(user string) (Standing, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	stands, claimed := l.byUser[user]
	return stands, claimed
}

// has tells whether there is a claim about a person.
func (l *Census) has(user string) bool {
	_, claimed := l.get(user)
	return claimed
}

// open lists the people for whom something is to be done.
func (l *Census) open() (users []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for user, stands := range l.byUser {
		if stands&StandsOpen != 0 {
			users = append(users, user)
		}
	}
	return users
}

// people lists everybody about whom there is a claim.
func (l *Census) people() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.byUser))
}

// Counts adds up. The version changes whenever they may.
func (l *Census) Counts() (counts, uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var sum counts
	for _, stands := range l.byUser {
		count := func(into *int, all Standing) {
			if stands&all == all {
				*into++
			}
		}
		count(&sum.People, StandsClaimed)
		count(&sum.Active, StandsClaimed|StandsActive)
		count(&sum.Synced, StandsSynced)
		count(&sum.Failing, StandsFailing)
		count(&sum.Drifted, StandsDrifted)
		count(&sum.PendingDenials, StandsDenied)
		count(&sum.Accounts, StandsOnAccount)
		count(&sum.Refused, StandsRefused)
	}
	return sum, l.version
}

// urgency is the priority with which an open person is requeued; others is the priority of those who are not denied.
func (l *Census) urgency(user string, others int) int {
	switch stands, _ := l.get(user); {
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
	note := func(standing Standing, holds bool) {
		if holds {
			stands |= standing
		}
	}
	counts := claims.IsFull(claim) && claim.DeletionTimestamp.IsZero()
	account, effective, condition := claim.Status.Account, claim.Status.Effective, status.ReadyCondition(claim)
	note(StandsClaimed, counts)
	note(StandsSynced, counts && status.IsReady(claim))
	note(StandsBarred, counts && effective != nil && !effective.Active)
	note(StandsOnAccount, account != nil && claims.IsFull(claim))
	note(StandsActive, account != nil && account.Active)
	note(StandsAdmin, account != nil && account.Active && account.Role == string(v1alpha1.RoleAdmin))
	note(StandsRefused, condition != nil && slices.Contains(RefusalReasons, condition.Reason))
	return stands
}
