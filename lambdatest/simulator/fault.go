// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Kind is the kind of a fault.
type Kind string

// The kinds of faults. At most one applies to a call, and any number of Slow.
const (
	// Refuse: the call is not carried out, and is answered with a status.
	Refuse Kind = "refuse"
	// Drop: the call is not carried out, and the connection is cut.
	Drop Kind = "drop"
	// Intercept: the call is not carried out, and is answered as by a proxy: 200 with HTML.
	Intercept Kind = "intercept"
	// Lose: the call is carried out, but the connection is cut before the answer.
	Lose Kind = "lose"
	// Garble: the call is carried out, but the answer is unreadable.
	Garble Kind = "garble"
	// Slow: the call takes longer.
	Slow Kind = "slow"
	// Abandoned marks a recorded call whose caller gave up before it was carried out.
	Abandoned Kind = "abandoned"

	// hold: the call waits for a Hold, which is not available over HTTP.
	hold Kind = "hold"
)

// garbage is an answer as from a proxy or a captive portal.
const garbage = "<!DOCTYPE html><html><body><h1>Something went wrong</h1></body></html>"

// Fault is something that will go wrong.
type Fault struct {
	Kind Kind `json:"kind"`
	// Call is the route that it applies to, as in "PATCH /Users/{id}"; empty means all.
	Call string `json:"call,omitempty"`
	// Times is the number of calls that it applies to; 0 means all, until ClearFaults.
	Times int `json:"times,omitempty"`
	// Probability is the probability that it applies to a call; 0 means 1. See Seed.
	Probability float64 `json:"probability,omitempty"`
	// Status is the status of Refuse, Intercept and Garble; for the last two, 0 means 200.
	Status int `json:"status,omitempty"`
	// RetryAfter is the value of the header, sent unchanged.
	RetryAfter string `json:"retryAfter,omitempty"`
	// Body replaces the body of the answer; it may be anything.
	Body string `json:"body,omitempty"`
	// Delay is the delay of Slow, in addition to the latency.
	Delay Duration `json:"delay,omitempty"`

	hold *Hold
}

// FaultOption changes a fault: which calls it applies to, or what is answered.
type FaultOption func(*Fault)

// On limits a fault to calls of one route, as in "PATCH /Users/{id}".
func On(call string) FaultOption { return func(f *Fault) { f.Call = call } }

// Times lets a fault apply to n calls.
func Times(n int) FaultOption { return func(f *Fault) { f.Times = n } }

// Always lets a fault apply to every call until ClearFaults.
func Always() FaultOption { return Times(0) }

// Probability lets a fault apply to a call with probability p.
func Probability(p float64) FaultOption { return func(f *Fault) { f.Probability = p } }

// Body sets the body of the answer.
func Body(body string) FaultOption { return func(f *Fault) { f.Body = body } }

// RetryAfter asks to come back after d, in whole seconds.
func RetryAfter(d time.Duration) FaultOption {
	return RetryAfterHeader(strconv.Itoa(int(d / time.Second)))
}

// RetryAt asks to come back at t, as a date.
func RetryAt(t time.Time) FaultOption {
	return RetryAfterHeader(t.UTC().Format(http.TimeFormat))
}

// RetryAfterHeader sends that value in the header, unchanged.
func RetryAfterHeader(value string) FaultOption { return func(f *Fault) { f.RetryAfter = value } }

// FailNext refuses the next call with status.
func (o *Org) FailNext(status int, options ...FaultOption) {
	o.Inject(Fault{Kind: Refuse, Status: status, Times: 1}, options...)
}

// Fail refuses calls with status until ClearFaults.
func (o *Org) Fail(status int, options ...FaultOption) {
	o.Inject(Fault{Kind: Refuse, Status: status}, options...)
}

// DropNext cuts the connection of the next call, which is not carried out.
func (o *Org) DropNext(options ...FaultOption) {
	o.Inject(Fault{Kind: Drop, Times: 1}, options...)
}

// InterceptNext answers the next call as a proxy would. The call is not carried out.
func (o *Org) InterceptNext(options ...FaultOption) {
	o.Inject(Fault{Kind: Intercept, Times: 1}, options...)
}

// LoseNextAnswer carries out the next call, and cuts the connection instead of answering.
func (o *Org) LoseNextAnswer(options ...FaultOption) {
	o.Inject(Fault{Kind: Lose, Times: 1}, options...)
}

// GarbleNextAnswer carries out the next call, and answers it with HTML or with Body.
func (o *Org) GarbleNextAnswer(options ...FaultOption) {
	o.Inject(Fault{Kind: Garble, Times: 1}, options...)
}

// SlowNext delays the next call by d.
func (o *Org) SlowNext(d time.Duration, options ...FaultOption) {
	o.Inject(Fault{Kind: Slow, Delay: Duration(d), Times: 1}, options...)
}

// Inject arms a fault. If several fit a call, the one armed first applies. Inject
// panics if the fault can never apply: a test would pass without testing anything.
func (o *Org) Inject(fault Fault, options ...FaultOption) {
	for _, option := range options {
		option(&fault)
	}
	if err := fault.check(); err != nil {
		panic(fmt.Errorf("simulator: %w", err))
	}
	o.arm(&armed{Fault: fault})
}

// check refuses a fault that can never apply, or has no effect.
func (f Fault) check() error {
	kinds := []Kind{Refuse, Drop, Intercept, Lose, Garble, Slow, hold}
	switch {
	case !slices.Contains(kinds, f.Kind):
		return invalidValue(fmt.Sprintf("there is no fault of kind %q", f.Kind))
	case f.Call != "" && calls[f.Call] == nil:
		return invalidValue(fmt.Sprintf("there is no call %q", f.Call))
	case f.Kind == Refuse && f.Status < 200, f.Status > 599, f.Status < 0:
		return invalidValue(fmt.Sprintf("%d is not a status that can be answered", f.Status))
	case f.Times < 0 || f.Probability < 0 || f.Probability > 1:
		return invalidValue("times or probability is out of range")
	}
	return nil
}

// ClearFaults disarms all faults that have not been used up. Held calls stay held,
// and switches stay unchanged.
func (o *Org) ClearFaults() {
	o.world.Lock()
	defer o.world.Unlock()
	o.faults = nil
}

// armed is a fault and how often it still applies.
type armed struct {
	Fault
	met int
}

func (o *Org) arm(a *armed) {
	o.world.Lock()
	defer o.world.Unlock()
	o.faults = append(o.faults, a)
}

// meets reports whether the fault applies to this call, and counts the call if so.
func (a *armed) meets(o *Org, route string) bool {
	if a.Call != "" && a.Call != route {
		return false
	}
	if a.Probability > 0 && o.random.Float64() >= a.Probability {
		return false
	}
	a.met++
	return true
}

func (a *armed) spent() bool {
	return a.Times > 0 && a.met >= a.Times
}

// disarmSpent removes faults that are used up.
func (o *Org) disarmSpent() {
	o.faults = slices.DeleteFunc(o.faults, (*armed).spent)
}
