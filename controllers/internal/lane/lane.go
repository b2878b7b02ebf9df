// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lane

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Lane decides who of an organization makes the next call, and when. Each organization has its own, so one's backlog, limits and
// outages are nobody else's.
//
// A reconcile that wants to call asks acquire. Either it may at once, or its person waits here, in order of priority, while the
// reconcile returns and the worker is free. When the turn comes the lane holds the reservation and wakes the person up; the
// reconcile that follows looks again at everything, and acquires without waiting. What it then does not need goes back by forget.
type Lane struct {
	now  func() time.Time
	wake func(user string, priority int)
	// changed is told when the circuit opens or closes.
	changed func()

	Mu       sync.Mutex
	ceiling  rate.Limit
	burst    int
	limiter  *rate.Limiter
	retries  *rate.Limiter
	circuit  circuit
	Stopped  bool
	fresh    *queue
	retrying *queue
	granted  map[string]struct{}
	inFlight int
	kick     chan struct{}
}

// New returns a lane without a rate: Limit comes before the first grant. wake reconciles somebody whose turn has come.
func New(now func() time.Time, bounds Backoff, wake func(user string, priority int), changed func()) *Lane {
	return &Lane{
		now: now, wake: wake, changed: changed,
		limiter: rate.NewLimiter(1, 1), retries: rate.NewLimiter(1, 1),
		circuit: circuit{backoff: bounds},
		fresh:   newQueue(), retrying: newQueue(),
		granted: map[string]struct{}{},
		kick:    make(chan struct{}, 1),
	}
}

// Limit sets the ceiling of calls a second, and how many may follow each other after a quiet time. A lane begins with such a time.
func (l *Lane) Limit(perSecond, burst int) {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	now, ceiling := l.now(), rate.Limit(perSecond)
	l.burst = burst
	switch {
	case l.ceiling == 0:
		l.limiter, l.retries = rate.NewLimiter(ceiling, burst), rate.NewLimiter(ceiling/RetryShare, max(burst/RetryShare, 1))
		l.ceiling = ceiling
	case l.ceiling != ceiling:
		l.ceiling = ceiling
		l.setRate(now, ceiling)
	default:
		l.setRate(now, l.limiter.Limit())
	}
}

// setRate changes the pace. Below the ceiling there are no bursts: LambdaTest has just said that it takes none.
func (l *Lane) setRate(now time.Time, to rate.Limit) {
	burst := l.burst
	if to < l.ceiling {
		burst = 1
	}
	l.limiter.SetLimitAt(now, to)
	l.limiter.SetBurstAt(now, burst)
	l.retries.SetLimitAt(now, to/RetryShare)
	l.retries.SetBurstAt(now, max(burst/RetryShare, 1))
}

// Acquire asks to make one call for a person. True: call now, and say done afterwards. False: the person waits and will be woken.
func (l *Lane) Acquire(user string, priority int, past History) bool {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	if _, ok := l.granted[user]; ok {
		delete(l.granted, user)
		return true
	}
	l.put(ticket{user: user, priority: priority, past: past, since: l.now()})
	l.grant(user)
	if _, ok := l.granted[user]; ok {
		delete(l.granted, user)
		return true
	}
	l.nudge()
	return false
}

// Await queues a person who has had a turn and needs another one.
func (l *Lane) Await(user string, priority int, past History) {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	l.put(ticket{user: user, priority: priority, past: past, since: l.now()})
	l.grant("")
	l.nudge()
}

// Wait blocks until its caller may make one call. User is any name that is no person's.
func (l *Lane) Wait(ctx context.Context, user string, priority int) error {
	ready := make(chan struct{})
	l.Mu.Lock()
	l.put(ticket{user: user, priority: priority, since: l.now(), ready: ready})
	l.grant("")
	l.nudge()
	l.Mu.Unlock()
	select {
	case <-ready:
		l.Mu.Lock()
		delete(l.granted, user)
		l.Mu.Unlock()
		return nil
	case <-ctx.Done():
		l.Forget(user)
		return fmt.Errorf("waiting for a turn: %w", ctx.Err())
	}
}

// put queues a ticket. A call that keeps failing is not urgent: a denial that LambdaTest always fails must not hold up everything else.
func (l *Lane) put(t ticket) {
	queue, other := l.fresh, l.retrying
	if t.past != NoFailure {
		queue, other = other, queue
	}
	if t.asked = t.priority; t.past == KeepsFailing {
		t.priority = min(t.asked, Change)
	}
	other.remove(t.user)
	queue.put(t)
}

// Done takes the outcome of a call that was acquired on somebody's behalf.
func (l *Lane) Done(user string, err error) {
	l.Mu.Lock()
	before := l.circuit.state()
	l.inFlight--
	l.adapt(err)
	l.circuit.record(l.now(), user, err)
	after := l.circuit.state()
	if before != after && after == "closed" {
		l.forgive(LastFailed)
	}
	l.grant("")
	l.nudge()
	l.Mu.Unlock()
	if before != after {
		l.changed()
	}
}

// forgive lets those who wait with such a history, or a better one, wait like everybody else.
func (l *Lane) forgive(worst History) {
	for _, t := range l.retrying.inOrder() {
		if t.past <= worst {
			t.past, t.priority = NoFailure, t.asked
			l.put(t)
		}
	}
}

// ForgiveAll lets everybody wait as if no call had failed.
func (l *Lane) ForgiveAll() {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	l.forgive(KeepsFailing)
	l.nudge()
}

