// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/lambdatest-operator/lambdatest-operator/test/parties"
)

func main() {
	duration := flag.Duration("duration", 2*time.Minute, "how long to inject faults")
	seed := flag.Uint64("seed", 0, "seed of the schedule of faults; 0 chooses one")
	out := flag.String("out", "out", "folder for chaos.json, and for files that help to understand a failure")
	flag.Parse()
	if *seed == 0 {
		*seed = rand.Uint64N(1_000_000)
	}
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := chaos(ctx, *seed, *duration, *out)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// chaos is one complete run.
func chaos(ctx context.Context, seed uint64, duration time.Duration, out string) error {
	if err := os.MkdirAll(out, 0o750); err != nil {
		return err
	}
	fmt.Printf("seed %d, %s\n", seed, duration)
	r, err := start(ctx, seed, os.Stdout)
	if err != nil {
		return err
	}
	defer r.stop()
	defer r.lookOn(ctx)()
	if err := r.world.Enlist(ctx, r.pruned().Organization); err != nil {
		return err
	}
	r.disturb(ctx, duration)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	report, err := r.examine(ctx, out)
	if err != nil {
		return err
	}
	report.Seed, report.Duration = seed, duration.String()
	if report.Violations > 0 {
		r.keepLogs(out)
		r.keepStories(out, report.Found)
	}
	return report.write(out)
}

// lookOn keeps replicas running, and observes them. It returns a function that stops this.
func (r *run) lookOn(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	for _, replica := range r.env.Replicas {
		r.onlookers.Go(func() { r.keep(ctx, replica) })
	}
	r.onlookers.Go(func() { r.replicaW.follow(ctx) })
	r.onlookers.Go(func() { r.claims.follow(ctx, r.watching) })
	return func() {
		cancel()
		r.onlookers.Wait()
	}
}

// disturb runs all clients and injects faults for that time.
func (r *run) disturb(ctx context.Context, duration time.Duration) {
	working, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	r.chaosBegan = r.world.Now()
	for _, party := range r.parties() {
		r.background.Go(func() { party.Work(working) })
	}
	r.breakThings(working, newSchedule(r.world.Seed, duration))
	<-working.Done()
	r.background.Wait()
	r.chaosEnded = r.world.Now()
	r.progress("all faults have ended")
}

// The paces of the parties. Several clients of each identity provider work at the same time.
const (
	clientsPerTenant = 4
	clientPause      = 60 * time.Millisecond
	gitPause         = 250 * time.Millisecond
	editorPause      = 800 * time.Millisecond
	intruderPause    = 2 * time.Second
)

func (r *run) parties() []parties.Party {
	var all []parties.Party
	for _, o := range r.organizations() {
		for range clientsPerTenant {
			all = append(all, r.world.NewProvider(o, clientPause))
		}
		all = append(all, r.world.NewGit(o, gitPause))
	}
	return append(all, r.world.NewEditor(r.organizations(), editorPause), r.world.NewIntruder(r.organizations(), intruderPause))
}
