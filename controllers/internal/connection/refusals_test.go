// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"slices"
	"strconv"
	"testing"
	"time"
)

func TestRefusalsOfOneCauseCostOneTryEach(t *testing.T) {
	s, now := newHoldoffs(), time.Now()
	for i := range 10_000 {
		s.Refuse("person-"+strconv.Itoa(i), Holdoff{Fingerprint: "w", Cause: CauseConcurrencyGroup("nowhere")}, now)
	}
	tries := 0
	for elapsed := time.Duration(0); elapsed < time.Hour; elapsed += refusalTick {
		for _, place := range s.grant(now.Add(elapsed), 5) {
			tries++
			s.Refuse(place, Holdoff{Fingerprint: "w", Cause: CauseConcurrencyGroup("nowhere")}, now.Add(elapsed))
		}
	}
	if tries < 5 || tries > 7 {
		t.Errorf("10 000 people cost %d tries in the first hour, want 5 to 7", tries)
	}
}

func TestRefusalsOfTheirOwnCostAShareOfTheRate(t *testing.T) {
	s, now := newHoldoffs(), time.Now()
	for i := range 10_000 {
		place := "person-" + strconv.Itoa(i)
		s.Refuse(place, Holdoff{Fingerprint: "w", Cause: CauseOwn(place)}, now)
	}
	s.Refuse("denied", Holdoff{Fingerprint: "w", Cause: CauseOwn("denied"), Denies: true}, now)
	now = now.Add(RefusalPauseMin)
	if first := s.grant(now, 5); len(first) != 5 || !slices.Contains(first, "denied") {
		t.Errorf("granted %v, want five, with the denial among them", first)
	}
}

func TestWhatIsAcceptedAndRefusedByTurnsIsLiftedLessAndLessOften(t *testing.T) {
	s, now, name := newHoldoffs(), time.Now(), CauseConcurrencyGroup("full")
	lifted := 0
	for range 60 {
		for _, place := range []string{"ada", "grace"} {
			s.Refuse(place, Holdoff{Fingerprint: "w", Cause: name}, now)
		}
		if len(s.lift(name, now)) == 2 {
			lifted++
		}
		now = now.Add(time.Minute)
	}
	if lifted < 4 || lifted > 7 {
		t.Errorf("lifted %d times in an hour, want 4 to 7", lifted)
	}
	for _, place := range []string{"ada", "grace"} {
		s.Clear(place)
	}
	if s.grant(now.Add(2*RefusalPauseMax), 5); len(s.causes) != 0 {
		t.Errorf("%d causes are kept for nobody", len(s.causes))
	}
}