// Answers counts the calls that LambdaTest has answered.
func (l *Lane) Answers() uint64 {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	return l.circuit.answers
}

// adapt halves the rate at a 429, once for all calls that were under way together, and lets it grow again with every success.
func (l *Lane) adapt(err error) {
	now := l.now()
	switch {
	case lambdatest.IsRateLimited(err):
		if !now.Before(l.circuit.pausedUntil) {
			l.setRate(now, max(l.limiter.Limit()/2, minRate))
		}
	case err == nil && l.limiter.Limit() < l.ceiling:
		l.setRate(now, min(l.limiter.Limit()+l.ceiling/rateRecovery, l.ceiling))
	}
}

// Forget takes a person out: nobody waits, and a grant that was not needed goes to somebody else.
func (l *Lane) Forget(user string) {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	l.fresh.remove(user)
	l.retrying.remove(user)
	if _, ok := l.granted[user]; ok {
		delete(l.granted, user)
		l.inFlight--
		l.nudge()
	}
}

// Renew forgets how calls went, after the token or the address changed.
func (l *Lane) Renew() {
	l.Mu.Lock()
	l.circuit = circuit{backoff: l.circuit.backoff, answers: l.circuit.answers}
	l.setRate(l.now(), l.ceiling)
	l.forgive(KeepsFailing)
	l.nudge()
	l.Mu.Unlock()
}

// Stop says whether grants are withheld from everybody.
func (l *Lane) Stop(stopped bool) {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	l.Stopped = stopped
	l.nudge()
}

// State names the circuit's state, and until when LambdaTest wants to be left alone, if it does.
func (l *Lane) State() (name string, pausedUntil time.Time) {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	return l.circuit.state(), l.circuit.pausedUntil
}

// Waiting lists the people who wait.
func (l *Lane) Waiting() []string {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	return append(l.fresh.people(), l.retrying.people()...)
}

// Backlog is how long those who wait now will keep the lane busy.
func (l *Lane) Backlog() time.Duration {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	return time.Duration(float64(len(l.fresh.heap)+len(l.retrying.heap)) / float64(l.limiter.Limit()) * float64(time.Second))
}

// Run grants turns as they come until ctx ends.
func (l *Lane) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.kick:
		case <-timer.C:
		}
		if wait, waiting := l.GrantDue(); waiting {
			timer.Reset(wait)
		}
	}
}

// GrantDue grants the turns that have come. It returns when the next one comes, if only time is missing.
func (l *Lane) GrantDue() (time.Duration, bool) {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	return l.grant("")
}

func (l *Lane) nudge() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// grant gives reservations to those whose turn it is. Everybody but self is woken up. It returns when to try again; false means
// that only an event, such as the end of a call, can change anything.
func (l *Lane) grant(self string) (time.Duration, bool) {
	for {
		now := l.now()
		next, queue, wait, ok := l.choose(now)
		if next == nil {
			return wait, ok
		}
		queue.take(next)
		l.granted[next.user] = struct{}{}
		l.inFlight++
		switch {
		case next.ready != nil:
			close(next.ready)
		case next.user != self:
			l.wake(next.user, next.priority)
		}
	}
}

// choose picks whose turn it is and takes the reservation for it.
func (l *Lane) choose(now time.Time) (next *ticket, from *queue, wait time.Duration, ok bool) {
	if l.Stopped {
		return nil, nil, 0, false
	}
	var soonest time.Time
	for _, queue := range l.order(now) {
		candidate := queue.next()
		if candidate == nil || l.inFlight >= l.allowedInFlight(candidate.priority) {
			continue
		}
		allowed, at := l.circuit.permits(now, candidate.priority >= Denial)
		if allowed {
			at, allowed = l.reserve(now, candidate.isBudgeted())
		}
		if allowed {
			return candidate, queue, 0, true
		}
		if !at.IsZero() && (soonest.IsZero() || at.Before(soonest)) {
			soonest = at
		}
	}
	return nil, nil, soonest.Sub(now), !soonest.IsZero()
}

// order puts the queue with the more urgent ticket first; people whose calls fail come after others of their priority. A probe that
// anybody may make is made for somebody whose call has not failed: the others might fail whether LambdaTest is back or not.
func (l *Lane) order(now time.Time) []*queue {
	fresh, retry := l.fresh.next(), l.retrying.next()
	if fresh != nil && retry != nil && retry.priority > fresh.priority && !l.circuit.probing(now) {
		return []*queue{l.retrying, l.fresh}
	}
	return []*queue{l.fresh, l.retrying}
}

// reserve takes a token, or says when there will be one. A budgeted call also takes one of the few that retries have.
func (l *Lane) reserve(now time.Time, budgeted bool) (time.Time, bool) {
	reservation := l.limiter.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if budgeted && wait == 0 {
		wait = l.reserveRetry(now)
	}
	if wait > 0 {
		reservation.CancelAt(now)
		return now.Add(wait), false
	}
	return now, true
}

func (l *Lane) reserveRetry(now time.Time) time.Duration {
	reservation := l.retries.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// allowedInFlight shrinks to one call at a time while calls fail. Denials have places of their own.
func (l *Lane) allowedInFlight(priority int) int {
	switch {
	case l.circuit.suspicious():
		return 1
	case priority >= Denial:
		return MaxInFlight + denialsInFlight
	}
	return MaxInFlight
}
