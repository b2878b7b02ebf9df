// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// newPeople come at once, and fewPeople in a short pass.
	newPeople, fewPeople = 10_000, 3_000
	// callsPerSecond is the rate limit of LambdaTest, and upstreamLatency the duration of each call.
	callsPerSecond  = 200
	upstreamLatency = 50 * time.Millisecond
	createAccount   = "POST /Users"
)

// newcomers is how many people come at once.
func (r *run) newcomers() int {
	if r.quick {
		return fewPeople
	}
	return newPeople
}

// limited is a new organization whose LambdaTest is as slow as a real one.
func (r *run) limited(ctx context.Context, name string) (*people, error) {
	return r.newPeople(ctx, environment.Organization{
		Name: name,
		Spec: v1alpha1.LambdaTestOrganizationSpec{
			SyncInterval: metav1.Duration{Duration: seldom},
			RateLimit:    v1alpha1.RateLimit{RequestsPerSecond: callsPerSecond, Burst: callsPerSecond / 10},
		},
		Simulate: []simulator.Option{
			simulator.KeepChanges(),
			simulator.With(simulator.Switches{Latency: simulator.Duration(upstreamLatency)}),
		},
	})
}

func converge(ctx context.Context, r *run) error {
	count := r.newcomers()
	pace := plot{title: "Accounts created per second", x: "seconds since the first resource", y: "per second"}
	var times, writes, adopted, below, operator []float64
	alone, err := r.apiAlone(ctx)
	if err != nil {
		return err
	}
	details := []string{
		fmt.Sprintf("%d people at %d calls a second, %s each", count, callsPerSecond, upstreamLatency),
		fmt.Sprintf("an API server to which nobody else talks takes in %s people a second", number(alone)),
	}
	for round := range r.rounds(3) {
		before, err := r.used(ctx)
		if err != nil {
			return err
		}
		came, calls, err := r.arrive(ctx, fmt.Sprintf("converge-%d", round+1), count)
		if err != nil {
			return err
		}
		after, err := r.used(ctx)
		if err != nil {
			return err
		}
		below = append(below, after.cpuFor(before, count, apiServer, etcd))
		operator = append(operator, after.cpuFor(before, count, r.names()...))
		details = append(details, fmt.Sprintf("round %d, each person: %s", round+1, after.sinceFor(before, count)))
		took := came[len(came)-1]
		times = append(times, took.Seconds()/(float64(count)/callsPerSecond))
		writes = append(writes, float64(calls)/float64(count))
		pace.series = append(pace.series, perSecond(fmt.Sprintf("round %d", round+1), came))
		known, err := r.adopt(ctx, fmt.Sprintf("adopt-%d", round+1), count)
		if err != nil {
			return err
		}
		adopted = append(adopted, float64(known))
	}
	return errors.Join(
		r.plot("converge", pace),
		r.record("converge", times, details...),
		r.cost("converge", 1, "CPU time of API server and etcd for a new person", below, "ms"),
		r.cost("converge", 1, "CPU time of both replicas for a new person", operator, "ms"),
		r.record("converge-writes", writes),
		r.record("converge-adopted", adopted, fmt.Sprintf("%d people whose accounts are there", count)),
	)
}

// names are those of the replicas.
func (r *run) names() []string {
	var names []string
	for _, replica := range r.env.Replicas {
		names = append(names, replica.Name())
	}
	return names
}

// perSecond counts what happened in each whole second.
func perSecond(name string, at []time.Duration) series {
	counts := make([]point, int(at[len(at)-1].Seconds()))
	for i := range counts {
		counts[i].x = float64(i + 1)
	}
	for _, when := range at {
		if second := int(when.Seconds()); second < len(counts) {
			counts[second].y++
		}
	}
	return series{name: name, points: counts}
}

// arrive creates people without accounts, and waits until all are in sync. It returns when each account was created, counted from the first
// resource, and the number of writing calls.
func (r *run) arrive(ctx context.Context, name string, count int) ([]time.Duration, int, error) {
	p, err := r.limited(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	begun := time.Now()
	if err := p.hire(ctx, count); err != nil {
		return nil, 0, err
	}
	if err := p.settled(ctx); err != nil {
		return nil, 0, err
	}
	var came []time.Duration
	for _, change := range p.LambdaTest.Changes() {
		came = append(came, change.Time.Sub(begun))
	}
	return came, p.LambdaTest.Writes(), nil
}

// adopt creates people whose accounts exist already, and returns the number of writing calls.
func (r *run) adopt(ctx context.Context, name string, count int) (int, error) {
	p, err := r.limited(ctx, name)
	if err != nil {
		return 0, err
	}
	if err := p.employ(ctx, count); err != nil {
		return 0, err
	}
	return p.LambdaTest.Writes(), nil
}
