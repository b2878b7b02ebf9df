// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// moment is a time since the start of the run.
type moment = time.Duration

// forever is later than anything that happens in a run.
const forever = moment(1<<63 - 1)

// operation is a request about one person or group, and its answer.
type operation[In, Out any] struct {
	// Subject is the organization and the person or group.
	Subject string `json:"subject"`
	Client  int    `json:"client"`
	Call    moment `json:"call"`
	// Return is forever when the answer was lost: then it may take effect at any later time, or never.
	Return moment `json:"return"`
	In     In     `json:"in"`
	Out    Out    `json:"out"`
}

// history is the record of all operations; all clients write to it concurrently.
type history[In, Out any] struct {
	mu         sync.Mutex
	operations []operation[In, Out]
}

func (h *history[In, Out]) add(o operation[In, Out]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, o)
}

// all returns the operations in the order in which they began.
func (h *history[In, Out]) all() []operation[In, Out] {
	h.mu.Lock()
	defer h.mu.Unlock()
	sorted := slices.Clone(h.operations)
	slices.SortStableFunc(sorted, func(a, b operation[In, Out]) int { return cmp.Compare(a.Call, b.Call) })
	return sorted
}

// bySubject splits a history by subject.
func bySubject[In, Out any](all []operation[In, Out]) map[string][]operation[In, Out] {
	parts := map[string][]operation[In, Out]{}
	for _, o := range all {
		parts[o.Subject] = append(parts[o.Subject], o)
	}
	return parts
}

type (
	userOperation  = operation[userRequest, userAnswer]
	groupOperation = operation[groupRequest, groupAnswer]
)
