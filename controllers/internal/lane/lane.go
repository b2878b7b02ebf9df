// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lane

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Lane decides who of an organization makes the next call, and when. Each organization has its own, so that the backlog, the limits and
// the outages of one delay no other.
//
// A reconcile that wants to call asks Acquire. Either it may call at once, or its person waits here, in order of priority, while the
// reconcile returns and the worker is free. When the turn comes the lane holds the reservation and wakes the person. The reconcile that
// follows reads everything again, and acquires without waiting. It gives back a grant that it does not need by Forget.
type Lane struct {
	now  func() time.Time
	wake func(user string, priority int)
	// changed is called when the circuit opens or closes.
	changed func()
	// kick says that the next turn may come sooner than Run knows.
	kick chan struct{}

	mu      sync.Mutex
	stopped bool
	ceiling rate.Limit
	burst   int
	// limiter paces all calls, and retries also those for people whose calls fail.
	limiter, retries *rate.Limiter
	circuit          circuit
	// fresh and retrying have those who wait, by whether their last call failed; each is in one.
	fresh, retrying *queue
	// granted are those who hold a reservation and have not acquired it yet. It counts as in flight already.
	granted  sets.Set[string]
	inFlight int
}

// New returns a lane without a rate: Limit comes before the first grant. wake reconciles a person whose turn has come.
func New(now func() time.Time, bounds Backoff, wake func(user string, priority int), changed func()) *Lane {
	return &Lane{
		now: now, wake: wake, changed: changed, kick: make(chan struct{}, 1),
		limiter: rate.NewLimiter(1, 1), retries: rate.NewLimiter(1, 1),
		circuit: circuit{backoff: bounds},
		fresh:   newQueue(), retrying: newQueue(), granted: sets.Set[string]{},
	}
}

// Limit sets the ceiling of calls a second, and how many may follow each other after a quiet time. A lane begins with such a time.
func (l *Lane) Limit(perSecond, burst int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, ceiling := l.ceiling, rate.Limit(perSecond)
	l.ceiling, l.burst = ceiling, burst
	switch before {
	case 0:
		l.limiter, l.retries = rate.NewLimiter(ceiling, burst), rate.NewLimiter(ceiling/RetryShare, max(burst/RetryShare, 1))
	case ceiling:
		l.setRate(l.limiter.Limit())
	default:
		l.setRate(ceiling)
	}
}

// setRate changes the pace. Below the ceiling there are no bursts: LambdaTest has just said that it takes none.
func (l *Lane) setRate(to rate.Limit) {
	now, burst := l.now(), l.burst
	if to < l.ceiling {
		burst = 1
	}
	l.limiter.SetLimitAt(now, to)
	l.limiter.SetBurstAt(now, burst)
	l.retries.SetLimitAt(now, to/RetryShare)
	l.retries.SetBurstAt(now, max(burst/RetryShare, 1))
}

// Acquire asks to make one call for a person. True: call now, and say Done afterwards. False: the person waits and will be woken.
func (l *Lane) Acquire(user string, priority int, past History) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.granted.Has(user) {
		l.put(ticket{user: user, priority: priority, past: past})
		l.grant(user)
	}
	if !l.granted.Has(user) {
		l.nudge()
		return false
	}
	l.granted.Delete(user)
	return true
}

// Await queues a person who has had a turn and needs another one.
func (l *Lane) Await(user string, priority int, past History) {
	l.join(ticket{user: user, priority: priority, past: past})
}

// Wait blocks until its caller may make one call. User is any name that is no person's.
func (l *Lane) Wait(ctx context.Context, user string, priority int) error {
	ready := make(chan struct{})
	l.join(ticket{user: user, priority: priority, ready: ready})
	select {
	case <-ready:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.granted.Delete(user)
		return nil
	case <-ctx.Done():
		l.Forget(user)
		return fmt.Errorf("waiting for a turn: %w", ctx.Err())
	}
}

