// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"sync"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// accounts is what is known of an organization's accounts: from the last complete comparison, and from every call since. People
// are named by folded userName.
type accounts struct {
	mu     sync.Mutex
	byUser map[string]account
	// asked is since when somebody needs to know about people for whom something is to be done.
	asked map[string]time.Time
	// sweptAt is when the last complete comparison began; zero when there was none.
	sweptAt time.Time
	// tried says that a comparison was attempted, whatever came of it.
	tried bool
	// appeared is told who has an account for the first time.
	appeared func(user string)
	// expecting says that so many lookups were made that a comparison costs less: people without a known account wait for the next one.
	expecting bool
}

// account is an account and when it was read. What is remembered from before the start was read at the zero time.
type account struct {
	lambdatest.User
	readAt time.Time
	// absent: there was no account.
	absent bool
	// doubtSince is when a change was sent of which nobody knows what came; zero once the account was read after that.
	doubtSince time.Time
	// readBackAt, unless zero, is when a late change can no longer take effect. Whoever must not miss one reads again then.
	readBackAt time.Time
	// roleUnsureSince is when LambdaTest computed the role anew, after a change of groups; zero when it is as read.
	roleUnsureSince time.Time
}

// says tells whether it is known if there is an account.
func (e account) says() bool { return e.ID != "" || e.absent }

func newAccounts() *accounts {
	return &accounts{byUser: map[string]account{}, asked: map[string]time.Time{}}
}

// remember takes what a resource's status says for known, unless more is. An account that a complete list lacks and that nobody
// looked up by then is in doubt.
func (a *accounts) remember(user string, remembered lambdatest.User) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.byUser[user]; !ok && remembered.ID != "" {
		a.byUser[user] = account{User: remembered, doubtSince: a.sweptAt}
	}
}

// saw takes an account that a read showed which began at that time.
func (a *accounts) saw(user string, seen lambdatest.User, begun time.Time) {
	a.update(user, account{User: seen, readAt: begun}, begun)
}

// missed takes the answer of a read that there is no account.
func (a *accounts) missed(user string, begun time.Time) {
	a.update(user, account{absent: true, readAt: begun}, begun)
}

// changed takes what a change answered. It counts as read at its end, so that a page that was read meanwhile does not replace it.
func (a *accounts) changed(user string, answered lambdatest.User, begun, ended time.Time) {
	a.update(user, account{User: answered, readAt: ended}, begun)
}

// update replaces what is known by the answer to a call that began at that time. It says nothing about what happened later.
func (a *accounts) update(user string, seen account, begun time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.byUser[user]
	a.byUser[user] = seen.withDoubts(before, begun)
	if before.ID == "" && seen.ID != "" && a.appeared != nil {
		a.appeared(user)
	}
}

// withDoubts keeps the doubts about what was known before that a read which began at that time cannot have ended.
func (e account) withDoubts(before account, begun time.Time) account {
	if before.readBackAt.After(begun) {
		e.readBackAt = before.readBackAt
	}
	if before.doubtSince.After(begun) {
		e.doubtSince = before.doubtSince
	}
	if before.roleUnsureSince.After(begun) {
		e.roleUnsureSince = before.roleUnsureSince
	}
	return e
}

// mayChangeAfter tells whether a change of unknown outcome may have taken effect after that time.
func (e account) mayChangeAfter(then time.Time) bool {
	return e.doubtSince.After(then) || !e.doubtSince.IsZero() && e.readBackAt.After(then)
}

// doubt marks that at that time nobody knows what became of a change that may take effect until then.
func (a *accounts) doubt(user string, now, until time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := a.byUser[user]
	entry.doubtSince, entry.readBackAt = now, until
	a.byUser[user] = entry
}

// readBack asks for another read of an account that is off, or not there, unless it was read after that time: until then a late change,
// of a former leader for instance, may take effect.
func (a *accounts) readBack(user string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := a.byUser[user]
	readAt := entry.readAt
	if !entry.says() {
		readAt = a.sweptAt
	}
	if !entry.Active && readAt.Before(at) && entry.readBackAt.Before(at) {
		entry.readBackAt = at
		a.byUser[user] = entry
	}
}

// observe returns what is known about a person for whom something may have to be done. For a settled person,
// whatever is known counts as current: the last comparison would have reported a change.
func (a *accounts) observe(user string, now time.Time, settled bool) observed {
	a.mu.Lock()
	defer a.mu.Unlock()
	since, needed := a.asked[user]
	switch {
	case settled:
		a.settle(user)
	case !needed:
		since = now
		a.asked[user] = now
	}
	entry := a.byUser[user]
	vouched := a.tried && !a.sweptAt.IsZero()
	have := observed{comparing: !a.tried, doubtful: !entry.doubtSince.IsZero(), readBackAt: entry.readBackAt}
	have.roleUnsure = !entry.roleUnsureSince.IsZero()
	have.due = !entry.readBackAt.IsZero() && !now.Before(entry.readBackAt)
	switch {
	case entry.absent && (a.tried || !entry.readAt.Before(since)):
		have.known, have.current = true, settled || !entry.readAt.Before(since)
	case entry.ID != "":
		have.known, have.account, have.current = true, &entry.User, settled || !entry.readAt.Before(since)
	case settled && !entry.says():
		have.known, have.current = true, true
	case vouched:
		have.known, have.current = true, settled || a.sweptAt.After(since)
	}
	if a.expecting && have.account == nil && !have.current {
		have.known, have.comparing = false, true
	}
	return have
}

