// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// sweeper is the name under which a sweep waits in the lane; no userName begins so.
const sweeper = "\x00sweep"

// listing is what a sweep has read: accounts by folded userName.
type listing struct {
	byUser map[string]lambdatest.User
	byID   map[string]string // folded userName
	total  int
	pages  int
	// concurrencyGroups are those that accounts were shown to be in, and so exist.
	concurrencyGroups map[string]struct{}
	// calls counts what the sweep cost: pages and lookups.
	calls int
}

// sweepLoop compares the whole organization every syncInterval, and before its time when asked.
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

// costOf is how long to wait after so many sweeps in a row have failed, the last one with so many calls: with each, sweeps get
// a smaller part of the rate, and in the end the part that failing calls have. A list that never adds up costs several passes each time.
func (s Settings) costOf(calls, failures int) time.Duration {
	took := time.Duration(calls) * time.Second / time.Duration(max(s.perSecond, 1))
	return took * time.Duration(min(failures, lane.RetryShare)-1)
}

func jittered(interval time.Duration) time.Duration {
	return interval + time.Duration((2*rand.Float64()-1)*sweepJitter*float64(interval)) //nolint:gosec // spreads load, keeps no secret
}

// Sweep compares the organization with what is known: page by page, complete and consistent or not at all. It writes nothing; who
// differs is handed to the people's queue.
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
		err = fmt.Errorf("comparing the organization: %w", err)
		c.giveUpWaiting()
	} else {
		c.wakeClaimed(c.Accounts.Replace(found.byUser, begun))
		c.Holdoffs.expedite(func(cause string) bool { _, exists := found.concurrencyGroups[cause]; return exists })
	}
	if err == nil {
		// Without it groups stay as they are known; the next sweep tries again, and the failed call was counted.
		_ = c.sweepGroups(ctx)
	}
	first := c.noteSweep(begun, found, err)
	if err == nil {
		c.registry.Imports.Add(lane.Drift, reconcile.Request{NamespacedName: c.Organization})
	}
	c.wakeIdle()
	if first || err != nil {
		c.changed()
	}
	return err
}

// giveUpWaiting lets people be looked up one by one when the sweep fails, provided that this still is the same organization.
func (c *Connection) giveUpWaiting() {
	c.mu.Lock()
	recognised := c.confirmed
	c.mu.Unlock()
	if recognised || c.Accounts.Size() == 0 {
		c.Accounts.Attempted()
	}
}

// noteSweep remembers how it ended and says whether that is news.
func (c *Connection) noteSweep(begun time.Time, found listing, err error) bool {
	twin := ""
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
	c.confirmed = true
	c.lastSweep = SweepResult{
		at: begun, pages: found.pages, accounts: len(found.byID), Complete: true, BaseURL: c.settings.BaseURL, twin: twin,
	}
	c.lookUps = 0
	return !before.Complete || before.twin != twin || before.accounts != len(found.byID) || before.Err != nil
}

// listAll reads all pages. When the list shifts while it is read, so that some accounts show twice and others not at all, further
// passes fill the gaps.
func (c *Connection) listAll(ctx context.Context) (listing, error) {
	found := listing{byUser: map[string]lambdatest.User{}, byID: map[string]string{}, concurrencyGroups: map[string]struct{}{}}
	for range sweepPasses {
		if err := c.listOnce(ctx, &found); err != nil {
			return found, err
		}
		if len(found.byID) == found.total {
			return found, nil
		}
	}
	return found, fmt.Errorf("the list says %d accounts and shows %d", found.total, len(found.byID))
}

func (c *Connection) listOnce(ctx context.Context, found *listing) error {
	for start, more := 1, true; more; {
		found.calls++
		page, err := c.listPage(ctx, start)
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

func (c *Connection) listPage(ctx context.Context, start int) (lambdatest.Page[lambdatest.User], error) {
	var page lambdatest.Page[lambdatest.User]
	if err := c.Lane.Wait(ctx, sweeper, lane.Sweep); err != nil {
		return page, err
	}
	err := c.Call(ctx, sweeper, "ListUsers", func(ctx context.Context, upstream Upstream) error {
		var err error
		page, err = upstream.ListUsers(ctx, start, sweepPageSize)
		return err
	})
	return page, err
}

// add takes a page in. Two ids for one userName, or two userNames for one id, are a lie. An account that is as it was known keeps the
// memory that it has.
func (l *listing) add(page lambdatest.Page[lambdatest.User], known func(user string) (lambdatest.User, bool)) error {
	l.pages++
	l.total = page.Total
	for _, user := range page.Items {
		if user.ConcurrencyGroup != "" {
			l.concurrencyGroups[CauseConcurrencyGroup(user.ConcurrencyGroup)] = struct{}{}
		}
		folded := v1alpha1.FoldUserName(user.UserName)
		if before, ok := l.byUser[folded]; ok && before.ID != user.ID {
			return errors.New("the list shows two accounts of one userName")
		}
		if before, ok := l.byID[user.ID]; ok && before != folded {
			return errors.New("the list shows one account under two userNames")
		}
		if before, ok := known(folded); ok && before == user {
			user, folded = before, v1alpha1.FoldUserName(before.UserName)
		}
		l.byUser[folded], l.byID[user.ID] = user, folded
	}
	return nil
}

// confirmMissing looks up, by id, known accounts that the list lacks. Those that are there after all make the list unbelievable. When
// too many are gone, the organization may be another one.
func (c *Connection) confirmMissing(ctx context.Context, found *listing, begun time.Time) error {
	missing := c.Accounts.MissingIn(found.byUser, begun)
	checked := 0
	for _, account := range missing {
		if checked++; len(missing) > maxLookUpsPerSweep && checked > mismatchSample {
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

// wakeClaimed requeues those of the accounts' owners about whom there are claims. An account that was activated at LambdaTest although
// its owner is denied is a denial that is not carried out.
func (c *Connection) wakeClaimed(users []string) {
	for _, user := range users {
		account, _ := c.Accounts.Get(user)
		switch {
		case account.Active && c.Census.isBarred(user):
			c.Wake(lane.Denial, user)
		case c.Census.has(user):
			c.Wake(lane.Drift, user)
		}
	}
}

func (c *Connection) exists(ctx context.Context, id string) (bool, error) {
	if err := c.Lane.Wait(ctx, sweeper, lane.Sweep); err != nil {
		return false, err
	}
	err := c.Call(ctx, sweeper, "GetUser", func(ctx context.Context, upstream Upstream) error {
		_, err := upstream.GetUser(ctx, id)
		return err
	})
	if lambdatest.IsNotFound(err) || lambdatest.IsRejected(err) {
		return false, nil
	}
	return err == nil, err
}
