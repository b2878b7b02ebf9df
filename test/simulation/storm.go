// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

const (
	// replicas is one more than are usual: if one crashes while another restarts, one remains.
	replicas = 3
	// shrinkTime is how long a failing schedule is shortened.
	shrinkTime = 2 * time.Minute
)

// Outcome is what came of one storm.
type Outcome struct {
	Seed       uint64
	Violations []promises.Violation
	// Simulated is how long the storm and its end took in the bubble.
	Simulated time.Duration
	Events    map[string]int
	Covered   map[string]map[string]int
	timeline  []line
}

// Storm plays a schedule in a bubble of its own.
func Storm(t *testing.T, seed uint64, events []Event, log func(replica, line string)) Outcome {
	t.Helper()
	out := Outcome{Seed: seed, Events: map[string]int{}}
	var world *World
	var record *promises.Record
	leaks := Bubble(t, fmt.Sprintf("seed %d", seed), func(t *testing.T) {
		w := Open(t, Options{Seed: seed, Replicas: replicas, Organizations: []string{"acme", "bolt"}, Log: log})
		world = w
		w.Play(events)
		out.Violations, record = w.Judge()
		out.Simulated, out.Covered = w.Now(), w.hooks.covered()
	})
	if record != nil { // outside of the bubble: the search for an order is bounded by real time
		out.Violations = append(out.Violations, record.Violations("")...)
	}
	for _, leak := range leaks {
		out.Violations = append(out.Violations, promises.Violation{Check: "leak", Detail: "a goroutine is left:\n" + leak})
	}
	for _, e := range events {
		out.Events[string(e.Kind)]++
	}
	if len(out.Violations) > 0 && world != nil {
		out.timeline = world.timeline()
	}
	return out
}

// Shrink looks for a shorter schedule that breaks one of the same promises, for some real time.
func Shrink(t *testing.T, seed uint64, events []Event, broken []promises.Violation) []Event {
	t.Helper()
	end := time.Now().Add(shrinkTime)
	for size := len(events) / 2; size > 0; size /= 2 {
		for from := 0; from < len(events) && time.Now().Before(end); {
			shorter := slices.Delete(slices.Clone(events), from, min(from+size, len(events)))
			if sameBroken(broken, Storm(t, seed, shorter, nil).Violations) {
				events = shorter
			} else {
				from += size
			}
		}
	}
	return events
}

func sameBroken(a, b []promises.Violation) bool {
	return slices.ContainsFunc(b, func(v promises.Violation) bool {
		return slices.ContainsFunc(a, func(other promises.Violation) bool { return v.Check == other.Check })
	})
}

// explain writes the schedule and the timeline of a failure into a folder, and returns what to tell.
func (o Outcome) explain(dir string, events []Event) (string, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	plan, err := json.MarshalIndent(events, "", " ")
	if err != nil {
		return "", err
	}
	planPath := filepath.Join(dir, fmt.Sprintf("sim-%d-schedule.json", o.Seed))
	linesPath := filepath.Join(dir, fmt.Sprintf("sim-%d-timeline.txt", o.Seed))
	var text strings.Builder
	for _, v := range o.Violations {
		fmt.Fprintf(&text, "%s: %s: %s\n", v.Check, v.Whom, v.Detail)
	}
	subject := ""
	if len(o.Violations) > 0 {
		subject = o.Violations[0].Whom
	}
	var all strings.Builder
	all.WriteString(text.String())
	write(&all, o.timeline, "")
	if err := os.WriteFile(planPath, plan, 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(linesPath, []byte(all.String()), 0o600); err != nil {
		return "", err
	}
	fmt.Fprintf(&text, "\nWhat concerns %q:\n", subject)
	write(&text, o.timeline, subject)
	fmt.Fprintf(&text, "\nAgain: make sim SEED=%d SCHEDULE=%s (%d events). All lines: %s\n", o.Seed, planPath, len(events), linesPath)
	return text.String(), nil
}
