// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"cmp"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Table is what is known of an organization's accounts: from the last complete sweep, and from every call since. People
// are named by folded userName.
type Table struct {
	mu     sync.Mutex
	byUser map[string]account
	// several are all accounts of a person of whom the last sweep showed more than one.
	several map[string][]lambdatest.User
	// asked is since when the account of a person for whom something is to be done has been of interest.
	asked map[string]time.Time
	// sweptAt is when the last complete sweep began; zero when there was none.
	sweptAt time.Time
	// tried says that a sweep has ended, complete or not. covered says that since the start all people with a claim were read, one by one.
	tried, covered bool
	// Appeared is called with a person who has an account for the first time.
	Appeared func(user string)
	// Expecting says that so many lookups were made that a sweep costs less: people without a known account wait for the next sweep.
	Expecting bool
}

// account is an account and when it was read. What is remembered from before the start was read at the zero time.
type account struct {
	lambdatest.User
	readAt time.Time
	// absent: there was no account. moved: LambdaTest refuses to show one that was there, so it may be in another organization now.
	absent, moved bool
	// formerID is the id of an account that is absent: after a move to a sub-organization it still is a member of groups.
	formerID string
	// doubtSince is when a change was sent whose outcome is unknown; zero once the account was read after that.
	doubtSince time.Time
	// readBackAt, unless zero, is when a late change can no longer take effect: a denial reads the account again then.
	readBackAt time.Time
	// roleUnsureSince is when LambdaTest computed the role anew, after a change of groups; zero when it is as read.
	roleUnsureSince time.Time
}

// says tells whether it is known if there is an account.
func (e account) says() bool { return e.ID != "" || e.absent }

// New returns a table in which nothing is known.
func New() *Table {
	return &Table{byUser: map[string]account{}, asked: map[string]time.Time{}}
}

// Recall takes for known what the status of a claim says of an account, as far as nothing newer is known. An account that had moved away is no
// known account: a sweep that does not show it says nothing about the organization.
func (a *Table) Recall(user string, claim *v1alpha1.LambdaTestUser) {
	switch {
	case claim.Status.AccountID == "" || claim.Status.Account == nil:
	case status.HasReason(claim, v1alpha1.AccountMovedReason):
		a.rememberMoved(user, claim.Status.AccountID)
	default:
		a.Remember(user, Remembered(claim))
	}
}

func (a *Table) rememberMoved(user, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if entry := a.byUser[user]; entry.readAt.IsZero() {
		entry.User, entry.formerID, entry.absent, entry.moved = lambdatest.User{}, id, true, true
		a.byUser[user] = entry
	}
}

// Remember takes an account for known that was known before the start, as far as nothing newer is known. After a complete sweep, which did
// not show the account, it is in doubt.
func (a *Table) Remember(user string, remembered lambdatest.User) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry, ok := a.byUser[user]
	switch {
	case ok:
		entry.User = WithUnshown(entry.User, remembered)
		a.byUser[user] = entry
	case remembered.ID != "":
		a.byUser[user] = account{User: remembered, doubtSince: a.sweptAt}
	}
}

// WithUnshown fills in what an answer of LambdaTest does not show, from what was known of the same account before: what was last shown, or
// sent. An attribute that is absent is unknown, not empty. Otherwise the operator would send it again and again.
func WithUnshown(shown, before lambdatest.User) lambdatest.User {
	if shown.ID == before.ID {
		shown.Role = cmp.Or(shown.Role, before.Role)
		shown.ConcurrencyGroup = cmp.Or(shown.ConcurrencyGroup, before.ConcurrencyGroup)
	}
	return shown
}

// Saw takes an account that a read showed. The read began at that time.
func (a *Table) Saw(user string, seen lambdatest.User, begun time.Time) {
	a.update(user, account{User: seen, readAt: begun}, begun)
}

// Missed takes the answer of a read that there is no account.
func (a *Table) Missed(user string, begun time.Time) {
	a.update(user, account{absent: true, readAt: begun}, begun)
}

// Moved takes the answer of a lookup that the person, who had an account, is not of this organization any more.
func (a *Table) Moved(user string, begun time.Time) {
	a.update(user, account{absent: true, moved: true, readAt: begun}, begun)
}

// Changed takes what a change answered. It counts as read at its end, so that a page that was read meanwhile does not replace it.
func (a *Table) Changed(user string, answered lambdatest.User, begun, ended time.Time) {
	a.update(user, account{User: answered, readAt: ended}, begun)
}

