// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// sweeper is the name under which a sweep waits in the lane; no userName begins so.
const sweeper = "\x00sweep"

// SweepResult is how a sweep ended.
type SweepResult struct {
	// Err is why the last sweep was discarded; nil when what it showed was used.
	Err error
	// partial says that the last sweep was used, and that its list does not show all accounts.
	partial bool
	pages   int
	// calls counts those of the last sweep that was not complete.
	calls int
	// Complete says that there was a complete sweep since the connection was opened.
	Complete bool
	// accounts counts what it found.
	accounts int
	// BaseURL is where the last complete sweep was answered, before the start too.
	BaseURL string
	// twin is an older organization that has the same accounts.
	twin types.NamespacedName
	// Several are the ids of the accounts of each person who has more than one, in order.
	Several []string
}

// listing is what a sweep has read: accounts by folded userName.
type listing struct {
	byUser map[string]lambdatest.User
	// several are the accounts of those who have more than one; byUser does not have them.
	several map[string][]lambdatest.User
	// people are the ids of their accounts, once the list is complete.
	people []string
	byID   map[string]string // folded userName
	total  int
	pages  int
	// concurrencyGroups are the causes of those that accounts were shown to be in, and so exist.
	concurrencyGroups sets.Set[string]
	// gone are known accounts that the list lacks and that do not exist, if the list lacks others that exist.
	gone map[string]lambdatest.User
	// calls counts what the sweep cost: pages and lookups.
	calls int
	// bytes counts the text of the accounts.
	bytes int
}

func newListing() listing {
	return listing{
		byUser: map[string]lambdatest.User{}, several: map[string][]lambdatest.User{}, byID: map[string]string{}, concurrencyGroups: sets.New[string](),
	}
}

// LastSweep returns how the last sweep ended.
func (c *Connection) LastSweep() SweepResult {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lastSweep
}

// SweepEarly asks for a sweep because what the last one showed is too old. After a sweep that was not complete the next one comes as soon as
// it may.
func (c *Connection) SweepEarly() {
	if last := c.LastSweep(); last.Err == nil && !last.partial {
		c.SweepNow()
	}
}

// SweepNow asks for a sweep before its time.
func (c *Connection) SweepNow() {
	select {
	case c.sweepSoon <- struct{}{}:
	default:
	}
}

// CountLookUp counts a lookup: once there were as many as a sweep has pages, a sweep costs less than further ones.
func (c *Connection) CountLookUp() {
	c.mu.Lock()
	c.lookUps++
	many := c.lastSweep.Complete && c.lastSweep.Err == nil && !c.lastSweep.partial && c.lookUps > c.lastSweep.pages+1
	if many {
		c.lookUps = 0
	}
	c.mu.Unlock()
	if many {
		c.Accounts.Expect()
		c.SweepNow()
	}
}

// MayLookUpEarly tells whether people may be looked up before the first sweep has ended: few of them, and only where it is sure
// that the organization is the one that it was.
func (c *Connection) MayLookUpEarly() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.lastSweep.Complete && c.lookUps < earlyLookUps && (c.identity.confirmed || c.Accounts.Size() == 0)
}

// sweepLoop sweeps the organization every syncInterval, and before its time when asked.
func (c *Connection) sweepLoop(ctx context.Context) {
	failures := 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.sweepSoon:
		case <-timer.C:
		}
		set, obstacle := c.State()
		if obstacle != (status.Outcome{}) || set.syncInterval == 0 {
			continue
		}
		wait := jittered(set.syncInterval)
		if err := c.Sweep(ctx); err != nil {
			failures++
			if _, unreliable := c.Unreliable(); !unreliable || !isIncomplete(err) {
				wait = min(wait, c.Options.Backoff.After(failures))
			}
			wait = max(wait, set.costOf(c.LastSweep().calls, failures))
		} else {
			failures = 0
		}
		timer.Reset(wait)
	}
}

// costOf is how long to wait after a number of sweeps in a row were not complete, the last one with that many calls. With each of them sweeps
// get a smaller part of the rate, and in the end the part that failing calls have: a list that never adds up costs several passes each time.
func (s Settings) costOf(calls, failures int) time.Duration {
	took := time.Duration(calls) * time.Second / time.Duration(max(s.perSecond, 1))
	return took * time.Duration(min(failures, lane.RetryShare)-1)
}

