// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is the kind of a fault.
type Kind string

// Event is one fault of a schedule.
type Event struct {
	At    time.Duration `json:"at"`
	Kind  Kind          `json:"kind"`
	Lasts time.Duration `json:"lasts,omitempty"`
	// Target says which of the replicas, links or organizations, modulo their number.
	Target int `json:"target,omitempty"`
}

// Lane is a sequence of events of related kinds. Kinds are dealt from a deck, so that each has its share in any run.
type Lane struct {
	Deck  []Kind
	First time.Duration
	// Interval is the time between two begins, give or take a third.
	Interval time.Duration
	// Lasts are the shortest and the longest time that an event takes.
	Lasts   [2]time.Duration
	Targets int
}

// Seconds are the Lasts of a lane.
func Seconds(from, to float64) [2]time.Duration {
	return [2]time.Duration{time.Duration(from * float64(time.Second)), time.Duration(to * float64(time.Second))}
}

// quietEnd is how long before the end the last event begins, at the latest.
const quietEnd = 5 * time.Second

// New makes a schedule of all lanes and some single events, in the order of time. The same arguments give the same schedule.
func New(seed uint64, duration time.Duration, lanes []Lane, single ...Event) []Event {
	random := rand.New(rand.NewPCG(seed, 0))
	var events []Event
	for _, l := range lanes {
		events = append(events, l.deal(random, duration)...)
	}
	events = append(events, single...)
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	return events
}

func (l Lane) deal(random *rand.Rand, duration time.Duration) []Event {
	var events []Event
	var deck []Kind
	for at := spread(random, l.First); at < duration-quietEnd; at += spread(random, l.Interval) {
		if len(deck) == 0 {
			deck = slices.Clone(l.Deck)
			random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		}
		lasts := l.Lasts[0] + time.Duration(random.Int64N(int64(l.Lasts[1]-l.Lasts[0])+1))
		events = append(events, Event{At: at, Kind: deck[0], Lasts: lasts, Target: random.IntN(max(1, l.Targets))})
		deck = deck[1:]
	}
	return events
}

// spread varies a time by a third either way.
func spread(random *rand.Rand, d time.Duration) time.Duration {
	return d*2/3 + time.Duration(random.Int64N(int64(d*2/3)+1))
}
