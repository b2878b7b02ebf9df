// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// reader is the name under which a round waits in the lane; no userName begins so.
const reader = "\x00round"

// incomplete is the error of a sweep whose list does not show all accounts. What the list shows is used. It says nothing about the others:
// they are read one by one.
type incomplete struct {
	// because says it for a condition: without numbers, which would change with every sweep.
	because string
	err     error
}

// Error implements error.
func (i *incomplete) Error() string { return i.err.Error() }

// Unwrap returns the cause.
func (i *incomplete) Unwrap() error { return i.err }

func isIncomplete(err error) bool {
	var doubt *incomplete
	return errors.As(err, &doubt)
}

// lists is how the last lists of an organization were. A list may be incomplete by chance, while accounts are created and removed, and with a
// random order it may be complete by chance. So the second incomplete one says that lists are unreliable, until listsBelieved complete ones
// follow each other.
type lists struct {
	because              string
	incomplete, complete int
}

// note takes the error of a sweep whose list was used.
func (l *lists) note(err error) {
	var doubt *incomplete
	switch {
	case errors.As(err, &doubt):
		l.incomplete, l.complete = l.incomplete+1, 0
		if l.because == "" {
			l.because = doubt.because
		}
	case l.incomplete > 0:
		if l.complete++; l.complete >= listsBelieved {
			*l = lists{}
		}
	}
}

func (l *lists) isUnreliable() bool { return l.incomplete >= listsDoubted }

// Unreliable says why lists of accounts do not show all of them, and whether that is so. People whom they do not show are read one by one.
func (c *Connection) Unreliable() (because string, unreliable bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lists.because, c.lists.isUnreliable()
}

// RoundOf is how long it takes to read that many people one by one.
func (s Settings) RoundOf(people int) time.Duration { return time.Duration(people) * s.readPause() }

// readPause leaves nine tenths of the rate to everything else.
func (s Settings) readPause() time.Duration {
	return oneByOneShare * time.Second / time.Duration(max(s.perSecond, 1))
}

// round is a pass over the people with a claim whom an incomplete list did not show.
type round struct {
	mu   sync.Mutex
	left []string
	// begun is zero for a round that was given up.
	begun time.Time
	// gone counts the accounts that LambdaTest does not show any more.
	gone int
}

// beginRound begins a round, unless one is under way.
func (c *Connection) beginRound(shown map[string]lambdatest.User) {
	c.round.mu.Lock()
	defer c.round.mu.Unlock()
	if len(c.round.left) == 0 {
		c.round.begun, c.round.gone = c.Options.Now(), 0
		for _, user := range c.Census.people() {
			if _, listed := shown[user]; !listed {
				c.round.left = append(c.round.left, user)
			}
		}
	}
	select {
	case c.roundSoon <- struct{}{}:
	default:
	}
}

// endRound ends the round under way: a complete list has shown everybody.
func (c *Connection) endRound() {
	c.round.mu.Lock()
	defer c.round.mu.Unlock()
	c.round.left = nil
}

func (c *Connection) nextOfRound() (user string, left bool) {
	c.round.mu.Lock()
	defer c.round.mu.Unlock()
	if len(c.round.left) == 0 {
		return "", false
	}
	user, c.round.left = c.round.left[0], c.round.left[1:]
	return user, true
}

// roundLoop carries out rounds, a person at a time.
func (c *Connection) roundLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.roundSoon:
		}
		for c.ReadNext(ctx) {
			set, _ := c.State()
			select {
			case <-ctx.Done():
				return
			case <-time.After(set.readPause()):
			}
		}
	}
}

// ReadNext reads the next person of the round, and says whether there was one. A person of whom no id leads to an account is looked up by the
// reconcile that follows. While LambdaTest cannot be called, or may be another organization, nothing is read: the next sweep goes on with the
// round.
func (c *Connection) ReadNext(ctx context.Context) bool {
	if !c.mayRead() {
		return false
	}
	user, left := c.nextOfRound()
	if !left {
		return false
	}
	if now := c.Options.Now(); !c.readAccount(ctx, user, now) {
		c.Accounts.Doubt(user, now, now)
		c.Wake(lane.Drift, user)
	}
	c.round.mu.Lock()
	ended, begun := len(c.round.left) == 0, c.round.begun
	c.round.mu.Unlock()
	if ended && !begun.IsZero() {
		c.Accounts.Cover()
		observeRound(c.Organization, begun)
		c.wakeIdle()
	}
	return true
}

func (c *Connection) mayRead() bool {
	state, _ := c.Lane.State()
	_, mismatched := c.Mismatch()
	_, obstacle := c.State()
	return state == "closed" && !mismatched && obstacle == status.Outcome{} && c.isConfirmed()
}

// readAccount reads the account of a person by its id, or the one that the person had: it may be back. False: no id is known, or LambdaTest
// still does not show that account, and the person may have another one.
func (c *Connection) readAccount(ctx context.Context, user string, begun time.Time) bool {
	id := c.Accounts.LastID(user)
	if id == "" {
		return false
	}
	_, there := c.Accounts.Get(user)
	account, err := askAs(ctx, c, reader, lane.Drift, "GetUser", func(ctx context.Context, upstream Upstream) (lambdatest.User, error) {
		return upstream.GetUser(ctx, id)
	})
	switch {
	case err == nil && v1alpha1.FoldUserName(account.UserName) == user:
		c.wakeClaimed(c.Accounts.Show(map[string]lambdatest.User{user: account}, nil, begun))
	case isNotOurs(err) && !there:
		return false
	case isNotOurs(err) && c.mayBelieveGone():
		c.Accounts.Missed(user, begun)
		c.wakeClaimed([]string{user})
	}
	return true
}

// mayBelieveGone counts an account that is gone. When too many are gone in one round, it may be another organization: the round ends, and the
// next sweep checks the identity.
func (c *Connection) mayBelieveGone() bool {
	known := c.Accounts.Size()
	c.round.mu.Lock()
	defer c.round.mu.Unlock()
	c.round.gone++
	if c.round.gone >= mismatchMinimum && c.round.gone*mismatchShare > known {
		c.round.left, c.round.begun = nil, time.Time{}
		return false
	}
	return true
}
