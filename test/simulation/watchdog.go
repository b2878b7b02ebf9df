// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"os"
	"runtime/pprof"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// beat is how often, in simulated time, a bubble shows that its clock moves.
	beat = time.Minute
	// mostWork is how much processor time the process may use while the clock of a bubble stands still.
	mostWork = time.Minute
	// mostIdle is how long the process may do nothing: then a goroutine waits for a mutex whose owner waits for the clock.
	mostIdle = 2 * time.Minute
	// nothing is what the process uses between two looks when only the watchdog works.
	nothing = 10 * time.Millisecond
	// lookEvery is how often the watchdog looks, in real time.
	lookEvery = time.Second
)

// watchdog ends the process, and prints all stacks, when the clock of a bubble stands still: something in it works without a pause, or waits for a
// mutex. It measures processor time, because a machine with other work may let a bubble wait for minutes.
type watchdog struct {
	what    string
	beats   atomic.Int64
	stopped chan struct{}
}

func newWatchdog(what string) *watchdog {
	d := &watchdog{what: what, stopped: make(chan struct{})}
	go d.watch()
	return d
}

func (d *watchdog) watch() {
	seen, since, last, idle := int64(0), processorTime(), processorTime(), time.Duration(0)
	for {
		select {
		case <-d.stopped:
			return
		case <-time.After(lookEvery):
		}
		now := processorTime()
		if idle += lookEvery; now-last > nothing {
			idle = 0
		}
		if beats := d.beats.Load(); beats != seen {
			seen, since = beats, now
		}
		last = now
		if now-since > mostWork || idle > mostIdle {
			fmt.Fprintf(os.Stderr, "%s: the clock of the bubble stands still (%s of processor time, idle for %s); all goroutines:\n", d.what, now-since, idle)
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
			os.Exit(2)
		}
	}
}

func (d *watchdog) stop() { close(d.stopped) }

// beating shows from inside a bubble that the clock moves, until the test and its clean-up are over.
func (d *watchdog) beating(t *testing.T) {
	t.Helper()
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		for {
			timer := time.NewTimer(beat)
			select {
			case <-done:
				timer.Stop()
				return
			case <-timer.C:
				d.beats.Add(1)
			}
		}
	}()
}
