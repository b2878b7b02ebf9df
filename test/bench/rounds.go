// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// pace is how the two arms of a round take turns.
type pace struct {
	turn  time.Duration // of either arm
	turns int           // of each arm, in a round
}

var (
	// reading changes arms often: a machine that is shared with others is faster and slower from one second to the next, which then hits
	// both arms alike.
	reading = pace{turn: 250 * time.Millisecond, turns: 10}
	// writing does not: the end of a turn, when the leader finishes, must be a small part of it.
	writing = pace{turn: 8 * time.Second, turns: 1}
)

const (
	// warmTime fills caches and opens connections.
	warmTime = time.Second
	// fullRounds is how often each arm has its turn.
	fullRounds = 11
)

// call does the thing that is measured, once.
type call func(ctx context.Context) error

// tally is what the turns of one arm in a round came to.
type tally struct {
	calls int
	// took ends when the leader has finished the work that the calls caused. With 32 clients it is seconds behind, and less with slower
	// clients: otherwise an arm that leaves more work for later would look faster.
	took      time.Duration
	latencies []time.Duration // sorted
	// cpu is what the replica that is measured used meanwhile.
	cpu time.Duration
}

// add takes another turn of the same arm in.
func (t *tally) add(other tally) {
	t.calls += other.calls
	t.took += other.took
	t.cpu += other.cpu
	t.latencies = append(t.latencies, other.latencies...)
	slices.Sort(t.latencies)
}

func (t tally) rate() float64 { return float64(t.calls) / t.took.Seconds() }

// cpuPerCall is in microseconds.
func (t tally) cpuPerCall() float64 { return float64(t.cpu.Microseconds()) / float64(t.calls) }

// at is a quantile of the latencies.
func (t tally) at(quantile float64) time.Duration {
	if len(t.latencies) == 0 {
		return 0
	}
	return t.latencies[min(int(quantile*float64(len(t.latencies))), len(t.latencies)-1)]
}

// load runs that many clients for that time; each makes one call after the other, and finishes its last call.
func load(ctx context.Context, clients int, length time.Duration, do call) (tally, error) {
	latencies := make([][]time.Duration, clients)
	started := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for client := range clients {
		group.Go(func() error {
			for begun := time.Now(); begun.Sub(started) < length; {
				if err := do(ctx); err != nil {
					return err
				}
				ended := time.Now()
				latencies[client] = append(latencies[client], ended.Sub(begun))
				begun = ended
			}
			return nil
		})
	}
	err := group.Wait()
	all := slices.Concat(latencies...)
	slices.Sort(all)
	return tally{calls: len(all), latencies: all}, err
}

// pair are a round of the baseline and one of the subject, next to each other.
type pair struct{ baseline, subject tally }

// arm is one of the two in a round, and where its turns are added up.
type arm struct {
	do   call
	into *tally
}

func milliseconds(d time.Duration) float64 { return 1000 * d.Seconds() }

func rateRatio(p pair) float64 { return p.subject.rate() / p.baseline.rate() }
func p99Ratio(p pair) float64  { return p.subject.at(0.99).Seconds() / p.baseline.at(0.99).Seconds() }

// addedCPU is what the subject costs the replica, without what it does anyway when its cache follows the calls of the baseline.
func addedCPU(p pair) float64 { return p.subject.cpuPerCall() - p.baseline.cpuPerCall() }

// alternate warms both arms, then gives each its turns in each round, and the first turn to the one and the other.
func (d *desk) alternate(ctx context.Context, clients int, pace pace, baseline, subject call) ([]pair, error) {
	for _, arm := range []call{baseline, subject} {
		if _, err := d.measure(ctx, clients, warmTime, arm); err != nil {
			return nil, err
		}
	}
	pairs := make([]pair, d.run.rounds(fullRounds))
	for i := range pairs {
		arms := []arm{{baseline, &pairs[i].baseline}, {subject, &pairs[i].subject}}
		if i%2 == 1 {
			slices.Reverse(arms)
		}
		for range pace.turns {
			for _, arm := range arms {
				measured, err := d.measure(ctx, clients, pace.turn, arm.do)
				if err != nil {
					return nil, err
				}
				arm.into.add(measured)
			}
			slices.Reverse(arms)
		}
	}
	return pairs, nil
}

// measure is one turn of one arm. The leader has nothing left to do when it returns.
func (d *desk) measure(ctx context.Context, clients int, length time.Duration, do call) (tally, error) {
	before, err := cpuTime(d.pid)
	if err != nil {
		return tally{}, err
	}
	started := time.Now()
	measured, err := load(ctx, clients, length, do)
	if err != nil {
		return tally{}, err
	}
	if err := d.quiet(ctx); err != nil {
		return tally{}, err
	}
	measured.took = time.Since(started)
	after, err := cpuTime(d.pid)
	measured.cpu = after - before
	return measured, err
}

func each[T any](items []T, value func(T) float64) []float64 {
	values := make([]float64, len(items))
	for i, item := range items {
		values[i] = value(item)
	}
	return values
}

// sideBySide calls do for 0 to count-1, so many at a time, and returns the first error.
func sideBySide(workers, count int, do func(i int) error) error {
	var next atomic.Int64
	var group errgroup.Group
	for range min(workers, count) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= count {
					return nil
				}
				if err := do(i); err != nil {
					next.Store(int64(count)) // the others stop, too
					return err
				}
			}
		})
	}
	return group.Wait()
}
