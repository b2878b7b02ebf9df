// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// options are the flags.
type options struct {
	seed uint64
	only int
	list bool
	out  string
}

func main() {
	var o options
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the combinations")
	flag.IntVar(&o.only, "run", 0, "number of the only combination to run, with a line for each step; 0 runs all of them")
	flag.BoolVar(&o.list, "list", false, "print the combinations, and run none")
	flag.StringVar(&o.out, "out", "out", "folder for contract.json, and for files that help to understand a violation")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "Plays one story under every reading of LambdaTest's documents, and checks the promises. See docs/simulator.md.\n\n"+
			"Every two settings of two readings are in one of the combinations. A violation names its combination: -run=NUMBER plays that one alone.\n\nFlags:\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := contract(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// contract is one complete run.
func contract(ctx context.Context, o options) error {
	rows := readingSpace().cover(o.seed)
	if o.only < 0 || o.only > len(rows) {
		return fmt.Errorf("there is no combination %d: the seed %d has %d", o.only, o.seed, len(rows))
	}
	if o.list {
		for i, row := range rows {
			fmt.Printf("%2d  %s\n", i+1, deviations(settingsOf(row)))
		}
		return nil
	}
	if err := os.MkdirAll(o.out, 0o750); err != nil {
		return err
	}
	fmt.Printf("seed %d: %d combinations\n", o.seed, len(rows))
	r, err := start(ctx, rows, o, os.Stdout)
	if err != nil {
		return err
	}
	defer r.env.Stop()
	r.playAll(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	report := r.examine()
	if len(report.Violations) > 0 {
		r.keep(ctx)
	}
	return report.write(o.out)
}

// deviations are the settings that are not the default.
func deviations(settings simulator.Settings) string {
	var words []string
	for _, reading := range simulator.Readings() {
		if setting := settings[reading.Name]; setting != reading.Settings[0].Name {
			words = append(words, reading.Name+"="+setting)
		}
	}
	return strings.Join(words, " ")
}

// sorted are the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
