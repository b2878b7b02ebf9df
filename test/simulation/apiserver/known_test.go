// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// deviation is one that is known. docs/simulation.md says why the operator cannot meet it.
type deviation struct {
	name    string
	matches func(s step, real, memory answer) bool
}

type deviations struct {
	list   []deviation
	counts map[string]int
}

var known = deviations{counts: map[string]int{}, list: []deviation{}}

func (d deviations) explains(s step, real, memory answer) bool {
	for _, candidate := range d.list {
		if candidate.matches(s, real, memory) {
			d.counts[candidate.name]++
			return true
		}
	}
	return false
}

func (d deviations) met() map[string]int { return d.counts }

func TestEachKnownDeviationIsDocumented(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "docs", "simulation.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range known.list {
		if !strings.Contains(string(content), "| "+d.name+" |") {
			t.Errorf("docs/simulation.md has no row for %q", d.name)
		}
	}
}
