// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestAReplicaThatGrewIsTold(t *testing.T) {
	fresh := footprint{goroutines: 200, heap: 100 << 20, files: 200}
	cases := map[string]struct {
		old   footprint
		grown int
	}{
		"as when it was new": {fresh, 0},
		"smaller":            {footprint{goroutines: 1, heap: 1, files: 1}, 0},
		"within a twentieth": {footprint{goroutines: 210, heap: 105 << 20, files: 210}, 0},
		"more goroutines":    {footprint{goroutines: 225, heap: 100 << 20, files: 200}, 1},
		"more of everything": {footprint{goroutines: 300, heap: 200 << 20, files: 300}, 3},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if found := outgrown("the leader", footprint{heap: 109 << 20}, fresh, 4096); len(found) != 0 {
				t.Errorf("with the events that it wrote: found %v", found)
			}
			if found := outgrown("the leader", c.old, fresh, 0); len(found) != c.grown {
				t.Errorf("found %v, want %d", found, c.grown)
			}
		})
	}
}
