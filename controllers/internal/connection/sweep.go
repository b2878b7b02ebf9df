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
	// Err is why the last sweep was discarded; nil when it was complete.
	Err   error
	pages int
	// calls counts those of the last sweep that failed.
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

// SweepEarly asks for a sweep because what the last one showed is too old. After a sweep that failed the next one comes as soon as it may.
func (c *Connection) SweepEarly() {
	if c.LastSweep().Err == nil {
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
	many := c.lastSweep.Complete && c.lastSweep.Err == nil && c.lookUps > c.lastSweep.pages+1
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
			bounds := c.Options.Backoff
			wait = max(min(wait, bounds.After(failures)), set.costOf(c.LastSweep().calls, failures))
		} else {
			failures = 0
		}
		timer.Reset(wait)
	}
}

// costOf is how long to wait after a number of sweeps in a row have failed, the last one with that many calls. With each failure sweeps get
// a smaller part of the rate, and in the end the part that failing calls have: a list that never adds up costs several passes each time.
func (s Settings) costOf(calls, failures int) time.Duration {
	took := time.Duration(calls) * time.Second / time.Duration(max(s.perSecond, 1))
	return took * time.Duration(min(failures, lane.RetryShare)-1)
}

func jittered(interval time.Duration) time.Duration {
	return interval + time.Duration((2*rand.Float64()-1)*sweepJitter*float64(interval)) //nolint:gosec // spreads load, keeps no secret
}

// Sweep reads all accounts of the organization page by page, and compares them with what is known. A list that is not complete and
// consistent is discarded. It writes nothing: people whose accounts differ are requeued.
func (c *Connection) Sweep(ctx context.Context) error {
	client := c.Client()
	c.confirmIdentity(ctx)
	begun := c.Options.Now()
	found, err := c.listAll(ctx)
	if err == nil {
		err = c.confirmMissing(ctx, &found, begun)
	}
	if err == nil && client != c.Client() {
		err = errors.New("the connection changed meanwhile")
	}
	observeSweep(c.Organization, begun, c.Options.Now().Sub(begun), err)
	if err != nil {
		err = fmt.Errorf("sweeping the organization: %w", err)
		c.giveUpWaiting()
	} else {
		c.wakeClaimed(c.Accounts.Replace(found.byUser, found.several, begun))
		c.Holdoffs.expedite(found.concurrencyGroups.Has)
		// Without it groups stay as they are known; the next sweep tries again, and the failed call was counted.
		_ = c.sweepGroups(ctx)
	}
	news := c.noteSweep(found, err)
	if err == nil {
		c.registry.Imports.Add(lane.Drift, reconcile.Request{NamespacedName: c.Organization})
	}
	c.wakeIdle()
	if news || err != nil {
		c.changed()
	}
	return err
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
	if err == nil {
		twin = c.registry.olderTwin(c)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.lastSweep
	if err != nil {
		c.lastSweep.Err, c.lastSweep.calls = err, found.calls
		return before.Err == nil
	}
	c.identity.recognise()
	c.lastSweep = SweepResult{
		pages: found.pages, accounts: len(found.byID), Complete: true, BaseURL: c.settings.BaseURL, twin: twin, Several: found.people,
	}
	c.lookUps = 0
	differs := before.twin != twin || before.accounts != len(found.byID) || !slices.Equal(before.Several, found.people)
	return !before.Complete || differs || before.Err != nil
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
			found.people = found.idsOfSeveral()
			return found, nil
		}
	}
	return found, fmt.Errorf("the list says %d accounts and shows %d", found.total, len(found.byID))
}

func (c *Connection) listOnce(ctx context.Context, found *listing) error {
	for start, more := 1, true; more; {
		found.calls++
		page, err := ask(ctx, c, "ListUsers", func(ctx context.Context, upstream Upstream) (lambdatest.Page[lambdatest.User], error) {
			return upstream.ListUsers(ctx, start, sweepPageSize)
		})
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

// ask makes one call for a sweep, once the lane grants it.
func ask[T any](ctx context.Context, c *Connection, name string, call func(context.Context, Upstream) (T, error)) (answer T, err error) {
	if err := c.Lane.Wait(ctx, sweeper, lane.Sweep); err != nil {
		return answer, err
	}
	err = c.Call(ctx, sweeper, name, func(ctx context.Context, upstream Upstream) (err error) {
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

// confirmMissing looks up, by id, known accounts that the list lacks. One that exists after all makes the list unbelievable. When too many
// are gone, the organization may be another one.
func (c *Connection) confirmMissing(ctx context.Context, found *listing, begun time.Time) error {
	missing := c.Accounts.MissingIn(found.byUser, begun)
	// An account that is listed under another userName is there. Earlier versions took some userNames for the same that are not.
	maps.DeleteFunc(missing, func(_ string, account lambdatest.User) bool { return found.byID[account.ID] != "" })
	left := len(missing)
	if left > maxLookUpsPerSweep {
		left = mismatchSample
	}
	for _, account := range missing {
		if left--; left < 0 {
			break
		}
		found.calls++
		there, err := c.exists(ctx, account.ID)
		if err != nil {
			return fmt.Errorf("looking for a missing account: %w", err)
		}
		if there {
			return errors.New("the list lacks an account that exists")
		}
	}
	return c.checkIdentity(missing, c.Accounts.Size())
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
	if lambdatest.IsNotFound(err) || lambdatest.IsRejected(err) {
		return false, nil
	}
	return err == nil, err
}