// update replaces what is known by the answer to a call that began at that time. It says nothing about what happened later: an answer that is
// older than what is known changes nothing.
func (a *Table) update(user string, seen account, begun time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.byUser[user]
	if seen.readAt.Before(before.readAt) {
		return
	}
	for i, one := range a.several[user] {
		if one.ID == seen.ID {
			if a.several[user][i] = WithUnshown(seen.User, one); before.ID != seen.ID {
				return
			}
		}
	}
	seen.User = WithUnshown(seen.User, before.User)
	if seen.absent {
		seen.formerID = cmp.Or(before.ID, before.formerID)
	}
	a.byUser[user] = seen.withDoubts(before, begun)
	if before.ID == "" && seen.ID != "" && a.Appeared != nil {
		a.Appeared(user)
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

// Doubt marks that, now, the outcome of a change is unknown, and that the change may take effect until that time.
func (a *Table) Doubt(user string, now, until time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := a.byUser[user]
	entry.doubtSince, entry.readBackAt = now, until
	a.byUser[user] = entry
}

// ReadBack asks for another read of an account that is off, or not there, unless it was read after that time: until then a late change,
// of a former leader for instance, may take effect.
func (a *Table) ReadBack(user string, at time.Time) {
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

// Observe returns what is known about a person for whom something may have to be done. For a settled person, what is known counts as
// current: the last sweep would have reported a change.
func (a *Table) Observe(user string, now time.Time, settled bool) Observed {
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
	have := Observed{
		Sweeping: !a.tried, Doubtful: !entry.doubtSince.IsZero(), RoleUnsure: !entry.roleUnsureSince.IsZero(),
		ReadBackAt: entry.readBackAt, Due: !entry.readBackAt.IsZero() && !now.Before(entry.readBackAt),
		Several: slices.Clone(a.several[user]),
	}
	recent := !entry.readAt.Before(since)
	switch {
	case entry.absent && (a.tried || recent):
		have.Known, have.Current = true, settled || recent
	case entry.ID != "":
		have.Known, have.Account, have.Current = true, &entry.User, settled || recent
	case settled && !entry.says():
		have.Known, have.Current = true, true
	case a.swept():
		have.Known, have.Current = true, settled || a.sweptAt.After(since)
	}
	if a.Expecting && have.Account == nil && !have.Current {
		have.Known, have.Sweeping = false, true
	}
	return have
}

// settle notes that nothing is to be done for a person. Go maps do not shrink, so one that was emptied is replaced.
func (a *Table) settle(user string) {
	_, needed := a.asked[user]
	if delete(a.asked, user); needed && len(a.asked) == 0 {
		a.asked = map[string]time.Time{}
	}
}

// Get returns the account, if one is known.
func (a *Table) Get(user string) (lambdatest.User, bool) { return a.find(user, false) }

// Of returns the account of that id, of several, or else what Get does.
func (a *Table) Of(user, id string) lambdatest.User {
	for _, one := range a.Several(user) {
		if one.ID == id {
			return one
		}
	}
	account, _ := a.Get(user)
	return account
}

// LastID returns the id of the account, or of the one that the person had before LambdaTest ceased to show it; "" if none is known.
func (a *Table) LastID(user string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := a.byUser[user]
	return cmp.Or(entry.ID, entry.formerID)
}

// Several returns all accounts of a person of whom the last sweep showed more than one.
func (a *Table) Several(user string) []lambdatest.User {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.several[user])
}

// IsActive tells whether an account of the person is active.
func (a *Table) IsActive(user string) bool {
	account, _ := a.Get(user)
	return account.Active || slices.ContainsFunc(a.Several(user), func(one lambdatest.User) bool { return one.Active })
}

// Said returns the account as LambdaTest last showed it; nil and true when it said that there is none. Of an account that moved away it
// said nothing that could replace what status has.
func (a *Table) Said(user string) (*lambdatest.User, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := a.byUser[user]
	switch {
	case entry.ID != "":
		return &entry.User, true
	case entry.absent:
		return nil, !entry.moved
	}
	return nil, entry.doubtSince.IsZero() && !a.sweptAt.IsZero()
}

// Forget drops what is asked about a person, and what is known if that is only memory.
func (a *Table) Forget(user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle(user)
	if entry := a.byUser[user]; entry.readAt.IsZero() || entry.absent {
		delete(a.byUser, user)
	}
}

// MissingIn returns the known accounts that a listing begun at that time should have and has not.
func (a *Table) MissingIn(listing map[string]lambdatest.User, begun time.Time) map[string]lambdatest.User {
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

// MovedIn returns the accounts of a listing that LambdaTest refused to show when they were looked up.
func (a *Table) MovedIn(listing map[string]lambdatest.User) map[string]lambdatest.User {
	a.mu.Lock()
	defer a.mu.Unlock()
	moved := map[string]lambdatest.User{}
	for user, entry := range a.byUser {
		if listed, ok := listing[user]; ok && entry.moved {
			moved[user] = listed
		}
	}
	return moved
}

// Size counts the accounts that are known.
func (a *Table) Size() int {
	size := 0
	a.Each(func(string, lambdatest.User) bool { size++; return true })
	return size
}

// Replace takes a complete listing, and the accounts of those who have several. What was read after it began stays. It returns the people whose
// account differs from what was known, or may.
func (a *Table) Replace(listing map[string]lambdatest.User, several map[string][]lambdatest.User, begun time.Time) (changed []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	changed = a.setAside(several)
	for user, entry := range a.byUser {
		if len(several[user]) > 0 {
			continue
		}
		if _, listed := listing[user]; !listed && entry.readAt.Before(begun) && !entry.mayChangeAfter(begun) {
			switch {
			case entry.moved:
				continue
			case entry.absent:
				delete(a.byUser, user)
				continue
			}
			a.byUser[user] = account{absent: true, formerID: entry.ID, readAt: begun}
			changed = append(changed, user)
		}
	}
	a.sweptAt = begun
	return append(changed, a.show(listing, begun)...)
}

// Show takes accounts that reads showed which began at that time, and those of people who have several. It says nothing about other accounts. It
// returns the people whose account differs from what was known, or may.
func (a *Table) Show(listing map[string]lambdatest.User, several map[string][]lambdatest.User, begun time.Time) (changed []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.several == nil {
		a.several = map[string][]lambdatest.User{}
	}
	for user, all := range several {
		if !slices.Equal(a.several[user], all) {
			a.several[user] = all
			changed = append(changed, user)
		}
	}
	return append(changed, a.show(listing, begun)...)
}

func (a *Table) show(listing map[string]lambdatest.User, begun time.Time) (changed []string) {
	for user, listed := range listing {
		before, ok := a.byUser[user]
		if ok && !before.readAt.Before(begun) {
			continue
		}
		listed = WithUnshown(listed, before.User)
		// A role that LambdaTest computed anew is news even if it is the same: it was not compared with the desired one.
		sure := !before.roleUnsureSince.IsZero() && !before.roleUnsureSince.After(begun)
		if !ok || before.absent || before.User != listed || sure {
			changed = append(changed, user)
		}
		a.byUser[user] = account{User: listed, readAt: begun}.withDoubts(before, begun)
		if before.ID == "" && a.Appeared != nil {
			a.Appeared(user)
		}
	}
	a.tried, a.Expecting = true, false
	return changed
}

// Cover notes that all people with a claim were read, one by one, because lists do not show all accounts.
func (a *Table) Cover() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.covered = true
}

// setAside replaces the accounts of those who have several. What was known of an account that a person had before stays.
func (a *Table) setAside(several map[string][]lambdatest.User) (changed []string) {
	before := a.several
	a.several = several
	for user := range before {
		if len(several[user]) == 0 {
			changed = append(changed, user)
		}
	}
	for user, all := range several {
		if !slices.Equal(before[user], all) {
			changed = append(changed, user)
		}
	}
	return changed
}

// Distrust makes people without a known account wait for the next sweep.
func (a *Table) Distrust() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tried = false
}

// Attempted notes that a sweep failed: people do not wait for it any longer.
func (a *Table) Attempted() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tried, a.Expecting = true, false
}

