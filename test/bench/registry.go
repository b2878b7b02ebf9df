// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// benchmark measures one thing, or a few that come from the same rounds.
type benchmark struct {
	name, about string
	// figures that it records, each with a goal in goals.json; nil means one of the benchmark's own name.
	figures []string
	// fresh benchmarks begin with an empty environment.
	fresh bool
	run   func(context.Context, *run) error
}

// benchmarks are all there are, in the order in which they run: those that need few people first, then those for which the
// organization grows, at last those that kill replicas.
func benchmarks() []benchmark {
	return slices.Concat(scimBenchmarks(), controllersBenchmarks(), scimListBenchmarks(), controllersAtScaleBenchmarks())
}

func (b benchmark) records() []string {
	if b.figures == nil {
		return []string{b.name}
	}
	return b.figures
}

// chosen are the benchmarks with one of the names, which may also be those of figures; all of them when there is no name.
func chosen(names []string) ([]benchmark, error) {
	all := benchmarks()
	if len(names) == 0 {
		return all, nil
	}
	var some []benchmark
	for _, b := range all {
		if slices.ContainsFunc(names, func(name string) bool { return name == b.name || slices.Contains(b.records(), name) }) {
			some = append(some, b)
		}
	}
	if len(some) == 0 {
		return nil, fmt.Errorf("there is no benchmark %s; there are:\n%s", strings.Join(names, ", "), listed(all))
	}
	return some, nil
}

func listed(all []benchmark) string {
	var lines strings.Builder
	for _, b := range all {
		fmt.Fprintf(&lines, "  %-16s %s\n", b.name, b.about)
	}
	return lines.String()
}
