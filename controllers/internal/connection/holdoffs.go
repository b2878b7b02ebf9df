// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"maps"
	"sync"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// Holdoff keeps a person or a group from calling again: the last call failed, or LambdaTest refused it.
type Holdoff struct {
	// Fingerprint is what was tried; see Attempt.
	Fingerprint string
	// failures counts calls that failed, and retryAt is when the next one may be made.
	failures int
	retryAt  time.Time
	// strikes counts the first failure, and each further one before which LambdaTest had answered other calls; answered is how many calls
	// it had answered at the last one.
	strikes  int
	answered uint64
	// Cause, unless empty, is what LambdaTest refused, and due says that this place is to try it again; see refusals.go.
	Cause string
	due   bool
	// Denies says that a denial waits for this.
	Denies bool
	// RefusedGroup and DenialOnly are what LambdaTest refused of a wish whose rest goes on; see the constraints of a plan.
	RefusedGroup string
	DenialOnly   bool
	// Outcome is what the status says meanwhile.
	Outcome status.Outcome
}

// Partial tells whether only a part of the wish was refused.
func (h Holdoff) Partial() bool { return h.RefusedGroup != "" || h.DenialOnly }

// Waiting tells whether no call is made now.
func (h Holdoff) Waiting(now time.Time) bool {
	if h.Cause != "" {
		return !h.due
	}
	return now.Before(h.retryAt)
}

// outcomeAt is the outcome while no call is made. After a refusal, TryRefusals requeues the place.
func (h Holdoff) outcomeAt(now time.Time) status.Outcome {
	outcome := h.Outcome
	if h.Cause == "" {
		outcome.RetryAfter = h.retryAt.Sub(now)
	}
	return outcome
}

// Holdoffs has those of an organization, by place: people by their folded userName.
type Holdoffs struct {
	mu      sync.Mutex
	byPlace map[string]Holdoff
	causes  map[string]*cause
}

func newHoldoffs() *Holdoffs {
	return &Holdoffs{byPlace: map[string]Holdoff{}, causes: map[string]*cause{}}
}

// Get returns the holdoff of a place that still tries the same.
func (s *Holdoffs) Get(place, fingerprint string) (Holdoff, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.byPlace[place]
	return held, ok && held.Fingerprint == fingerprint
}

// History is how the calls of a place went that still tries the same.
func (s *Holdoffs) History(place, fingerprint string) lane.History {
	held, ok := s.Get(place, fingerprint)
	switch {
	case ok && held.strikes > maxStrikes:
		return lane.KeepsFailing
	case ok && held.failures > 0:
		return lane.LastFailed
	}
	return lane.NoFailure
}

// Failed notes that a call failed at that time, when LambdaTest had answered so many. It returns the outcome with the time of the next
// call: the pause grows with each failure.
func (s *Holdoffs) Failed(place, fingerprint string, answered uint64, now time.Time, bounds lane.Backoff, outcome status.Outcome) status.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.byPlace[place]
	if before.Fingerprint != fingerprint {
		before = Holdoff{}
	}
	held := Holdoff{Fingerprint: fingerprint, failures: before.failures + 1, strikes: before.strikes, answered: answered, Outcome: outcome}
	if before.strikes == 0 || answered > before.answered {
		held.strikes++
	}
	outcome.RetryAfter = bounds.After(held.failures)
	held.retryAt = now.Add(outcome.RetryAfter)
	s.leave(place)
	s.byPlace[place] = held
	return outcome
}

// Clear forgets the holdoff of a place: a call succeeded, or something changed.
func (s *Holdoffs) Clear(place string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(place)
	delete(s.byPlace, place)
}

// ClearAll forgets all holdoffs.
func (s *Holdoffs) ClearAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.byPlace)
	clear(s.causes)
}

// forgiveOutage ends all pauses after failures. Refusals stay, and so do strikes: places whose calls always fail would otherwise take all
// calls after each outage, and so look like the next outage.
func (s *Holdoffs) forgiveOutage() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for place, held := range s.byPlace {
		if held.strikes > 0 {
			s.byPlace[place] = Holdoff{Fingerprint: held.Fingerprint, strikes: held.strikes, answered: held.answered}
		}
	}
}

// forgiveAll forgets all failures; refusals stay.
func (s *Holdoffs) forgiveAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.byPlace, func(_ string, held Holdoff) bool { return held.strikes > 0 })
}
