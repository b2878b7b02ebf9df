// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
	"github.com/lambdatest-operator/lambdatest-operator/test/schedule"
)

var (
	seeds        = flag.Int("seeds", 2, "how many storms")
	hours        = flag.Float64("hours", 0.5, "how many simulated hours each storm has")
	firstSeed    = flag.Uint64("seed", 1, "the seed of the first storm; the others follow")
	scheduleFile = flag.String("schedule", "", "play the schedule of this `file` instead, with the seed")
	outFile      = flag.String("out", "", "write a report to this `file`, and what explains failures beside it")
	logFile      = flag.String("logs", "", "write the logs of the replicas to this `file`")
)

// report is out/sim.json.
type report struct {
	mu         sync.Mutex
	Seeds      int                       `json:"seeds"`
	Hours      float64                   `json:"hours"`
	Events     map[string]int            `json:"events"`
	Violations []promises.Violation      `json:"violations"`
	Covered    map[string]map[string]int `json:"covered"`
}

func (r *report) add(o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Seeds++
	r.Hours += o.Simulated.Hours()
	r.Violations = append(r.Violations, o.Violations...)
	for kind, n := range o.Events {
		r.Events[kind] += n
	}
	for kind, faults := range o.Covered {
		if r.Covered[kind] == nil {
			r.Covered[kind] = map[string]int{}
		}
		for fault, n := range faults {
			r.Covered[kind][fault] += n
		}
	}
}

func TestStorms(t *testing.T) {
	r := &report{Events: map[string]int{}, Violations: []promises.Violation{}, Covered: map[string]map[string]int{}}
	t.Cleanup(func() { writeReport(t, r) })
	for i := range *seeds {
		seed := *firstSeed + uint64(i)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			events := NewSchedule(seed, time.Duration(*hours*float64(time.Hour)))
			if *scheduleFile != "" {
				var err error
				if events, err = readSchedule(*scheduleFile); err != nil {
					t.Fatal(err)
				}
			}
			out := Storm(t, seed, events, logTo(t))
			r.add(out)
			t.Logf("seed %d: %s simulated in %s, %d events", seed, out.Simulated, time.Since(began).Round(time.Millisecond), len(events))
			if len(out.Violations) == 0 {
				return
			}
			for _, v := range out.Violations {
				t.Logf("seed %d: %s: %s: %s", seed, v.Check, v.Whom, v.Detail)
			}
			if *scheduleFile == "" && *outFile != "" {
				events = Shrink(t, seed, events, out.Violations)
				if shorter := Storm(t, seed, events, nil); len(shorter.Violations) > 0 {
					out = shorter
				}
			}
			dir, err := filepath.Dir(*outFile), error(nil)
			if *outFile == "" {
				dir, err = os.MkdirTemp("", "simulation-") //nolint:usetesting // it is to be read after the test
			}
			if err != nil {
				t.Fatal(err)
			}
			explanation, err := out.explain(dir, events)
			if err != nil {
				t.Error(err)
			}
			t.Error(explanation)
		})
	}
}

func writeReport(t *testing.T, r *report) {
	if *outFile == "" {
		return
	}
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*outFile, append(content, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

// logTo writes the logs of the replicas to the file that a flag names.
func logTo(t *testing.T) func(replica, line string) {
	t.Helper()
	if *logFile == "" {
		return nil
	}
	file, err := os.Create(*logFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return func(replica, line string) { _, _ = fmt.Fprintln(file, replica, line) }
}

func TestAScheduleFollowsFromItsSeed(t *testing.T) {
	one, again, other := NewSchedule(7, time.Hour), NewSchedule(7, time.Hour), NewSchedule(8, time.Hour)
	if !slices.Equal(one, again) {
		t.Error("the same seed gave another schedule")
	}
	if slices.Equal(one, other) {
		t.Error("two seeds gave the same schedule")
	}
	known := map[schedule.Kind]bool{hiringWave: true, pruneByMistake: true}
	for _, s := range lanes() {
		for _, kind := range s.Deck {
			known[kind] = true
		}
	}
	met := map[schedule.Kind]bool{}
	for _, e := range NewSchedule(7, 100*time.Hour) {
		met[e.Kind] = true
	}
	if !maps.Equal(known, met) {
		t.Errorf("a storm of 100 hours has %d kinds of events, and there are %d", len(met), len(known))
	}
}

func TestALeftGoroutineIsTold(t *testing.T) {
	leaks := Bubble(t, "leak", func(*testing.T) {
		inside := make(chan struct{})
		go func() { <-inside }()
	})
	if len(leaks) != 1 || !strings.Contains(leaks[0], "TestALeftGoroutineIsTold") {
		t.Errorf("%q", leaks)
	}
	if leaks := Bubble(t, "none", func(*testing.T) { time.Sleep(time.Hour) }); len(leaks) > 0 {
		t.Errorf("%q", leaks)
	}
}
