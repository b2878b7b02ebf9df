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

// Holdoff is what stands in the way of one person or group: the last call failed, or LambdaTest refused it.
type Holdoff struct {
	// Fingerprint is what was tried: another wish is tried at once.
	Fingerprint string
	// failures counts calls that failed, and retryAt is when the next one may be made.
	failures int
	// strikes counts the first failure, and each further one before which LambdaTest had answered other calls; answered is how many calls
	// it had answered at the last one.
	strikes  int
	answered uint64
	retryAt  time.Time
	// Cause, unless empty, is what LambdaTest refused, and due that this one is to try it again; see refusals.go.
	Cause string
	due   bool
	// Denies says that a denial waits for this.
	Denies bool
	// RefusedGroup and DenialOnly are what LambdaTest refused of a wish whose rest goes on; see the constraints of a plan.
	RefusedGroup string
	DenialOnly   bool
	// Outcome is what people were told.
	Outcome status.Outcome
}

// Holdoffs remembers them, by place: people by their folded userName.
type Holdoffs struct {
	mu      sync.Mutex
	byPlace map[string]Holdoff
	causes  map[string]*cause
}

func newHoldoffs() *Holdoffs {
	return &Holdoffs{byPlace: map[string]Holdoff{}, causes: map[string]*cause{}}
}

// Get returns the setback of those who still want the same.
func (s *Holdoffs) Get(place, wanted string) (Holdoff, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.byPlace[place]
	return held, ok && held.Fingerprint == wanted
}

// History is how the calls went for those who still want the same.
func (s *Holdoffs) History(place, wanted string) lane.History {
	held, ok := s.Get(place, wanted)
	switch {
	case ok && held.strikes > maxStrikes:
		return lane.KeepsFailing
	case ok && held.failures > 0:
		return lane.LastFailed
	}
	return lane.NoFailure
}

// Failed notes that a call failed at that time, when LambdaTest had answered so many. It returns what to tell, and when to try again:
// the wait grows with each failure.
func (s *Holdoffs) Failed(place, wanted string, answered uint64, now time.Time, bounds lane.Backoff, told status.Outcome) status.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.byPlace[place]
	if before.Fingerprint != wanted {
		before = Holdoff{}
	}
	held := Holdoff{Fingerprint: wanted, failures: before.failures + 1, strikes: before.strikes, answered: answered, Outcome: told}
	if before.strikes == 0 || answered > before.answered {
		held.strikes++
	}
	told.RetryAfter = bounds.After(held.failures)
	held.retryAt = now.Add(told.RetryAfter)
	s.leave(place)
	s.byPlace[place] = held
	return told
}

// Clear forgets it: something went well, or something changed.
func (s *Holdoffs) Clear(place string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(place)
	delete(s.byPlace, place)
}

// forgiveOutage lets those try again at once whose calls failed. Refusals stay, and so do strikes: people whose calls always fail would
// otherwise take all calls after each outage, and so look like the next one.
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

// ClearAll forgets everybody's, and so lets everybody try again.
func (s *Holdoffs) ClearAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.byPlace)
	clear(s.causes)
}

// Partial tells whether only a part of the wish was refused.
func (h Holdoff) Partial() bool { return h.RefusedGroup != "" || h.DenialOnly }

// Waiting tells whether nothing is tried now.
func (h Holdoff) Waiting(now time.Time) bool {
	if h.Cause != "" {
		return !h.due
	}
	return now.Before(h.retryAt)
}

// OutcomeNow is what to tell meanwhile. Who is refused is woken; see connection.TryRefusals.
func (h Holdoff) OutcomeNow(now time.Time) status.Outcome {
	told := h.Outcome
	if h.Cause == "" {
		told.RetryAfter = h.retryAt.Sub(now)
	}
	return told
}
