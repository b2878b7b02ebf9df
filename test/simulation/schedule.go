// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/schedule"
)

// Event is something that a storm does. All events are drawn before the run, so that a failing schedule can be shortened.
type Event = schedule.Event

// anyTarget is how many targets there are: an event takes its own modulo the number of replicas or organizations.
const anyTarget = 1 << 16

// lanes are the events of a storm: one every 15 to 20 seconds.
func lanes() []schedule.Lane {
	return []schedule.Lane{
		lane(25*time.Second, 0, 0,
			providerAsks, providerAsks, providerAsks, providerAsks, providerAsks, providerAsks, gitApplies, gitApplies, editorEdits, intruderIntrudes),
		lane(5*time.Minute, time.Second, 2*time.Minute,
			crashReplica, crashLeader, vanishLeader, stopReplica, crashLeader, rollingUpdate, vanishReplica, crashWriter),
		lane(3*time.Minute, time.Second, 80*time.Second,
			slowLink, cutLink, deafLink, muteLink, silentLink, resetLink),
		lane(4*time.Minute, 5*time.Second, 2*time.Minute,
			apiConflicts, apiTooMany, apiErrors, apiTimeouts, apiLosesAnswers, apiSlow, watchesCut, watchesSlow, apiCompacts),
		lane(25*time.Minute, 2*time.Second, 4*time.Minute,
			apiAway, apiSilent, apiAway),
		lane(4*time.Minute, 5*time.Second, 2*time.Minute,
			upstreamBusy, upstreamFails, upstreamGarbles, upstreamLoses, upstreamDrops, upstreamSlow, upstreamTruncates, upstreamShuffles, upstreamLoses),
		lane(90*time.Minute, time.Minute, 40*time.Minute,
			upstreamAway),
		lane(20*time.Minute, time.Second, 2*time.Minute,
			rotateSCIM, rotateUpstream),
		lane(20*time.Minute, 0, 0,
			layOff, guardApprove, layOff, guardReject),
	}
}

func lane(every, shortest, longest time.Duration, deck ...schedule.Kind) schedule.Lane {
	return schedule.Lane{Deck: deck, First: every / 2, Interval: every, Lasts: [2]time.Duration{shortest, longest}, Targets: anyTarget}
}

// NewSchedule draws the events of a storm. The same seed and duration give the same schedule.
func NewSchedule(seed uint64, duration time.Duration) []Event {
	wave := rand.New(rand.NewPCG(seed, 1)).IntN(anyTarget)
	return schedule.New(seed, duration, lanes(),
		Event{At: duration / 3, Kind: hiringWave, Target: wave}, Event{At: duration / 2, Kind: pruneByMistake})
}

// readSchedule reads a schedule from a file that a failure wrote.
func readSchedule(path string) ([]Event, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var events []Event
	if err := json.Unmarshal(content, &events); err != nil {
		return nil, fmt.Errorf("reading the schedule %s: %w", path, err)
	}
	return events, nil
}