func jittered(interval time.Duration) time.Duration {
	return interval + time.Duration((2*rand.Float64()-1)*sweepJitter*float64(interval)) //nolint:gosec // spreads load, keeps no secret
}

// Sweep reads all accounts of the organization page by page, and compares them with what is known. It writes nothing: people whose accounts
// differ are requeued. Its error says why the list does not show all accounts. What such a list shows is used if the error is an
// *incomplete, and is discarded otherwise.
func (c *Connection) Sweep(ctx context.Context) error {
	client := c.Client()
	c.confirmIdentity(ctx)
	begun := c.Options.Now()
	found, err := c.listAll(ctx)
	found.people = found.idsOfSeveral()
	if err == nil || isIncomplete(err) {
		err = cmp.Or(c.confirmReturned(ctx, &found), err)
	}
	if err == nil || isIncomplete(err) {
		err = c.confirmMissing(ctx, &found, begun, err)
	}
	if (err == nil || isIncomplete(err)) && client != c.Client() {
		err = errors.New("the connection changed meanwhile")
	}
	observeSweep(c.Organization, begun, c.Options.Now().Sub(begun), err)
	switch {
	case err == nil:
		c.endRound()
		c.take(ctx, found, c.Accounts.Replace(found.byUser, found.several, begun))
		c.reportUnclaimedAdmins(ctx)
	case isIncomplete(err):
		changed := c.Accounts.Show(found.byUser, found.several, begun)
		for user := range found.gone {
			c.Accounts.Missed(user, begun)
			changed = append(changed, user)
		}
		c.take(ctx, found, changed)
		c.beginRound(found.byUser)
	default:
		c.giveUpWaiting()
	}
	if err != nil {
		err = fmt.Errorf("sweeping the organization: %w", err)
	}
	news := c.noteSweep(found, err)
	if err == nil {
		c.registry.Imports.Add(lane.Drift, reconcile.Request{NamespacedName: c.Organization})
	}
	c.wakeIdle()
	if c.countsChanged() || news || err != nil {
		c.changed()
	}
	return err
}

// take follows the people whose accounts a list showed to differ from what was known, and what else the list shows.
func (c *Connection) take(ctx context.Context, found listing, changed []string) {
	c.wakeClaimed(changed)
	c.Holdoffs.expedite(found.concurrencyGroups.Has)
	// Without it groups stay as they are known; the next sweep tries again, and the failed call was counted.
	_ = c.sweepGroups(ctx)
}

// giveUpWaiting lets people be looked up one by one after a sweep failed, provided that this still is the same organization.
func (c *Connection) giveUpWaiting() {
	if c.isConfirmed() || c.Accounts.Size() == 0 {
		c.Accounts.Attempted()
	}
}

