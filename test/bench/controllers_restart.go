// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// calm is how long both replicas have nothing to do before their memory is read: a process collects its garbage every two minutes then,
	// and gives back what it does not need. A short pass does not wait for that.
	calm, shortCalm = 140 * time.Second, 10 * time.Second
)

// restarts are the values of all rounds.
type restarts struct {
	seconds, writes, settled, peaks []float64
	leader, standby, alone          []float64
}

// restart kills both replicas in each round: first the one without the lead, then the leader. So in the end both have started with all
// people present, one has taken over, and their memory contains nothing from before.
func restart(ctx context.Context, r *run) error {
	p, err := r.standing(ctx, r.people(manyPeople))
	if err != nil {
		return err
	}
	// What follows the coming of so many people is not what a replica meets that starts among them.
	if err := r.rest(ctx); err != nil {
		return err
	}
	var all restarts
	for range r.rounds(3) {
		if err := p.restartBoth(ctx, &all); err != nil {
			return err
		}
	}
	people := fmt.Sprintf("%d people", p.count)
	if err := errors.Join(
		r.record("restart", all.seconds, people+"; the slower of the two replicas",
			fmt.Sprintf("the API server takes %s s to send all people once, to a client that only waits for the end", number(median(all.alone)))),
		r.record("restart-writes", all.writes, people),
		r.record("memory", all.settled, people, fmt.Sprintf("with the lead %s MB, without it %s MB", number(median(all.leader)), number(median(all.standby)))),
		r.record("memory-peak", all.peaks, people),
	); err != nil {
		return err
	}
	return errors.Join(
		r.cost("restart", p.count, "from the kill of a replica until it serves again", all.seconds, "s"),
		r.cost("memory", p.count, "memory of the replica with the lead", all.leader, "MB"),
		r.cost("memory", p.count, "memory of a replica without it", all.standby, "MB"),
		r.cost("memory-peak", p.count, "the most memory that a replica had", all.peaks, "MB"),
		p.controlPlaneCosts(ctx),
	)
}

// storageSize is what the API server says of etcd's file.
var storageSize = regexp.MustCompile(`(?m)^apiserver_storage_size_bytes\{[^}]*\} (\S+)$`)

// controlPlaneCosts records what the people cost below the operator.
func (p *people) controlPlaneCosts(ctx context.Context) error {
	server, err := memory(p.env.Plane.APIServer.PID())
	if err != nil {
		return err
	}
	store, err := memory(p.env.Plane.Etcd.PID())
	if err != nil {
		return err
	}
	page, err := p.env.Kubectl(ctx, "get", "--raw", "/metrics")
	if err != nil {
		return err
	}
	found := storageSize.FindStringSubmatch(page)
	if found == nil {
		return errors.New("the API server does not say how large etcd's file is")
	}
	size, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		return fmt.Errorf("reading the size of etcd's file: %w", err)
	}
	return errors.Join(
		p.run.cost("memory", p.count, "memory of the API server", []float64{server.now}, "MB"),
		p.run.cost("memory", p.count, "memory of etcd", []float64{store.now}, "MB"),
		p.run.cost("memory", p.count, "etcd's file", []float64{size / 1e6}, "MB"),
	)
}

func (p *people) restartBoth(ctx context.Context, all *restarts) error {
	leader, standby, err := p.run.replicas(ctx)
	if err != nil {
		return err
	}
	alone, err := p.run.listAlone(ctx)
	if err != nil {
		return err
	}
	all.alone = append(all.alone, alone.Seconds())
	writes := p.LambdaTest.Writes()
	first, err := timed(func() error { return standby.Restart(ctx) })
	if err != nil {
		return err
	}
	pagesRead := p.LambdaTest.Count(listUsers)
	second, err := timed(func() error { return leader.Restart(ctx) })
	if err != nil {
		return err
	}
	// A new leader first makes a sweep.
	if err := p.awaitPages(ctx, pagesRead+p.pages()); err != nil {
		return err
	}
	if leader, standby, err = p.run.replicas(ctx); err != nil {
		return err
	}
	if err := p.readMemory(ctx, leader, standby, all); err != nil {
		return err
	}
	all.seconds = append(all.seconds, max(first, second).Seconds())
	all.writes = append(all.writes, float64(p.LambdaTest.Writes()-writes))
	return nil
}

func timed(do func() error) (time.Duration, error) {
	begun := time.Now()
	err := do()
	return time.Since(begun), err
}

// readMemory waits until both replicas have settled.
func (p *people) readMemory(ctx context.Context, leader, standby *environment.Replica, all *restarts) error {
	settling := calm
	if p.run.quick {
		settling = shortCalm
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(settling):
	}
	one, err := memory(leader.PID())
	other, otherErr := memory(standby.PID())
	all.leader, all.standby = append(all.leader, one.now), append(all.standby, other.now)
	all.settled, all.peaks = append(all.settled, max(one.now, other.now)), append(all.peaks, max(one.peak, other.peak))
	return errors.Join(err, otherErr)
}
