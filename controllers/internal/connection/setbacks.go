// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"sync"
	"time"
)

// SetBacks counts, for each person, how often the operator corrected a role or a concurrency group. If something at LambdaTest sets it back
// each time, such as a mapping of a group, the two would otherwise take turns for ever.
type SetBacks struct {
	mu     sync.Mutex
	byUser map[string]correction
}

type correction struct {
	fingerprint string
	count       int
	at          time.Time
}

func newSetBacks() *SetBacks { return &SetBacks{byUser: map[string]correction{}} }

// Corrected counts a correction. The fingerprint names what is desired: another one begins a new count.
func (s *SetBacks) Corrected(user, fingerprint string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byUser[user] = correction{fingerprint: fingerprint, count: s.current(user, fingerprint, now).count + 1, at: now}
}

// Next returns how many corrections were made and how long the next one has to wait. It has no next one after MaxCorrections.
func (s *SetBacks) Next(user, fingerprint string, now time.Time) (made int, wait time.Duration, none bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.current(user, fingerprint, now)
	if before.count == 0 {
		return 0, 0, false
	}
	wait = before.at.Add(refusalPauses.After(before.count)).Sub(now)
	return before.count, max(wait, 0), before.count >= MaxCorrections
}

// Forget drops the count of a person.
func (s *SetBacks) Forget(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byUser, user)
}

func (s *SetBacks) current(user, fingerprint string, now time.Time) correction {
	if known := s.byUser[user]; known.fingerprint == fingerprint && now.Sub(known.at) < setBackMemory {
		return known
	}
	return correction{}
}
