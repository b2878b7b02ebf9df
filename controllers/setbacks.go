// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"sync"
	"time"
)

// setback is what stands in the way of one person: the last call failed, or LambdaTest refused it.
type setback struct {
	// wanted is what was tried: another wish is tried at once.
	wanted   string
	failures int
	retryAt  time.Time
	// refusedGroup and denialOnly are what LambdaTest refused of a wish whose rest goes on; see circumstances.
	refusedGroup string
	denialOnly   bool
	// situation is what people were told.
	situation situation
}

// setbacks remembers them, by folded userName.
type setbacks struct {
	mu     sync.Mutex
	byUser map[string]setback
}

func newSetbacks() *setbacks { return &setbacks{byUser: map[string]setback{}} }

// get returns the setback of a person who still wants the same.
func (s *setbacks) get(user, wanted string) (setback, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.byUser[user]
	return held, ok && held.wanted == wanted
}

// set replaces the setback of a person.
func (s *setbacks) set(user string, held setback) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byUser[user] = held
}

// clear forgets it: something went well, or something changed.
func (s *setbacks) clear(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byUser, user)
}

// forgive lets those try again whose calls failed; refusals stay.
func (s *setbacks) forgive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.byUser, func(_ string, held setback) bool { return held.failures > 0 })
}

// clearAll forgets everybody's, and so lets everybody try again.
func (s *setbacks) clearAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.byUser)
}

// partial tells whether only a part of the wish was refused.
func (h setback) partial() bool { return h.refusedGroup != "" || h.denialOnly }

// waiting tells whether the person has to wait, and until when.
func (h setback) waiting(now time.Time) bool { return now.Before(h.retryAt) }
