// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
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
	// expecting says that so many lookups were made that a comparison is the cheaper way to know: the next one is waited for.
	expecting bool
}

// account is an account and when it was read. What is remembered from before the start was read at the zero time.
type account struct {
	lambdatest.User
	readAt time.Time
	// absent: there was no account.
	absent bool
	// doubtful: a change was sent, nobody knows what came of it, and the account was not read since.
	doubtful bool
	// readBackAt, unless zero, is when a late change can no longer take effect. Whoever must not miss one reads again then.
	readBackAt time.Time
	// roleUnsureSince is when LambdaTest computed the role anew, after a change of groups; zero when it is as read.
	roleUnsureSince time.Time
}

func newAccounts() *accounts {
	return &accounts{byUser: map[string]account{}, asked: map[string]time.Time{}}
}

// remember takes what a resource's status says for known, unless more is. An account that a complete list lacks and that nobody
// looked up by then is in doubt.
func (a *accounts) remember(user string, remembered lambdatest.User) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.byUser[user]; !ok && remembered.ID != "" {
		a.byUser[user] = account{User: remembered, doubtful: !a.sweptAt.IsZero()}
	}
}

// saw takes an account that an answer showed; readAt is when the call began.
func (a *accounts) saw(user string, seen lambdatest.User, readAt time.Time) {
	a.update(user, account{User: seen, readAt: readAt})
}

// missed takes the answer that there is no account.
func (a *accounts) missed(user string, readAt time.Time) {
	a.update(user, account{absent: true, readAt: readAt})
}

func (a *accounts) update(user string, seen account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.byUser[user]
	if before.readBackAt.After(seen.readAt) {
		seen.readBackAt = before.readBackAt
	}
	a.byUser[user] = seen
	if before.ID == "" && seen.ID != "" && a.appeared != nil {
		a.appeared(user)
	}
}

// doubt marks that nobody knows what became of a change that may take effect until then.
func (a *accounts) doubt(user string, until time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := a.byUser[user]
	entry.doubtful, entry.readBackAt = true, until
	a.byUser[user] = entry
}

// readBack asks for another read once late changes, of a former leader for instance, can no longer take effect.
func (a *accounts) readBack(user string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := a.byUser[user]
	if entry.readBackAt.Before(at) && entry.readAt.Before(at) {
		entry.readBackAt = at
		a.byUser[user] = entry
	}
}

// observe returns what is known about a person for whom something may have to be done. Settled people have nothing done: what is
// known about them counts as current, since a comparison would have told.
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
	entry, ok := a.byUser[user]
	vouched := a.tried && !a.sweptAt.IsZero()
	have := observed{comparing: !a.tried, doubtful: entry.doubtful, readBackAt: entry.readBackAt}
	have.roleUnsure = !entry.roleUnsureSince.IsZero()
	have.due = !entry.readBackAt.IsZero() && !now.Before(entry.readBackAt)
	switch {
	case ok && entry.absent && (a.tried || !entry.readAt.Before(since)):
		have.known, have.current = true, settled || !entry.readAt.Before(since)
	case ok && entry.ID != "":
		have.known, have.account, have.current = true, &entry.User, settled || !entry.readAt.Before(since)
	case settled && !ok:
		have.known, have.current = true, true
	case vouched:
		have.known, have.current = true, settled || a.sweptAt.After(since)
	}
	if a.expecting && have.account == nil && !have.current {
		have.known, have.comparing = false, true
	}
	return have
}

// settle notes that nobody needs to know about a person any more. A map keeps the room it once had: the last one to leave gives it back.
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
	entry, ok := a.byUser[user]
	switch {
	case ok && entry.ID != "":
		return &entry.User, true
	case ok && entry.absent:
		return nil, true
	}
	return nil, !ok && !a.sweptAt.IsZero()
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
		if _, listed := listing[user]; !listed && entry.readAt.Before(begun) && !entry.doubtful {
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
		entry := account{User: listed, readAt: begun}
		if before.readBackAt.After(begun) {
			entry.readBackAt = before.readBackAt
		}
		if before.roleUnsureSince.After(begun) {
			entry.roleUnsureSince = before.roleUnsureSince
		}
		a.byUser[user] = entry
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

// expect makes those who need to know of accounts that are not known wait for the next comparison.
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

// shares tells whether the other table has an account of this one.
func (a *accounts) shares(other *accounts) bool {
	shared := false
	a.each(func(user string, account lambdatest.User) bool {
		twin, ok := other.get(user)
		shared = ok && twin.ID == account.ID
		return !shared
	})
	return shared
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