func (l *Lane) join(t ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.put(t)
	l.grant("")
	l.nudge()
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

// Done takes the outcome of a call that was acquired for a person.
func (l *Lane) Done(user string, err error) {
	if before, after := l.done(user, err); before != after {
		l.changed()
	}
}

func (l *Lane) done(user string, err error) (before, after string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before = l.circuit.state()
	l.inFlight--
	l.adapt(err)
	l.circuit.record(l.now(), user, err)
	if after = l.circuit.state(); before != after && after == "closed" {
		l.forgive(LastFailed)
	}
	l.grant("")
	l.nudge()
	return before, after
}

// adapt halves the rate at a 429, once for all calls that were under way together, and lets it grow again with every success.
func (l *Lane) adapt(err error) {
	switch {
	case lambdatest.IsRateLimited(err):
		if !l.now().Before(l.circuit.pausedUntil) {
			l.setRate(max(l.limiter.Limit()/2, minRate))
		}
	case err == nil && l.limiter.Limit() < l.ceiling:
		l.setRate(min(l.limiter.Limit()+l.ceiling/rateRecovery, l.ceiling))
	}
}

// Charge takes a token for one more call of a person who has a turn. The next turn comes later by as much.
func (l *Lane) Charge() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limiter.ReserveN(l.now(), 1)
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
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgive(KeepsFailing)
	l.nudge()
}

// Renew forgets how calls went, after the token or the address changed.
func (l *Lane) Renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.circuit = circuit{backoff: l.circuit.backoff, answers: l.circuit.answers}
	l.setRate(l.ceiling)
	l.forgive(KeepsFailing)
	l.nudge()
}

// Forget takes a person out: the ticket, and the grant if there is one, which then goes to the next.
func (l *Lane) Forget(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fresh.remove(user)
	l.retrying.remove(user)
	if l.granted.Has(user) {
		l.granted.Delete(user)
		l.inFlight--
		l.nudge()
	}
}

// Stop says whether grants are withheld from everybody.
func (l *Lane) Stop(stopped bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = stopped
	l.nudge()
}

// State names the circuit's state, and until when LambdaTest wants no call, if it said so.
func (l *Lane) State() (name string, pausedUntil time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.circuit.state(), l.circuit.pausedUntil
}

// Answers counts the calls that LambdaTest has answered.
func (l *Lane) Answers() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.circuit.answers
}

// Waiting lists the people who wait.
func (l *Lane) Waiting() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(l.fresh.people(), l.retrying.people()...)
}

// Backlog is how long those who wait now, and are not less urgent, will keep the lane busy.
func (l *Lane) Backlog(priority int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := len(l.fresh.heap) + len(l.retrying.heap)
	if priority >= Denial {
		waiting = l.fresh.denials + l.retrying.denials
	}
	return time.Duration(float64(waiting) / float64(l.limiter.Limit()) * float64(time.Second))
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

func (l *Lane) nudge() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// GrantDue grants the turns that have come. It returns when the next one comes, if only time is missing.
func (l *Lane) GrantDue() (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.grant("")
}

// grant gives reservations to those whose turn it is, and wakes all of them but self. It returns when to try again; false means that
// only an event, such as the end of a call, can change anything.
func (l *Lane) grant(self string) (time.Duration, bool) {
	for {
		now := l.now()
		next, queue, wait, ok := l.choose(now)
		if next == nil {
			return wait, ok
		}
		queue.take(next)
		l.granted.Insert(next.user)
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
	if l.stopped {
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
// need not be a denial is made for a person whose call has not failed: the others might fail whether LambdaTest is back or not.
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
	if wait == 0 && budgeted {
		retry := l.retries.ReserveN(now, 1)
		if wait = retry.DelayFrom(now); wait > 0 {
			retry.CancelAt(now)
		}
	}
	if wait > 0 {
		reservation.CancelAt(now)
		return now.Add(wait), false
	}
	return now, true
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
