// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// kind is the kind of a fault.
type kind string

const (
	killReplica      kind = "kill replica"
	pauseReplica     kind = "pause replica"
	rollingRestart   kind = "rolling restart"
	restartAPIServer kind = "restart kube-apiserver"
	restartEtcd      kind = "restart etcd"
	pauseEtcd        kind = "pause etcd"

	slowLink   kind = "slow link"
	cutLink    kind = "cut link"
	freezeLink kind = "half-open link"

	upstreamBusy     kind = "LambdaTest answers 429"
	upstreamFails    kind = "LambdaTest answers 5xx"
	upstreamGarbles  kind = "LambdaTest answers garbage"
	upstreamLoses    kind = "LambdaTest's answers are lost"
	upstreamDrops    kind = "LambdaTest drops connections"
	upstreamSlow     kind = "LambdaTest is slow"
	upstreamTruncate kind = "LambdaTest's lists end early"
	upstreamShuffle  kind = "LambdaTest's lists are shuffled"

	rotateSCIMToken     kind = "rotate SCIM token"
	rotateUpstreamToken kind = "rotate LambdaTest's token"

	hiringWave kind = "hiring wave"
	prune      kind = "prune"
)

// event is one fault of the schedule.
type event struct {
	At    moment
	Kind  kind
	Lasts time.Duration
	// Target says which of the replicas, links or organizations, modulo their number.
	Target int
}

// lane is a sequence of events of related kinds. Kinds are dealt from a deck, so that each has its share in any run.
type lane struct {
	deck     []kind
	first    time.Duration
	interval time.Duration // between two begins, give or take a third
	lasts    [2]time.Duration
	targets  int
}

// The paces: 20 kills and five restarts of the control plane in ten minutes, and always something else. A pause outlasts the lease.
func lanes() []lane {
	seconds := func(from, to float64) [2]time.Duration {
		return [2]time.Duration{time.Duration(from * float64(time.Second)), time.Duration(to * float64(time.Second))}
	}
	return []lane{
		{
			deck:  []kind{killReplica, killReplica, killReplica, pauseReplica, killReplica, killReplica, killReplica, rollingRestart},
			first: 5 * time.Second, interval: 18 * time.Second, lasts: seconds(17, 22), targets: replicas,
		},
		{
			deck:  []kind{restartAPIServer, restartEtcd, pauseEtcd, restartAPIServer, restartEtcd},
			first: 20 * time.Second, interval: 60 * time.Second, lasts: seconds(2, 5),
		},
		{
			deck:  []kind{slowLink, cutLink, freezeLink},
			first: 3 * time.Second, interval: 12 * time.Second, lasts: seconds(1, 8), targets: 1 << 16,
		},
		{
			deck: []kind{
				upstreamBusy, upstreamFails, upstreamGarbles, upstreamLoses, upstreamDrops, upstreamSlow, upstreamTruncate, upstreamShuffle,
				upstreamLoses, upstreamFails,
			},
			first: 8 * time.Second, interval: 11 * time.Second, lasts: seconds(2, 7), targets: 1 << 16,
		},
		{
			deck:  []kind{rotateSCIMToken, rotateUpstreamToken},
			first: 15 * time.Second, interval: 35 * time.Second, lasts: seconds(0.5, 3), targets: 1 << 16,
		},
		{
			deck:  []kind{hiringWave},
			first: 25 * time.Second, interval: 70 * time.Second, targets: 1 << 16,
		},
	}
}

// quietEnd is how long before the end the last event begins, at the latest.
const quietEnd = 5 * time.Second

// newSchedule makes a schedule. The same seed and duration give the same schedule.
func newSchedule(seed uint64, duration time.Duration) []event {
	random := rand.New(rand.NewPCG(seed, 0))
	var schedule []event
	for _, l := range lanes() {
		schedule = append(schedule, l.deal(random, duration)...)
	}
	schedule = append(schedule, event{At: duration / 2, Kind: prune})
	slices.SortStableFunc(schedule, func(a, b event) int { return cmp.Compare(a.At, b.At) })
	return schedule
}

func (l lane) deal(random *rand.Rand, duration time.Duration) []event {
	var events []event
	var deck []kind
	for at := spread(random, l.first); at < duration-quietEnd; at += spread(random, l.interval) {
		if len(deck) == 0 {
			deck = slices.Clone(l.deck)
			random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		}
		lasts := l.lasts[0] + time.Duration(random.Int64N(int64(l.lasts[1]-l.lasts[0])+1))
		events = append(events, event{At: at, Kind: deck[0], Lasts: lasts, Target: random.IntN(max(1, l.targets))})
		deck = deck[1:]
	}
	return events
}

// spread varies a time by a third either way.
func spread(random *rand.Rand, d time.Duration) time.Duration {
	return d*2/3 + time.Duration(random.Int64N(int64(d*2/3)+1))
}
