// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

const (
	// manySweeps follow each other while nothing changes.
	manySweeps = 10
	listUsers  = "GET /Users"
)

// sweeps waits for many sweeps of the organization. The cost of each sweep and the writes of all come from the same time: from the first
// page of one sweep to the first page of the tenth after it.
func sweeps(ctx context.Context, r *run) error {
	p, err := r.standing(ctx, r.people(manyPeople))
	if err != nil {
		return err
	}
	if err := p.sweepEvery(ctx, time.Second); err != nil {
		return err
	}
	costs, calls, upstream, api, err := p.watchSweeps(ctx, manySweeps)
	if err := errors.Join(err, p.sweepEvery(ctx, seldom)); err != nil {
		return err
	}
	pages := p.pages()
	detail := fmt.Sprintf("%d people, %d sweeps", p.count, manySweeps)
	return errors.Join(
		r.record("sweep", costs, detail),
		r.cost("sweep", p.count, "CPU time of the leader for one sweep", costs, "s"),
		r.cost("sweep", p.count, "calls of LambdaTest for one sweep", each(calls, func(n int) float64 { return float64(n) }), "calls"),
		r.record("sweep-calls", ratios(calls, pages), fmt.Sprintf("%d pages of %d", pages, pageSize)),
		r.record("idle", []float64{float64(upstream)}, detail),
		r.record("idle-api", []float64{float64(total(api))}, append([]string{detail}, named(api)...)...),
	)
}

func ratios(counts []int, of int) []float64 {
	all := make([]float64, len(counts))
	for i, count := range counts {
		all[i] = float64(count) / float64(of)
	}
	return all
}

// sweepEvery changes the interval and returns when the organization's status has followed and the sweep that comes with it is over.
func (p *people) sweepEvery(ctx context.Context, interval time.Duration) error {
	begun := p.sweepsBegun()
	if err := p.configure(ctx, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.SyncInterval = metav1.Duration{Duration: interval} }); err != nil {
		return err
	}
	if interval == seldom {
		return nil
	}
	return p.awaitSweeps(ctx, begun+2)
}

// watchSweeps returns the CPU seconds of the leader for each of so many sweeps, the list calls of each, and what was written meanwhile:
// at LambdaTest, and in the API server.
func (p *people) watchSweeps(ctx context.Context, count int) (cpu []float64, calls []int, upstream int, api map[string]int, err error) {
	leader, _, err := p.run.replicas(ctx)
	if err != nil {
		return nil, nil, 0, nil, err
	}
	first := p.sweepsBegun() + 1
	if err := p.awaitSweeps(ctx, first); err != nil {
		return nil, nil, 0, nil, err
	}
	used, err := cpuTime(leader.PID())
	if err != nil {
		return nil, nil, 0, nil, err
	}
	writes := p.LambdaTest.Writes()
	apiWrites, err := p.run.apiWrites(ctx)
	if err != nil {
		return nil, nil, 0, nil, err
	}
	for i := range count {
		if err := p.awaitSweeps(ctx, first+i+1); err != nil {
			return nil, nil, 0, nil, err
		}
		now, err := cpuTime(leader.PID())
		if err != nil {
			return nil, nil, 0, nil, err
		}
		cpu, used = append(cpu, (now-used).Seconds()), now
	}
	after, err := p.run.apiWrites(ctx)
	return cpu, p.callsBySweep(first, count), p.LambdaTest.Writes() - writes, since(apiWrites, after), err
}

// sweepsBegun counts them by their first pages.
func (p *people) sweepsBegun() int {
	return len(p.firstPages())
}

// firstPages are the numbers of the calls with which sweeps began, among the list calls.
func (p *people) firstPages() []int {
	var places []int
	lists := 0
	for _, call := range p.LambdaTest.Calls() {
		if call.Route != listUsers || call.Query.Has("filter") {
			continue
		}
		if call.Query.Get("startIndex") == "1" {
			places = append(places, lists)
		}
		lists++
	}
	return places
}

// callsBySweep counts the list calls of each of so many sweeps, from the one with that number on: 1 is the first that there was.
func (p *people) callsBySweep(first, count int) []int {
	places := p.firstPages()
	calls := make([]int, count)
	for i := range calls {
		calls[i] = places[first+i] - places[first+i-1]
	}
	return calls
}

func (p *people) awaitSweeps(ctx context.Context, begun int) error {
	return p.await(ctx, func(context.Context) error {
		if now := p.sweepsBegun(); now < begun {
			return fmt.Errorf("%d of %d sweeps have begun", now, begun)
		}
		return nil
	})
}

// pages are the pages of a sweep.
func (p *people) pages() int { return (p.count + pageSize - 1) / pageSize }

// total adds up, and named says what there is of each.
func total(counts map[string]int) int {
	sum := 0
	for _, count := range counts {
		sum += count
	}
	return sum
}

func named(counts map[string]int) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		lines = append(lines, fmt.Sprintf("%s: %d", name, counts[name]))
	}
	return lines
}
