// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"net/http"
	"time"
)

// encounter is everything that goes wrong with one call.
type encounter struct {
	delay time.Duration
	holds []*Hold
	fault *Fault // at most one; nil when the call goes well
}

// encounter draws what a call meets. Faults that do not fit stay as they are.
func (o *Org) encounter(route string) encounter {
	met := encounter{delay: time.Duration(o.switches.Latency)}
	if o.switches.RateLimit > 0 && !o.bucket.take(o.world.now(), o.switches.RateLimit) {
		met.fault = &Fault{Kind: Refuse, Status: http.StatusTooManyRequests, RetryAfter: "1"}
	}
	for _, a := range o.faults {
		patient := a.Kind == Slow || a.Kind == hold
		if !patient && met.fault != nil || !a.meets(o, route) {
			continue
		}
		switch {
		case a.Kind == hold:
			met.holds = append(met.holds, a.hold)
		case patient:
			met.delay += time.Duration(a.Delay)
		default:
			fault := a.Fault
			met.fault = &fault
		}
	}
	o.disarmSpent()
	return met
}

// wait takes as long as the call takes; false when its caller gave up.
func (e encounter) wait(ctx context.Context) bool {
	if e.delay > 0 {
		timer := time.NewTimer(e.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	for _, h := range e.holds {
		if !h.wait(ctx) {
			return false
		}
	}
	return true
}

func (e encounter) kind() Kind {
	if e.fault == nil {
		return ""
	}
	return e.fault.Kind
}

// instead is the answer of a call that is not done.
func (e encounter) instead(switches Switches) (reply, bool) {
	switch e.kind() {
	case Drop:
		return reply{cut: true}, true
	case Intercept:
		return e.unreadable(), true
	case Refuse:
		out := refusal(&problem{status: e.fault.Status, detail: "the simulator was told to refuse this call"})
		out.raw, out.retryAfter = e.fault.Body, e.fault.RetryAfter
		if switches.HideRetryAfter {
			out.retryAfter = ""
		}
		return out, true
	}
	return reply{}, false
}

// spoil is what becomes of the answer of a call that was done.
func (e encounter) spoil(done reply) reply {
	switch e.kind() {
	case Lose:
		done.cut = true
	case Garble:
		return e.unreadable()
	}
	return done
}

func (e encounter) unreadable() reply {
	out := reply{status: http.StatusOK, raw: garbage}
	if e.fault.Status != 0 {
		out.status = e.fault.Status
	}
	if e.fault.Body != "" {
		out.raw = e.fault.Body
	}
	return out
}

// Hold stops a call on its way, before it is done, until Release.
type Hold struct {
	arrived chan struct{}
	release chan struct{}
}

// HoldNext stops the next call until Release, so that a test can act while the
// call is in flight.
func (o *Org) HoldNext(options ...FaultOption) *Hold {
	h := &Hold{arrived: make(chan struct{}, 1), release: make(chan struct{}, 1)}
	o.Inject(Fault{Kind: hold, Times: 1, hold: h}, options...)
	return h
}

// Arrived receives once the call is there.
func (h *Hold) Arrived() <-chan struct{} {
	return h.arrived
}

// Release lets the call go on. It may be called more than once.
func (h *Hold) Release() {
	select {
	case h.release <- struct{}{}:
	default:
	}
}

func (h *Hold) wait(ctx context.Context) bool {
	select {
	case h.arrived <- struct{}{}:
	default:
	}
	select {
	case <-h.release:
		return true
	case <-ctx.Done():
		return false
	}
}

// bucket is a rate limit with a burst of one second.
type bucket struct {
	tokens float64
	filled time.Time
}

func (b *bucket) take(now time.Time, perSecond int) bool {
	rate := float64(perSecond)
	if b.filled.IsZero() {
		b.tokens = rate
	} else {
		b.tokens = min(rate, b.tokens+rate*now.Sub(b.filled).Seconds())
	}
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
