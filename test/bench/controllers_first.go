// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

const (
	// newcomersPerRound come one after the other, with nothing else going on.
	newcomersPerRound = 20
	// statusPoll is the pause between two looks whether somebody is in sync; it is in both times of the ratio.
	statusPoll = time.Millisecond
)

// firstReconcile measures how long one new person takes, from the create to a status that says so, while more and more stand,
// each time once the machine has come to rest.
func firstReconcile(ctx context.Context, r *run) error {
	rounds := r.rounds(5)
	sizes := []int{0, 1_000, 10_000, r.people(manyPeople)}
	medians := make([][]float64, len(sizes)) // by size, a median of each round in milliseconds
	for i, size := range sizes {
		p, err := r.standing(ctx, size)
		if err != nil {
			return err
		}
		if err := r.rest(ctx); err != nil {
			return err
		}
		for range rounds {
			times, err := p.join(ctx, newcomersPerRound)
			if err != nil {
				return err
			}
			medians[i] = append(medians[i], median(times))
		}
		r.progress("one more among %d: %s ms", size, number(median(medians[i])))
	}
	return r.recordGrowth("first-reconcile", sizes, medians)
}

// recordGrowth records the ratio of the last size to the first, and plots them all.
func (r *run) recordGrowth(figure string, sizes []int, values [][]float64) error {
	first, last := values[0], values[len(values)-1]
	ratios := make([]float64, len(last))
	for i := range last {
		ratios[i] = last[i] / first[i]
	}
	line := series{name: "from create to Ready, ms"}
	details := make([]string, len(sizes))
	for i, size := range sizes {
		line.points = append(line.points, point{x: float64(size), y: median(values[i])})
		details[i] = fmt.Sprintf("among %d: %s ms", size, number(median(values[i])))
	}
	drawing := plot{title: "One new person while others stand", x: "people who stand", y: "ms", logX: true, series: []series{line}}
	if err := r.plot(figure, drawing); err != nil {
		return err
	}
	return r.record(figure, ratios, details...)
}

// join lets people come one by one, each once the one before is in sync, and returns how many milliseconds each took.
func (p *people) join(ctx context.Context, count int) ([]float64, error) {
	times := make([]float64, count)
	for i := range count {
		who := p.person(p.count + 1)
		begun := time.Now()
		if err := p.raw.Create(ctx, who.resource()); err != nil {
			return nil, err
		}
		p.count++
		if err := p.awaitReady(ctx, who); err != nil {
			return nil, err
		}
		times[i] = milliseconds(time.Since(begun))
	}
	return times, nil
}

func (p *people) awaitReady(ctx context.Context, who person) error {
	ctx, cancel := context.WithTimeout(ctx, farewellTimeout)
	defer cancel()
	ticker := time.NewTicker(statusPoll)
	defer ticker.Stop()
	for {
		user := &v1alpha1.LambdaTestUser{}
		err := p.raw.Get(ctx, client.ObjectKeyFromObject(who.resource()), user)
		if err == nil && meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ReadyCondition) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s is in sync: %w (%w)", who.userName(), ctx.Err(), err)
		case <-ticker.C:
		}
	}
}
