// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command dev runs the whole product on this machine, for `make run`, `make demo` and `make conformance`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "dev",
		Short:         "Run the whole product on this machine, with a simulated LambdaTest",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	dir := root.PersistentFlags().String("dir", fromEnvironment("DEV_DIR", ".dev"), "`folder` for data and logs; several may run at the same time, each with its own folder (DEV_DIR)")
	replicas := root.PersistentFlags().Int("replicas", replicasFromEnvironment(), "number of operator replicas (REPLICAS)")
	root.AddCommand(
		&cobra.Command{
			Use:   "run",
			Short: "Run everything in the foreground until Ctrl-C",
			Args:  cobra.NoArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return runEnvironment(cmd.Context(), *dir, *replicas) },
		},
		&cobra.Command{
			Use:   "demo",
			Short: "Play a story from Okta's first request to the last kubectl get, then compare the resources with LambdaTest",
			Args:  cobra.NoArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return playDemo(cmd.Context(), *dir, *replicas) },
		},
		&cobra.Command{
			Use:   "conformance",
			Short: "Run the SCIM suites against a running `make run`",
			Args:  cobra.NoArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return runConformance(cmd.Context(), *dir) },
		},
	)
	return root
}

func replicasFromEnvironment() int {
	replicas, err := strconv.Atoi(fromEnvironment("REPLICAS", "2"))
	if err != nil || replicas < 1 {
		return 2
	}
	return replicas
}

func fromEnvironment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