// settle notes that nobody needs to know about a person any more. Go maps do not shrink, so an emptied one is replaced.
func (a *accounts) settle(user string) {
	if _, needed := a.asked[user]; !needed {
		return
	}
	if delete(a.asked, user); len(a.asked) == 0 {
		a.asked = map[string]time.Time{}
	}
}

// get returns the account, if one is known.
func (a *accounts) get(user string) (lambdatest.User, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := a.byUser[user]
	return entry.User, entry.ID != ""
}

// said returns the account as LambdaTest last showed it; nil and true when it said that there is none.
func (a *accounts) said(user string) (*lambdatest.User, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := a.byUser[user]
	switch {
	case entry.ID != "":
		return &entry.User, true
	case entry.absent:
		return nil, true
	}
	return nil, entry.doubtSince.IsZero() && !a.sweptAt.IsZero()
}

// forget drops what is asked about a person, and what is known if that is only memory.
func (a *accounts) forget(user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle(user)
	if entry := a.byUser[user]; entry.readAt.IsZero() || entry.absent {
		delete(a.byUser, user)
	}
}

// missingIn returns the known accounts that a listing begun at that time should have and has not.
func (a *accounts) missingIn(listing map[string]lambdatest.User, begun time.Time) map[string]lambdatest.User {
	a.mu.Lock()
	defer a.mu.Unlock()
	missing := map[string]lambdatest.User{}
	for user, entry := range a.byUser {
		if _, listed := listing[user]; !listed && entry.ID != "" && entry.readAt.Before(begun) {
			missing[user] = entry.User
		}
	}
	return missing
}

// size counts the accounts that are known.
func (a *accounts) size() int {
	size := 0
	a.each(func(string, lambdatest.User) bool { size++; return true })
	return size
}

// replace takes a complete listing. What was read after it began stays. It returns who differs from what was known before, or may.
func (a *accounts) replace(listing map[string]lambdatest.User, begun time.Time) (changed []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for user, entry := range a.byUser {
		if _, listed := listing[user]; !listed && entry.readAt.Before(begun) && !entry.mayChangeAfter(begun) {
			if entry.absent {
				delete(a.byUser, user)
				continue
			}
			a.byUser[user] = account{absent: true, readAt: begun}
			changed = append(changed, user)
		}
	}
	for user, listed := range listing {
		before, ok := a.byUser[user]
		if ok && !before.readAt.Before(begun) {
			continue
		}
		// A role that LambdaTest computed anew is news even if it is the same: until now nobody compared it with the wanted one.
		sure := !before.roleUnsureSince.IsZero() && !before.roleUnsureSince.After(begun)
		if !ok || before.absent || before.User != listed || sure {
			changed = append(changed, user)
		}
		a.byUser[user] = account{User: listed, readAt: begun}.withDoubts(before, begun)
		if before.ID == "" && a.appeared != nil {
			a.appeared(user)
		}
	}
	a.sweptAt, a.tried, a.expecting = begun, true, false
	return changed
}

// distrust waits for the next comparison, or for trust, before anybody is believed to have no account.
func (a *accounts) distrust() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tried = false
}

// attempted notes that a comparison failed: nobody waits for it any longer.
func (a *accounts) attempted() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tried, a.expecting = true, false
}

// expect makes people without a known account wait for the next comparison instead of being looked up one by one.
func (a *accounts) expect() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expecting = true
}

// some returns up to n known accounts.
func (a *accounts) some(n int) []lambdatest.User {
	var sample []lambdatest.User
	a.each(func(_ string, account lambdatest.User) bool {
		sample = append(sample, account)
		return len(sample) < n
	})
	return sample
}

// shares tells whether the other table has an account of this one. It locks one table at a time, so that two organizations may ask it of
// each other.
func (a *accounts) shares(other *accounts) bool {
	return slices.ContainsFunc(a.users(), func(user string) bool {
		own, there := a.get(user)
		twin, shared := other.get(user)
		return there && shared && twin.ID == own.ID
	})
}

// users lists those who have a known account.
func (a *accounts) users() []string {
	var users []string
	a.each(func(user string, _ lambdatest.User) bool {
		users = append(users, user)
		return true
	})
	return users
}

// each calls visit for every account until it returns false.
func (a *accounts) each(visit func(user string, account lambdatest.User) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for user, entry := range a.byUser {
		if entry.ID != "" && !visit(user, entry.User) {
			return
		}
	}
}
