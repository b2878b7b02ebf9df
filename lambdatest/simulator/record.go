// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"maps"
	"net/url"
	"slices"
	"time"
)

// Call is a request that the API saw, refused ones included.
type Call struct {
	Method string `json:"method"`
	// Route is the call without what differs: "PATCH /Users/{id}".
	Route string     `json:"route"`
	Path  string     `json:"path"`
	Query url.Values `json:"query,omitempty"`
	Body  string     `json:"body,omitempty"`
	Time  time.Time  `json:"time"`
	// Status is what was answered, or would have been; 0 when nothing was done.
	Status int `json:"status"`
	// Fault is what went wrong on purpose, if anything.
	Fault Kind `json:"fault,omitempty"`
}

// record notes a call, in the order of effects; the lock is held.
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

// Calls returns the calls so far, in the order of their effects: the last
// 200 000 at least.
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

// Writes returns how many calls were made that change something.
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
