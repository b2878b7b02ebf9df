// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lane

import (
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Backoff says how long to wait after a number of failures in a row.
type Backoff struct {
	Min, Max time.Duration
}

// After doubles with each failure, within the bounds, and spreads by a quarter.
func (b Backoff) After(failures int) time.Duration {
	wait := b.Max
	if shift := failures - 1; shift < 30 && b.Min<<max(shift, 0) < b.Max {
		wait = b.Min << max(shift, 0)
	}
	return wait - time.Duration(rand.Float64()*float64(wait)/4) //nolint:gosec // spreads load, keeps no secret
}

// circuit remembers how the calls of one organization went, and says whether the next one makes sense. The lane's lock guards it.
type circuit struct {
	backoff Backoff

	// unauthorized: the token was refused. Only another token ends this.
	unauthorized bool
	// failing are the people whose calls failed since one succeeded.
	failing sets.Set[string]
	// failures counts how often the circuit was opened in a row.
	failures int
	// openedAt is when it was opened last; retryAt when the next probe may go. Both zero while it is closed.
	openedAt, retryAt time.Time
	// pausedUntil is when LambdaTest wants to be called again, after a 429; pauses counts those in a row that named no time.
	pausedUntil time.Time
	pauses      int
	// throttled: no call succeeded since the last 429.
	throttled bool
	// answers counts the calls that LambdaTest answered, whatever it said.
	answers uint64
}

// state is what metrics and messages call it.
func (c *circuit) state() string {
	switch {
	case c.unauthorized:
		return "unauthorized"
	case !c.retryAt.IsZero():
		return "open"
	}
	return "closed"
}

// suspicious tells whether calls go one at a time.
func (c *circuit) suspicious() bool { return len(c.failing) > 0 || !c.retryAt.IsZero() || c.throttled }

// probing tells whether the circuit is open and the time has come for a call that need not be a denial.
func (c *circuit) probing(now time.Time) bool { return !c.retryAt.IsZero() && !now.Before(c.retryAt) }

// permits says whether a call may be made now, and otherwise when to ask again; never is the zero time. Denials probe an open
// circuit sooner than anything else.
func (c *circuit) permits(now time.Time, denial bool) (bool, time.Time) {
	if c.unauthorized {
		return false, time.Time{}
	}
	at := c.retryAt
	if soon := c.openedAt.Add(DenialBackoffMax); denial && soon.Before(at) {
		at = soon
	}
	if c.pausedUntil.After(at) {
		at = c.pausedUntil
	}
	return !now.Before(at), at
}

// record takes the outcome of a call for a user.
func (c *circuit) record(now time.Time, user string, err error) {
	switch {
	case lambdatest.IsUnauthorized(err):
		c.unauthorized = true
	case lambdatest.IsRateLimited(err):
		c.pause(now, err)
	case lambdatest.IsUnavailable(err):
		c.fail(now, user)
	case err == nil, lambdatest.IsRejected(err), lambdatest.IsNotFound(err), lambdatest.IsForbidden(err), lambdatest.IsConflict(err):
		c.answers++
		c.failing, c.failures, c.pauses, c.throttled = nil, 0, 0, false
		c.openedAt, c.retryAt = time.Time{}, time.Time{}
	}
}

func (c *circuit) pause(now time.Time, err error) {
	c.throttled = true
	wait, named := lambdatest.RetryAfter(err)
	if !named {
		if now.Before(c.pausedUntil) {
			return // of the calls that were under way together, one counts
		}
		c.pauses++
		wait = c.backoff.After(c.pauses)
	}
	if until := now.Add(wait); until.After(c.pausedUntil) {
		c.pausedUntil = until
	}
}

func (c *circuit) fail(now time.Time, user string) {
	if c.failing == nil {
		c.failing = sets.Set[string]{}
	}
	c.failing.Insert(user)
	if len(c.failing) < CircuitThreshold {
		return
	}
	c.openedAt = now
	// Of calls that were in flight together, count one.
	if !now.Before(c.retryAt) {
		c.failures++
		c.retryAt = now.Add(c.backoff.After(c.failures))
	}
}
