// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"slices"
	"sync"
)

// period is a time with a certain fault or state.
type period struct {
	From, To moment
	// What was so, and about whom: an organization, a replica, or everybody when empty.
	What, Whom string
}

func (p period) overlaps(from, to moment) bool { return p.From < to && from < p.To }

// timeline is the record of all periods; all faults write to it.
type timeline struct {
	mu      sync.Mutex
	periods []period
}

func (t *timeline) add(p period) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.periods = append(t.periods, p)
}

// all returns the periods in the order in which they began.
func (t *timeline) all() []period {
	t.mu.Lock()
	defer t.mu.Unlock()
	sorted := slices.Clone(t.periods)
	slices.SortFunc(sorted, func(a, b period) int { return cmp.Compare(a.From, b.From) })
	return sorted
}
