// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

// peopleFolder is the folder of manifests that the demo and `make run` apply.
const peopleFolder = "config/samples/people"

// runEnvironment runs everything until ctx ends, with a few people in it.
func runEnvironment(ctx context.Context, dir string, replicas int) error {
	begun := time.Now()
	env, err := environment.Start(ctx, environment.Options{Dir: dir, Replicas: replicas, Progress: os.Stdout})
	if err != nil {
		return interrupted(ctx, err)
	}
	defer fmt.Println("stopped")
	defer env.Stop()
	if err := addPeople(ctx, env); err != nil {
		return interrupted(ctx, err)
	}
	file, err := writeEnvFile(env)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file) }()
	printGuide(env, file, time.Since(begun))
	return wait(ctx, env)
}

// interrupted drops errors that Ctrl-C causes.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// addPeople creates a person through Okta, and applies the folder of manifests.
func addPeople(ctx context.Context, env *environment.Environment) error {
	okta := newOkta(env.Front.SCIMURL, env.Organizations["default"].SCIMToken)
	for _, person := range []person{katherine, edsger} {
		if _, err := okta.create(ctx, person); err != nil {
			return err
		}
	}
	folder, err := peoplePath()
	if err != nil {
		return err
	}
	_, err = env.Kubectl(ctx, "apply", "--server-side", "-f", folder)
	return err
}

func peoplePath() (string, error) {
	root, err := controlplane.ModuleRoot()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, peopleFolder), nil
}

// wait returns on Ctrl-C, or with an error if a replica ends by itself.
func wait(ctx context.Context, env *environment.Environment) error {
	ended := make(chan *environment.Replica, len(env.Replicas))
	for _, replica := range env.Replicas {
		life := replica.Ended()
		go func() {
			<-life
			ended <- replica
		}()
	}
	for remaining := len(env.Replicas); remaining > 0; remaining-- {
		select {
		case <-ctx.Done():
			fmt.Println("\nstopping …")
			return nil
		case replica := <-ended:
			fmt.Printf("%s has ended; its log is %s\n", replica.Name(), replica.LogPath())
		}
	}
	<-ctx.Done()
	return nil
}

func printGuide(env *environment.Environment, file string, took time.Duration) {
	fmt.Printf(`
Everything runs after %s. Paste into Okta (SCIM 2.0, header authentication):

  Base URL   %s
  API token  %s

Look around, in another terminal:

  source %s
  kubectl get lambdatestusers -o wide
  kubectl describe lambdatestuser ada
  kubectl lambdatest status
  kubectl lambdatest why ada@example.com
  kubectl explain lambdatestuser.spec.role
  curl -s -H "Authorization: Bearer $SCIM_TOKEN" "$SCIM_BASE_URL/Users?count=2"
  curl -s "$SIMULATOR_URL/_state"
  make conformance

Ctrl-C stops everything.
`, took.Round(100*time.Millisecond), env.Front.SCIMURL, env.Organizations["default"].SCIMToken, relative(file))
}

// relative makes a path relative if it is below the working directory.
func relative(path string) string {
	working, err := os.Getwd()
	if err != nil {
		return path
	}
	short, err := filepath.Rel(working, path)
	if err != nil || len(short) > len(path) {
		return path
	}
	return short
}
