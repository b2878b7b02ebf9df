// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// profileTime is how long one profile of the CPU is, so that a benchmark has several.
	profileTime = 15 * time.Second
	// profilePause is for a process that is not there at the moment.
	profilePause = 100 * time.Millisecond
)

// profile takes profiles of replicas and API server, one after the other, until ctx ends. A file's name begins with the second in which
// its profile does, as lines of progress begin with theirs. Profiles cost what they show: figures are taken without.
func (r *run) profile(ctx context.Context, env *environment.Environment) {
	for _, replica := range env.Replicas {
		address := strings.TrimSuffix(replica.MetricsURL, "/metrics")
		go r.keepProfiling(ctx, replica.Name(), func(ctx context.Context, path string) (string, error) {
			return download(ctx, address+path)
		})
	}
	go r.keepProfiling(ctx, "kube-apiserver", func(ctx context.Context, path string) (string, error) {
		return env.Kubectl(ctx, "get", "--raw", path)
	})
}

func (r *run) keepProfiling(ctx context.Context, process string, get func(context.Context, string) (string, error)) {
	cpu := fmt.Sprintf("/debug/pprof/profile?seconds=%d", int(profileTime.Seconds()))
	told := false
	for ctx.Err() == nil {
		name := fmt.Sprintf("%05d-%s", int(time.Since(r.started).Seconds()), process)
		err := r.keepProfile(ctx, name+"-cpu", cpu, get)
		if err == nil {
			err = r.keepProfile(ctx, name+"-heap", "/debug/pprof/heap", get)
		}
		if err != nil {
			if !told && ctx.Err() == nil { // later ones are normal: replicas are killed
				r.progress("a profile of %s could not be taken: %v", process, err)
				told = true
			}
			time.Sleep(profilePause)
		}
	}
}

func (r *run) keepProfile(ctx context.Context, name, path string, get func(context.Context, string) (string, error)) error {
	ctx, cancel := context.WithTimeout(ctx, 2*profileTime)
	defer cancel()
	profile, err := get(ctx, path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.profiles, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.profiles, name+".pprof"), []byte(profile), 0o644)
}
