// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

// playDemo starts everything, plays the story, shows the resources and the accounts, and compares them.
func playDemo(ctx context.Context, dir string, replicas int) error {
	env, err := environment.Start(ctx, environment.Options{Dir: dir, Replicas: replicas, Progress: os.Stdout})
	if err != nil {
		return err
	}
	defer env.Stop()
	fmt.Println()
	if err := newStory(env).play(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, env.Logs())
	}
	if err := showBothEnds(ctx, env); err != nil {
		return err
	}
	disagreements, err := compare(ctx, env)
	if err != nil {
		return err
	}
	if len(disagreements) > 0 {
		return fmt.Errorf("the resources and LambdaTest disagree: %w", errors.Join(disagreements...))
	}
	fmt.Println("\nThe resources and LambdaTest agree.")
	return nil
}

// step is one step of the story, with the sentence to print.
type step struct {
	sentence string
	play     func(context.Context) error
}

// tell plays the steps one after the other. For each it prints the sentence and the time until its effects were complete.
func tell(ctx context.Context, steps []step) error {
	for _, step := range steps {
		begun := time.Now()
		if err := step.play(ctx); err != nil {
			fmt.Printf("FAILED     %s\n", step.sentence)
			return fmt.Errorf("%s: %w", step.sentence, err)
		}
		fmt.Printf("%7.3f s  %s\n", time.Since(begun).Seconds(), step.sentence)
	}
	return nil
}
