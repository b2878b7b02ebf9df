// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver_test

import (
	"net/http"
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

var known = deviations{counts: map[string]int{}, list: []deviation{
	{"apply of a wrong type to a kind of Kubernetes", func(s step, real, _ answer) bool {
		return strings.HasPrefix(s.contentType, "application/apply") && !s.kind.custom && real.code == http.StatusInternalServerError
	}},
	{"apply of an Event", func(s step, _, _ answer) bool {
		return strings.HasPrefix(s.contentType, "application/apply") && strings.HasSuffix(s.path, "/events")
	}},
	{"apply that names no field", func(s step, real, memory answer) bool {
		isApply := strings.HasPrefix(s.contentType, "application/apply") && real.code == http.StatusOK && memory.code == http.StatusOK
		return isApply && strings.Contains(s.String(), "{spec <nil>}")
	}},
	{"GET of an Event at a resourceVersion that is no number", func(s step, real, _ answer) bool {
		return strings.HasSuffix(s.path, "/events") && strings.Contains(s.query, "nonsense") && real.code == http.StatusBadRequest
	}},
	{"write of an Event that changes nothing", func(s step, real, memory answer) bool {
		isWrite := s.method == http.MethodPut || s.method == http.MethodPatch
		return strings.HasSuffix(s.path, "/events") && isWrite && real.code == http.StatusOK && memory.code == http.StatusOK
	}},
	{"patch of apiVersion or kind", func(s step, real, memory answer) bool {
		names := strings.Contains(s.body, "apiVersion") || strings.Contains(s.body, `kind"`)
		return s.method == http.MethodPatch && names && real.code >= http.StatusBadRequest && memory.code >= http.StatusBadRequest
	}},
	{"dry run of a create with a resourceVersion", func(s step, real, _ answer) bool {
		isDry := s.method == http.MethodPost && strings.Contains(s.query, "dryRun")
		return isDry && strings.Contains(s.String(), "metadata.resourceVersion") && real.code == http.StatusCreated
	}},
}}

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
