// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// wishPause is the pause between two changes of resources.
	wishPause = 100 * time.Millisecond
	// afterwards is how long a call of the leader that is gone may still be on its way. The lease lasts much longer.
	afterwards = 5 * time.Second
)

// failover kills the leader while roles are changed all the time, and measures the time until the next write at LambdaTest.
func failover(ctx context.Context, r *run) error {
	p, err := r.standing(ctx, r.people(manyPeople))
	if err != nil {
		return err
	}
	var seconds []float64
	for range r.rounds(5) {
		took, err := p.loseLeader(ctx)
		if err != nil {
			return err
		}
		seconds = append(seconds, took.Seconds())
	}
	return r.record("failover", seconds, fmt.Sprintf("%d people, a change every %s", p.count, wishPause))
}

func (p *people) loseLeader(ctx context.Context) (time.Duration, error) {
	leader, _, err := p.run.replicas(ctx)
	if err != nil {
		return 0, err
	}
	changing, stop := context.WithCancel(ctx)
	changed := make(chan error, 1)
	go func() { changed <- p.keepChanging(changing) }()
	killed := time.Now()
	leader.Kill()
	next, err := p.nextWrite(ctx, killed.Add(afterwards))
	stop()
	if err := errors.Join(err, <-changed); err != nil {
		return 0, err
	}
	if err := leader.Start(ctx); err != nil {
		return 0, err
	}
	return next.Sub(killed), p.settled(ctx)
}

// keepChanging changes one person's role after the other until ctx ends.
func (p *people) keepChanging(ctx context.Context) error {
	ticker := time.NewTicker(wishPause)
	defer ticker.Stop()
	for number := 1; ; number++ {
		if err := p.changeRole(ctx, p.person(number)); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (p *people) changeRole(ctx context.Context, who person) error {
	user := &v1alpha1.LambdaTestUser{}
	if err := p.raw.Get(ctx, client.ObjectKey{Namespace: environment.Namespace, Name: who.id()}, user); err != nil {
		return err
	}
	before := user.DeepCopy()
	user.Spec.Role = v1alpha1.RoleGuest
	if before.Spec.Role == v1alpha1.RoleGuest {
		user.Spec.Role = v1alpha1.RoleUser
	}
	return p.raw.Patch(ctx, user, client.MergeFrom(before))
}

// nextWrite is the time of the first write at LambdaTest after the given time.
func (p *people) nextWrite(ctx context.Context, after time.Time) (time.Time, error) {
	var heard time.Time
	err := p.await(ctx, func(context.Context) error {
		for _, call := range p.LambdaTest.Calls() {
			if call.Method != http.MethodGet && call.Time.After(after) {
				heard = call.Time
				return nil
			}
		}
		return errors.New("nothing was written since the leader was killed")
	})
	return heard, err
}