// noteSweep remembers how a sweep ended and says whether that is news.
func (c *Connection) noteSweep(found listing, err error) bool {
	var twin types.NamespacedName
	if err == nil || isIncomplete(err) {
		twin = c.registry.olderTwin(c)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.lastSweep
	if err != nil && !isIncomplete(err) {
		c.lastSweep.Err, c.lastSweep.partial, c.lastSweep.calls = err, false, found.calls
		return before.Err == nil
	}
	c.identity.recognise()
	known := c.lists.isUnreliable()
	c.lists.note(err)
	if err != nil {
		c.lastSweep.Err, c.lastSweep.partial, c.lastSweep.calls = nil, true, found.calls
		c.lastSweep.BaseURL, c.lastSweep.twin = c.settings.BaseURL, twin
		if len(found.people) > 0 {
			c.lastSweep.Several = found.people
		}
	} else {
		c.lookUps = 0
		c.lastSweep = SweepResult{
			pages: found.pages, accounts: len(found.byID), Complete: true, BaseURL: c.settings.BaseURL, twin: twin, Several: found.people,
		}
	}
	now := c.lastSweep
	differs := before.twin != now.twin || before.accounts != now.accounts || !slices.Equal(before.Several, now.Several)
	return before.Complete != now.Complete || before.Err != nil || differs || known != c.lists.isUnreliable()
}

// listAll reads all pages. When the list shifts while it is read, so that some accounts show twice and others not at all, further
// passes fill the gaps.
func (c *Connection) listAll(ctx context.Context) (listing, error) {
	found := newListing()
	for range sweepPasses {
		if err := c.listOnce(ctx, &found); err != nil {
			return found, err
		}
		if len(found.byID) == found.total {
			err := c.probe(ctx, &found)
			return found, err
		}
	}
	return found, &incomplete{"it does not show as many accounts as it counts", fmt.Errorf("the list says %d accounts and shows %d", found.total, len(found.byID))}
}

func (c *Connection) listOnce(ctx context.Context, found *listing) error {
	for start, more := 1, true; more; {
		page, err := c.listPage(ctx, found, start)
		if err != nil {
			return err
		}
		if err := found.add(page, c.Accounts.Get); err != nil {
			return err
		}
		start, more = page.Next()
	}
	return nil
}

func (c *Connection) listPage(ctx context.Context, found *listing, start int) (lambdatest.Page[lambdatest.User], error) {
	found.calls++
	page, err := ask(ctx, c, "ListUsers", func(ctx context.Context, upstream Upstream) (lambdatest.Page[lambdatest.User], error) {
		return upstream.ListUsers(ctx, start, sweepPageSize)
	})
	if lambdatest.IsContradiction(err) {
		err = &incomplete{"a page of it contradicts what was asked, or its total", err}
	}
	return page, err
}

// probe asks for the page after the last one. A list of one page may count only that page, or give the same page each time: the page after it
// then is not empty, and contradicts the first. Further pages have shown already that there is paging, and that the total counts all.
func (c *Connection) probe(ctx context.Context, found *listing) error {
	if found.pages > 1 || found.total < smallestPage {
		return nil
	}
	_, err := c.listPage(ctx, found, found.total+1)
	return err
}

// ask makes one call for a sweep, once the lane grants it.
func ask[T any](ctx context.Context, c *Connection, name string, call func(context.Context, Upstream) (T, error)) (answer T, err error) {
	return askAs(ctx, c, sweeper, lane.Sweep, name, call)
}

// askAs makes one call under a name of its own in the lane: a name waits once at a time.
func askAs[T any](
	ctx context.Context, c *Connection, as string, priority int, name string, call func(context.Context, Upstream) (T, error),
) (answer T, err error) {
	if err := c.Lane.Wait(ctx, as, priority); err != nil {
		return answer, err
	}
	err = c.Call(ctx, as, name, func(ctx context.Context, upstream Upstream) (err error) {
		answer, err = call(ctx, upstream)
		return err
	})
	return answer, err
}

// add takes a page in. Two userNames for one id make the list inconsistent. Several accounts of one person are set aside:
// an administrator at LambdaTest may have invited the person under two spellings. An account that is as it was known keeps the memory that it has.
func (l *listing) add(page lambdatest.Page[lambdatest.User], known func(user string) (lambdatest.User, bool)) error {
	l.pages++
	l.total = page.Total
	for _, user := range page.Items {
		if err := l.count(user); err != nil {
			return err
		}
		if user.ConcurrencyGroup != "" {
			l.concurrencyGroups.Insert(CauseConcurrencyGroup(user.ConcurrencyGroup))
		}
		folded := v1alpha1.FoldUserName(user.UserName)
		before, shown := l.byID[user.ID]
		if shown && before != folded {
			return errors.New("the list shows one account under two userNames")
		}
		if l.isSeveral(folded, user, shown) {
			l.byID[user.ID] = folded
			continue
		}
		if before, ok := known(folded); ok && before == user {
			user, folded = before, v1alpha1.FoldUserName(before.UserName)
		}
		l.byUser[folded], l.byID[user.ID] = user, folded
	}
	return nil
}

// isSeveral tells whether a person has more than one account, and if so keeps this one with the others, unless it was shown before.
func (l *listing) isSeveral(folded string, user lambdatest.User, shown bool) bool {
	if before, ok := l.byUser[folded]; ok && before.ID != user.ID {
		l.several[folded] = []lambdatest.User{before}
		delete(l.byUser, folded)
	}
	all, is := l.several[folded]
	if is && !shown {
		l.several[folded] = append(all, user)
	}
	return is
}

// idsOfSeveral names the accounts of each person who has more than one, and puts them in order.
func (l *listing) idsOfSeveral() []string {
	var people []string
	for _, all := range l.several {
		slices.SortFunc(all, func(a, b lambdatest.User) int { return cmp.Compare(a.ID, b.ID) })
		people = append(people, IDsOf(all))
	}
	slices.Sort(people)
	return people
}

// IDsOf joins the ids of accounts.
func IDsOf(accounts []lambdatest.User) string {
	ids := make([]string, len(accounts))
	for i, account := range accounts {
		ids[i] = account.ID
	}
	return strings.Join(ids, " and ")
}

// count counts the text of an account that no pass has shown yet.
func (l *listing) count(user lambdatest.User) error {
	if _, shown := l.byID[user.ID]; shown {
		return nil
	}
	l.bytes += len(user.ID) + len(user.UserName) + len(user.GivenName) + len(user.FamilyName) + len(user.Role) + len(user.ConcurrencyGroup)
	if l.bytes > maxListBytes {
		return fmt.Errorf("the accounts have more than %d MiB of text, the most that a sweep keeps", maxListBytes>>20)
	}
	return nil
}

// confirmReturned reads, by id, listed accounts of people who have moved. LambdaTest may list the members of a sub-organization and refuse all
// calls about them, so the list says nothing about an account that LambdaTest does not show by its id. Its error discards the sweep.
func (c *Connection) confirmReturned(ctx context.Context, found *listing) error {
	reads := 0
	for user, account := range c.Accounts.MovedIn(found.byUser) {
		there := false
		if reads++; reads <= maxLookUpsPerSweep {
			var err error
			found.calls++
			if there, err = c.exists(ctx, account.ID); err != nil {
				return fmt.Errorf("looking for an account that had moved: %w", err)
			}
		}
		if !there {
			delete(found.byUser, user)
		}
	}
	return nil
}

// confirmMissing reads, by id, known accounts that the list lacks. One that exists after all shows that the list is incomplete. When too many
// are gone, the organization may be another one. doubt is why the list is incomplete, if that is known already.
func (c *Connection) confirmMissing(ctx context.Context, found *listing, begun time.Time, doubt error) error {
	missing := c.Accounts.MissingIn(found.byUser, begun)
	// An account that is listed under another userName is there. Earlier versions took some userNames for the same that are not.
	maps.DeleteFunc(missing, func(_ string, account lambdatest.User) bool { return found.byID[account.ID] != "" })
	read := sample{missing: missing, known: c.Accounts.Size(), gone: map[string]lambdatest.User{}}
	err := c.readSample(ctx, found, &read, doubt != nil)
	if err == nil {
		err = c.checkIdentity(ctx, found, &read, doubt != nil)
	}
	if err != nil || doubt == nil && read.there == 0 {
		return err
	}
	found.gone = read.gone
	if doubt != nil {
		return doubt
	}
	return &incomplete{"it lacks accounts that exist", errors.New("the list lacks an account that exists")}
}

// wakeClaimed requeues those of the people about whom there are claims. An active account of a person who is denied is a denial that is not
// carried out.
func (c *Connection) wakeClaimed(users []string) {
	for _, user := range users {
		switch stands, claimed := c.Census.get(user); {
		case c.Accounts.IsActive(user) && stands&StandsBarred != 0:
			c.Wake(lane.Denial, user)
		case claimed:
			c.Wake(lane.Drift, user)
		}
	}
}

// exists tells whether there is an account of that id.
func (c *Connection) exists(ctx context.Context, id string) (bool, error) {
	_, err := ask(ctx, c, "GetUser", func(ctx context.Context, upstream Upstream) (lambdatest.User, error) {
		return upstream.GetUser(ctx, id)
	})
	if isNotOurs(err) {
		return false, nil
	}
	return err == nil, err
}

// isNotOurs tells whether LambdaTest says that an account or a person is not of this organization, or not any more.
func isNotOurs(err error) bool { return lambdatest.IsRejected(err) || lambdatest.IsNotFound(err) }
