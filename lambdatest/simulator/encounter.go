// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"net/http"
	"time"
)

// encounter is the set of faults that apply to one call.
type encounter struct {
	delay time.Duration
	holds []*Hold
	fault *Fault // at most one; nil when the call goes well
}

// encounter chooses the faults that apply to a call. Other faults stay armed.
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

// wait delays the call; it returns false when the caller gave up.
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

// instead is the answer of a call that is not carried out.
func (e encounter) instead(o *Org) (reply, bool) {
	switch e.kind() {
	case Drop:
		return reply{cut: true}, true
	case Intercept:
		return e.unreadable(), true
	case Refuse:
		out := reply{status: e.fault.Status, raw: e.fault.Body}
		if e.fault.Body == "" {
			out = o.refusal(&problem{status: e.fault.Status, detail: "the simulator is configured to refuse this call"})
		}
		out.retryAfter = e.fault.RetryAfter
		if o.switches.HideRetryAfter {
			out.retryAfter = ""
		}
		return out, true
	}
	return reply{}, false
}

// spoil changes the answer of a call that was carried out.
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

// Hold stops a call before it is carried out, until Release.
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

// Arrived returns a channel that receives when the call has arrived.
func (h *Hold) Arrived() <-chan struct{} {
	return h.arrived
}

// Release lets the call continue. It may be called more than once.
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
