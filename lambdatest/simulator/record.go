// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"maps"
	"net/url"
	"slices"
	"time"
)

// Call is a request to the API, also one that was refused.
type Call struct {
	Method string `json:"method"`
	// Route is the pattern of the call: "PATCH /Users/{id}".
	Route string     `json:"route"`
	Path  string     `json:"path"`
	Query url.Values `json:"query,omitempty"`
	Body  string     `json:"body,omitempty"`
	Time  time.Time  `json:"time"`
	// Status is the status of the answer, even if the answer was lost; 0 if there was none.
	Status int `json:"status"`
	// Fault is the fault that applied, if any.
	Fault Kind `json:"fault,omitempty"`
}

// record adds a call to the record, in the order of effects. The caller holds the lock.
func (o *Org) record(in request, out reply, fault Kind) {
	o.counts[in.route]++
	if len(o.records) >= 2*maxRecords {
		o.records = slices.Clone(o.records[maxRecords:])
	}
	o.records = append(o.records, Call{
		Method: in.method(),
		Route:  in.route,
		Path:   in.path,
		Query:  in.query,
		Body:   string(in.body),
		Time:   o.world.now(),
		Status: out.status,
		Fault:  fault,
	})
}

// Calls returns the calls so far in the order of their effects, at least the last
// 200 000.
func (o *Org) Calls() []Call {
	o.world.Lock()
	defer o.world.Unlock()
	return slices.Clone(o.records)
}

// Counts returns how often each route was called: {"POST /Users": 3}.
func (o *Org) Counts() map[string]int {
	o.world.Lock()
	defer o.world.Unlock()
	return maps.Clone(o.counts)
}

// Count returns how often one route was called, as in "PATCH /Users/{id}".
func (o *Org) Count(route string) int {
	o.world.Lock()
	defer o.world.Unlock()
	return o.counts[route]
}

// Writes returns the number of calls so far that are not reads.
func (o *Org) Writes() int {
	o.world.Lock()
	defer o.world.Unlock()
	writes := 0
	for route, n := range o.counts {
		if (request{route: route}).method() != "GET" {
			writes += n
		}
	}
	return writes
}

// ResetCalls forgets the calls so far.
func (o *Org) ResetCalls() {
	o.world.Lock()
	defer o.world.Unlock()
	o.records = nil
	clear(o.counts)
}
