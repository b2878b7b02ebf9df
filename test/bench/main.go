// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
)

var errMissed = errors.New("goals were missed")

func main() {
	names := flag.String("bench", os.Getenv("BENCH"), "names of the benchmarks or figures to run, with commas; default all")
	quick := flag.Bool("quick", os.Getenv("QUICK") == "1", "a short pass: fewer and shorter rounds, fewer people")
	profiles := flag.Bool("profile", os.Getenv("PROFILE") == "1", "keep profiles of replicas and API server in out/profiles; figures are worse by what that costs")
	docs := flag.Bool("docs", false, "write what out/bench.json has into docs/performance.md, and measure nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctrl.SetLogger(logr.Discard()) // the processes have logs of their own
	err := command(ctx, strings.FieldsFunc(*names, func(c rune) bool { return c == ',' || c == ' ' }), *quick, *profiles, *docs)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, names []string, quick, profiles, docs bool) error {
	root, err := controlplane.ModuleRoot()
	if err != nil {
		return err
	}
	goals, order, err := readGoals()
	if err != nil {
		return err
	}
	file := filepath.Join(root, "out/bench.json")
	results, err := openResults(file, order)
	if err != nil {
		return err
	}
	if docs {
		return writeDocs(root, goals, results)
	}
	todo, err := chosen(names)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		results = newResults(file, order)
	}
	r := &run{
		quick: quick, started: time.Now(), goals: goals, results: results, shared: map[string]*people{},
		plots: filepath.Join(root, "out/plots"),
	}
	if profiles {
		r.profiles = filepath.Join(root, "out/profiles")
	}
	return r.all(ctx, todo)
}

// all runs benchmarks one after the other. One that fails, or that misses its goal, does not keep the next from running.
func (r *run) all(ctx context.Context, todo []benchmark) error {
	defer func() { r.stop() }()
	var failures []error
	for _, b := range todo {
		if b.fresh {
			r.stop()
		}
		r.progress("%s: %s", b.name, b.about)
		if err := b.run(ctx, r); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", b.name, err))
			r.progress("%s failed: %v", b.name, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	fmt.Print("\n" + r.results.table())
	if missed := r.results.missed(); len(missed) > 0 {
		failures = append(failures, fmt.Errorf("%w: %s", errMissed, strings.Join(missed, ", ")))
	}
	return errors.Join(failures...)
}