// Expect makes people without a known account wait for the next sweep instead of being looked up one by one.
func (a *Table) Expect() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.Expecting = true
}

// All returns the known accounts.
func (a *Table) All() map[string]lambdatest.User {
	all := map[string]lambdatest.User{}
	a.Each(func(user string, account lambdatest.User) bool {
		all[user] = account
		return true
	})
	return all
}

// Some returns up to n known accounts.
func (a *Table) Some(n int) []lambdatest.User {
	var sample []lambdatest.User
	a.Each(func(_ string, account lambdatest.User) bool {
		sample = append(sample, account)
		return len(sample) < n
	})
	return sample
}

// Shares tells whether the other table has an account of this one. Where only reads count, the other table must have it from LambdaTest: what
// a status names is left out. It locks one table at a time, so that two organizations may call it with each other.
func (a *Table) Shares(other *Table, onlyReads bool) bool {
	return slices.ContainsFunc(a.users(), func(user string) bool {
		own, there := a.Get(user)
		twin, shared := other.find(user, onlyReads)
		return there && shared && twin.ID == own.ID
	})
}

// find returns the account, if one is known, and was read since the start if only reads count.
func (a *Table) find(user string, onlyReads bool) (lambdatest.User, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := a.byUser[user]
	return entry.User, entry.ID != "" && (!onlyReads || !entry.readAt.IsZero())
}

// users lists those who have a known account.
func (a *Table) users() []string {
	var users []string
	a.Each(func(user string, _ lambdatest.User) bool {
		users = append(users, user)
		return true
	})
	return users
}

// Active returns the active accounts with their people, all of those who have several.
func (a *Table) Active() iter.Seq2[string, lambdatest.User] {
	return func(yield func(string, lambdatest.User) bool) {
		a.mu.Lock()
		defer a.mu.Unlock()
		for user, entry := range a.byUser {
			if len(a.several[user]) == 0 && entry.ID != "" && entry.Active && !yield(user, entry.User) {
				return
			}
		}
		for user, all := range a.several {
			for _, one := range all {
				if one.Active && !yield(user, one) {
					return
				}
			}
		}
	}
}

// Each calls visit for every account until it returns false.
func (a *Table) Each(visit func(user string, account lambdatest.User) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for user, entry := range a.byUser {
		if entry.ID != "" && !visit(user, entry.User) {
			return
		}
	}
}
