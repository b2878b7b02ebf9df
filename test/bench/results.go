// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// result is a figure as it was measured, and as out/bench.json keeps it.
type result struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Goal  string  `json:"goal"`
	Pass  bool    `json:"pass"`
	// Spread is the distance between the best and the worst round, as a part of the median; of counts around zero the distance itself.
	Spread float64 `json:"spread"`
	// Runs are the values of the rounds.
	Runs []float64 `json:"runs"`
	// Detail is what the figure was made from.
	Detail []string `json:"detail,omitempty"`
	// Costs are what was seen on the way, for docs/scaling.md.
	Costs []cost `json:"costs,omitempty"`
	// Quick figures come from a short pass, with fewer people.
	Quick bool `json:"quick,omitempty"`
}

// cost is what so many people take of something that grows with their number.
type cost struct {
	What   string  `json:"what"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	People int     `json:"people"`
}

func newResult(g goal, values []float64) result {
	r := result{Name: g.Name, Unit: g.Unit, Goal: g.String(), Runs: values, Value: median(values), Spread: spread(values)}
	if g.Every && len(values) > 0 {
		r.Value = slices.MaxFunc(values, func(a, b float64) int {
			if g.worse(a, b) {
				return 1
			}
			return -1
		})
	}
	r.Pass = len(values) > 0 && g.reached(r.Value)
	return r
}

func (r result) sentence() string {
	verdict := "reached"
	if !r.Pass {
		verdict = "MISSED"
	}
	return fmt.Sprintf("%s %s (goal %s: %s), spread %s", number(r.Value), r.Unit, r.Goal, verdict, number(r.Spread))
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func spread(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	distance := slices.Max(values) - slices.Min(values)
	if m := median(values); m != 0 {
		return distance / abs(m)
	}
	return distance
}

// number shows three significant digits, and whole numbers whole.
func number(x float64) string {
	if x == math.Trunc(x) || abs(x) >= 1000 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// results are the figures of this run, and those of earlier ones that it does not replace.
type results struct {
	path  string
	order []string
	all   map[string]result
	// fresh are the names of those of this run.
	fresh []string
}

func newResults(path string, order []string) *results {
	return &results{path: path, order: order, all: map[string]result{}}
}

// openResults has those of an earlier run, too.
func openResults(path string, order []string) (*results, error) {
	r := newResults(path, order)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	var list []result
	if err := json.Unmarshal(content, &list); err != nil {
		return nil, fmt.Errorf("reading %s, which an earlier run wrote: %w", path, err)
	}
	for _, old := range list {
		r.all[old.Name] = old
	}
	return r, nil
}

func (r *results) put(measured result) {
	r.all[measured.Name] = measured
	r.fresh = append(r.fresh, measured.Name)
}

// list is in the order of goals.json, without figures that it does not know any longer.
func (r *results) list() []result {
	var list []result
	for _, name := range r.order {
		if figure, measured := r.all[name]; measured {
			list = append(list, figure)
		}
	}
	return list
}

func (r *results) write() error {
	content, err := json.MarshalIndent(r.list(), "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(r.path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(r.path, append(content, '\n'), 0o644)
}

// missed are the figures of this run that do not reach their goals.
func (r *results) missed() []string {
	var names []string
	for _, name := range r.fresh {
		if !r.all[name].Pass {
			names = append(names, name)
		}
	}
	return names
}
