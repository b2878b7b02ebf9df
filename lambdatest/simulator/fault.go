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

// Kind is what a fault does to a call.
type Kind string

// The kinds of faults; a call meets at most one of them, and any number of Slow.
const (
	// Refuse: not done, answered with a status.
	Refuse Kind = "refuse"
	// Drop: not done, the connection is cut.
	Drop Kind = "drop"
	// Intercept: not done, somebody in between answers 200 with HTML.
	Intercept Kind = "intercept"
	// Lose: done, but the connection is cut before the answer.
	Lose Kind = "lose"
	// Garble: done, but the answer is unreadable.
	Garble Kind = "garble"
	// Slow: takes longer.
	Slow Kind = "slow"
	// Abandoned marks a call on record whose caller gave up before it was done.
	Abandoned Kind = "abandoned"

	// hold: waits for a Hold, which HTTP cannot give.
	hold Kind = "hold"
)

// garbage is what a proxy or a captive portal would say.
const garbage = "<!DOCTYPE html><html><body><h1>Something went wrong</h1></body></html>"

// Fault is something that will go wrong.
type Fault struct {
	Kind Kind `json:"kind"`
	// Call is which calls it meets, as in "PATCH /Users/{id}"; empty is every one.
	Call string `json:"call,omitempty"`
	// Times is how many calls it meets; 0 is every one, until ClearFaults.
	Times int `json:"times,omitempty"`
	// Probability that a call meets it; 0 counts as 1. See Seed.
	Probability float64 `json:"probability,omitempty"`
	// Status of Refuse; also of Intercept and Garble, where 0 is 200.
	Status int `json:"status,omitempty"`
	// RetryAfter is the header's value as it is.
	RetryAfter string `json:"retryAfter,omitempty"`
	// Body replaces what would be answered; it may be anything.
	Body string `json:"body,omitempty"`
	// Delay is how long Slow takes, on top of the latency.
	Delay Duration `json:"delay,omitempty"`

	hold *Hold
}

// FaultOption narrows or dresses a fault.
type FaultOption func(*Fault)

// On limits a fault to calls of one route, as in "PATCH /Users/{id}".
func On(call string) FaultOption { return func(f *Fault) { f.Call = call } }

// Times lets a fault meet n calls.
func Times(n int) FaultOption { return func(f *Fault) { f.Times = n } }

// Always lets a fault meet every call until ClearFaults.
func Always() FaultOption { return Times(0) }

// Probability lets a fault meet a call with probability p.
func Probability(p float64) FaultOption { return func(f *Fault) { f.Probability = p } }

// Body sets what is answered.
func Body(body string) FaultOption { return func(f *Fault) { f.Body = body } }

// RetryAfter asks to come back after d, in whole seconds.
func RetryAfter(d time.Duration) FaultOption {
	return RetryAfterHeader(strconv.Itoa(int(d / time.Second)))
}

// RetryAt asks to come back at t, as a date.
func RetryAt(t time.Time) FaultOption {
	return RetryAfterHeader(t.UTC().Format(http.TimeFormat))
}

// RetryAfterHeader sends that header as it is.
func RetryAfterHeader(value string) FaultOption { return func(f *Fault) { f.RetryAfter = value } }

// FailNext refuses the next call with status.
func (o *Org) FailNext(status int, options ...FaultOption) {
	o.Inject(Fault{Kind: Refuse, Status: status, Times: 1}, options...)
}

// Fail refuses calls with status until ClearFaults.
func (o *Org) Fail(status int, options ...FaultOption) {
	o.Inject(Fault{Kind: Refuse, Status: status}, options...)
}

// DropNext cuts the connection of the next call, which is not done.
func (o *Org) DropNext(options ...FaultOption) {
	o.Inject(Fault{Kind: Drop, Times: 1}, options...)
}

// InterceptNext lets somebody in between answer the next call, which is not done.
func (o *Org) InterceptNext(options ...FaultOption) {
	o.Inject(Fault{Kind: Intercept, Times: 1}, options...)
}

// LoseNextAnswer does the next call and cuts the connection instead of answering.
func (o *Org) LoseNextAnswer(options ...FaultOption) {
	o.Inject(Fault{Kind: Lose, Times: 1}, options...)
}

// GarbleNextAnswer does the next call and answers it with HTML, or with Body.
func (o *Org) GarbleNextAnswer(options ...FaultOption) {
	o.Inject(Fault{Kind: Garble, Times: 1}, options...)
}

// SlowNext lets the next call take d longer.
func (o *Org) SlowNext(d time.Duration, options ...FaultOption) {
	o.Inject(Fault{Kind: Slow, Delay: Duration(d), Times: 1}, options...)
}

// Inject arms a fault. Of those that fit a call, the one armed first meets it.
// It panics when the fault could meet nothing: a test would pass for nothing.
func (o *Org) Inject(fault Fault, options ...FaultOption) {
	for _, option := range options {
		option(&fault)
	}
	if err := fault.check(); err != nil {
		panic(fmt.Errorf("simulator: %w", err))
	}
	o.arm(&armed{Fault: fault})
}

// check refuses a fault that would meet no call, or do nothing to it.
func (f Fault) check() error {
	kinds := []Kind{Refuse, Drop, Intercept, Lose, Garble, Slow, hold}
	switch {
	case !slices.Contains(kinds, f.Kind):
		return invalidValue(fmt.Sprintf("there is no fault of kind %q", f.Kind))
	case f.Call != "" && calls[f.Call] == nil:
		return invalidValue(fmt.Sprintf("there is no call %q", f.Call))
	case f.Kind == Refuse && f.Status < 200, f.Status > 599, f.Status < 0:
		return invalidValue(fmt.Sprintf("nothing is answered with status %d", f.Status))
	case f.Times < 0 || f.Probability < 0 || f.Probability > 1:
		return invalidValue("times or probability is out of range")
	}
	return nil
}

// ClearFaults disarms everything that has not met its calls yet. Calls that are
// held stay so, and switches stay as they are.
func (o *Org) ClearFaults() {
	o.world.Lock()
	defer o.world.Unlock()
	o.faults = nil
}

// armed is a fault and what is left of it.
type armed struct {
	Fault
	met int
}

func (o *Org) arm(a *armed) {
	o.world.Lock()
	defer o.world.Unlock()
	o.faults = append(o.faults, a)
}

// meets says whether the fault meets this call, and counts it if so.
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

// disarmSpent forgets what has met all its calls.
func (o *Org) disarmSpent() {
	o.faults = slices.DeleteFunc(o.faults, (*armed).spent)
}
