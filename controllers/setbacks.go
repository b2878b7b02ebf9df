// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"sync"
	"time"
)

// history is how the last calls for a person or group went.
type history uint8

const (
	// noFailure: the last call did not fail, or its failure is forgiven.
	noFailure history = iota
	// lastFailed: the last call failed, perhaps because LambdaTest answered nobody.
	lastFailed
	// keepsFailing: calls fail again and again while LambdaTest answers others.
	keepsFailing
)

// setback is what stands in the way of one person or group: the last call failed, or LambdaTest refused it.
type setback struct {
	// wanted is what was tried: another wish is tried at once.
	wanted string
	// failures counts calls that failed, and retryAt is when the next one may be made.
	failures int
	// strikes counts the first failure, and each further one before which LambdaTest had answered other calls; answered is how many calls
	// it had answered at the last one.
	strikes  int
	answered uint64
	retryAt  time.Time
	// cause, unless empty, is what LambdaTest refused, and due that this one is to try it again; see refusals.go.
	cause string
	due   bool
	// denies says that a denial waits for this.
	denies bool
	// refusedGroup and denialOnly are what LambdaTest refused of a wish whose rest goes on; see circumstances.
	refusedGroup string
	denialOnly   bool
	// situation is what people were told.
	situation situation
}

// setbacks remembers them, by place: people by their folded userName.
type setbacks struct {
	mu      sync.Mutex
	byPlace map[string]setback
	causes  map[string]*cause
}

func newSetbacks() *setbacks {
	return &setbacks{byPlace: map[string]setback{}, causes: map[string]*cause{}}
}

// get returns the setback of those who still want the same.
func (s *setbacks) get(place, wanted string) (setback, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.byPlace[place]
	return held, ok && held.wanted == wanted
}

// history is how the calls went for those who still want the same.
func (s *setbacks) history(place, wanted string) history {
	held, ok := s.get(place, wanted)
	switch {
	case ok && held.strikes > maxStrikes:
		return keepsFailing
	case ok && held.failures > 0:
		return lastFailed
	}
	return noFailure
}

// failed notes that a call failed at that time, when LambdaTest had answered so many. It returns what to tell, and when to try again:
// the wait grows with each failure.
func (s *setbacks) failed(place, wanted string, answered uint64, now time.Time, bounds backoff, told situation) situation {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.byPlace[place]
	if before.wanted != wanted {
		before = setback{}
	}
	held := setback{wanted: wanted, failures: before.failures + 1, strikes: before.strikes, answered: answered, situation: told}
	if before.strikes == 0 || answered > before.answered {
		held.strikes++
	}
	told.retryAfter = bounds.after(held.failures)
	held.retryAt = now.Add(told.retryAfter)
	s.leave(place)
	s.byPlace[place] = held
	return told
}

// clear forgets it: something went well, or something changed.
func (s *setbacks) clear(place string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(place)
	delete(s.byPlace, place)
}

// forgiveOutage lets those try again at once whose calls failed. Refusals stay, and so do strikes: people whose calls always fail would
// otherwise take all calls after each outage, and so look like the next one.
func (s *setbacks) forgiveOutage() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for place, held := range s.byPlace {
		if held.strikes > 0 {
			s.byPlace[place] = setback{wanted: held.wanted, strikes: held.strikes, answered: held.answered}
		}
	}
}

// forgiveAll forgets all failures; refusals stay.
func (s *setbacks) forgiveAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.byPlace, func(_ string, held setback) bool { return held.strikes > 0 })
}

// clearAll forgets everybody's, and so lets everybody try again.
func (s *setbacks) clearAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.byPlace)
	clear(s.causes)
}

// partial tells whether only a part of the wish was refused.
func (h setback) partial() bool { return h.refusedGroup != "" || h.denialOnly }

// waiting tells whether nothing is tried now.
func (h setback) waiting(now time.Time) bool {
	if h.cause != "" {
		return !h.due
	}
	return now.Before(h.retryAt)
}

// told is what to tell meanwhile. Who is refused is woken; see connection.tryRefusals.
func (h setback) told(now time.Time) situation {
	told := h.situation
	if h.cause == "" {
		told.retryAfter = h.retryAt.Sub(now)
	}
	return told
}
