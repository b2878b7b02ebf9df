// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	eventsv1 "k8s.io/api/events/v1"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	"github.com/lambdatest-operator/lambdatest-operator/test/parties"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

const (
	// footprintShare is how much larger a replica may be after the run than a new one.
	footprintShare = 0.05
	// footprintRest is how long a new replica rests before it is measured: for its first sweeps, and until it closes unused connections.
	footprintRest = 25 * time.Second
	// idleConnections are closed after a minute and a half.
	idleConnections = 95 * time.Second
	// collections is the number of garbage collections before the heap is read; requests trigger them.
	collections        = 2
	mostRequestsToPoke = 400
)

// slack is what even two new replicas differ by: connections, with two goroutines each, the eight goroutines that the first event
// starts, and what of a small heap is chance. A connection to LambdaTest stays for as long as idleConnections after each time that a
// sweep, a listing of groups and lookups met: one to three for each organization.
var slack = footprint{goroutines: 24, heap: 2 << 20, files: 8}

const (
	// Client-go keeps each event that it wrote for twelve minutes, to count the next one of its kind. That goes, and nobody can wait so
	// long in a short run: eventBytes is what one takes up.
	eventMemory = 12 * time.Minute
	eventBytes  = 2 << 10
)

// footprint is the resource usage of a replica.
type footprint struct {
	goroutines, heap, files float64
}

// outgrown returns the resources of which a replica uses more than a new one.
func outgrown(whom string, old, fresh footprint, events int) []promises.Violation {
	var found []promises.Violation
	for _, c := range []struct {
		what              string
		old, fresh, slack float64
	}{
		{"goroutines", old.goroutines, fresh.goroutines, slack.goroutines},
		{"bytes of live heap", old.heap, fresh.heap, slack.heap + float64(events*eventBytes)},
		{"open files and connections", old.files, fresh.files, slack.files},
	} {
		if most := c.fresh + max(c.fresh*footprintShare, c.slack); c.old > most {
			found = append(found, promises.Violation{Check: "footprint", Whom: whom, Detail: fmt.Sprintf(
				"%.0f %s, and %.0f when it was new", c.old, c.what, c.fresh)})
		}
	}
	return found
}

// grown compares the replicas with new replicas in the same role and with the same resources.
func (r *run) grown(ctx context.Context) ([]promises.Violation, error) {
	parties.Pause(ctx, idleConnections-(r.world.Now()-r.settledAt))
	old, err := r.footprints(ctx)
	if err != nil {
		return nil, err
	}
	events, partly, err := r.recentEvents(ctx)
	if err != nil {
		return nil, err
	}
	r.startAfresh(ctx)
	r.world.ReadAll(ctx, r.organizations()) // as was done before
	fresh, err := r.footprints(ctx)
	if err != nil {
		return nil, err
	}
	r.progress("footprint of the leader %+v, with %d events, and when new %+v; of others %+v, with %d events, and %+v",
		old[0], events, fresh[0], old[1], partly, fresh[1])
	return append(outgrown("the leader", old[0], fresh[0], events), outgrown("a replica that does not lead", old[1], fresh[1], partly)...), nil
}

// recentEvents counts those that a leader may still have in memory, and those that any replica may: about denials in part.
func (r *run) recentEvents(ctx context.Context) (all, partly int, err error) {
	var list eventsv1.EventList
	if err := r.env.Client.List(ctx, &list); err != nil {
		return 0, 0, err
	}
	for i := range list.Items {
		if time.Since(list.Items[i].EventTime.Time) >= eventMemory {
			continue
		}
		all++
		if list.Items[i].Reason == "DeniedInPart" {
			partly++
		}
	}
	return all, partly, nil
}

// startAfresh restarts all replicas at once.
func (r *run) startAfresh(ctx context.Context) {
	var all sync.WaitGroup
	for _, replica := range r.env.Replicas {
		all.Go(replica.Stop) // its keeper starts it again
	}
	all.Wait()
	for _, replica := range r.env.Replicas {
		if err := awaitReady(ctx, replica); err != nil {
			r.progress("waiting for %s: %v", replica.Name(), err)
		}
	}
	parties.Pause(ctx, footprintRest)
}

// footprints returns the leader's, and the largest of the others.
func (r *run) footprints(ctx context.Context) (both [2]footprint, err error) {
	leader := r.replicaW.current()
	if leader < 0 {
		return both, errors.New("measuring footprints: nobody leads")
	}
	for _, endpoint := range r.world.Endpoints {
		endpoint.CloseIdleConnections()
	}
	for i, replica := range r.env.Replicas {
		measured, err := r.measure(ctx, i, replica)
		if err != nil {
			return both, fmt.Errorf("measuring %s: %w", replica.Name(), err)
		}
		role := &both[1]
		if i == leader {
			role = &both[0]
		}
		role.goroutines = max(role.goroutines, measured.goroutines)
		role.heap = max(role.heap, measured.heap)
		role.files = max(role.files, measured.files)
	}
	return both, nil
}

var sample = regexp.MustCompile(`(?m)^(\w+) (\S+)$`)

// measure reads a replica's metrics after its garbage is collected, which requests bring about.
func (r *run) measure(ctx context.Context, number int, replica *environment.Replica) (footprint, error) {
	begun, samples := -1.0, map[string]float64{}
	for range mostRequestsToPoke {
		page, err := fetch(ctx, replica.MetricsURL)
		if err != nil {
			return footprint{}, err
		}
		for _, line := range sample.FindAllStringSubmatch(page, -1) {
			samples[line[1]], _ = strconv.ParseFloat(line[2], 64)
		}
		cycles := samples["go_gc_cycles_total_gc_cycles_total"]
		if begun < 0 {
			begun = cycles
		}
		if cycles >= begun+collections {
			break
		}
		_, _ = r.world.Endpoints[number].Send(ctx, *r.tenants[0].Token.Load(), http.MethodGet, "/Users?count=1000", "", nil)
		r.world.Endpoints[number].CloseIdleConnections()
	}
	return footprint{
		goroutines: samples["go_goroutines"],
		heap:       samples["go_gc_heap_live_bytes"],
		files:      samples["process_open_fds"],
	}, nil
}
