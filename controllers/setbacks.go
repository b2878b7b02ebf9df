// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"sync"
	"time"
)

// setback is what stands in the way of one person or group: the last call failed, or LambdaTest refused it.
type setback struct {
	// wanted is what was tried: another wish is tried at once.
	wanted string
	// failures counts calls that failed, and retryAt is when the next one may be made.
	failures int
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

// fail remembers that a call failed.
func (s *setbacks) fail(place string, held setback) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(place)
	s.byPlace[place] = held
}

// clear forgets it: something went well, or something changed.
func (s *setbacks) clear(place string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(place)
	delete(s.byPlace, place)
}

// forgive lets those try again whose calls failed; refusals stay.
func (s *setbacks) forgive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.byPlace, func(_ string, held setback) bool { return held.failures > 0 })
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
