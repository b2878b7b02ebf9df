// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// sweepInterval is the shortest that is allowed.
	sweepInterval = time.Second
	// callsPerSecond is the rate limit: one person in ten may be read on their own between two sweeps.
	callsPerSecond = 100
	// pageSize makes a list of few people have several pages.
	pageSize = 6
	// reassertAfter is how long a mapping takes to set its concurrency group back.
	reassertAfter = 300 * time.Millisecond
)

// run is one run: the environment, and all stories.
type run struct {
	env     *environment.Environment
	options options
	space   space
	stories []*story
	words   *words

	// restart is closed once the leader was restarted, with restartErr.
	restart    chan struct{}
	restartErr error

	began  time.Time
	mu     sync.Mutex
	out    io.Writer
	played map[string]int // stories that have played a step
}

// passed tells when all stories have played a step.
func (r *run) passed(step string) {
	r.mu.Lock()
	r.played[step]++
	all := r.played[step] == len(r.stories)
	r.mu.Unlock()
	if all {
		r.progress("played in all combinations: %s", step)
	}
}

func (r *run) progress(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.out, "%7.1fs  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}

// start starts everything, with an organization for each combination.
func start(ctx context.Context, rows [][]int, o options, out io.Writer) (*run, error) {
	r := &run{options: o, space: readingSpace(), restart: make(chan struct{}), began: time.Now(), out: out, played: map[string]int{}}
	var err error
	if r.words, err = documentedWords(); err != nil {
		return nil, err
	}
	var organizations []environment.Organization
	for i, row := range rows {
		if o.only == 0 || o.only == i+1 {
			s := newStory(r, i+1, row)
			r.stories = append(r.stories, s)
			organizations = append(organizations, s.organization())
		}
	}
	r.env, err = environment.Start(ctx, environment.Options{Organizations: organizations, Progress: out})
	if err != nil {
		return nil, err
	}
	for _, s := range r.stories {
		s.Organization = r.env.Organizations[s.name()]
	}
	return r, nil
}

// organization is the organization of a story: the people who are there before the operator, and what the administrators have made.
func (s *story) organization() environment.Organization {
	return environment.Organization{
		Name: s.name(),
		Spec: v1alpha1.LambdaTestOrganizationSpec{
			SyncInterval: metav1.Duration{Duration: sweepInterval},
			RateLimit:    v1alpha1.RateLimit{RequestsPerSecond: callsPerSecond, Burst: callsPerSecond},
		},
		Simulate: []simulator.Option{
			simulator.Reads(s.settings),
			simulator.With(simulator.Switches{PageSize: pageSize, MaxPageSize: pageSize, ReassertAfter: simulator.Duration(reassertAfter)}),
			simulator.Seed(s.run.options.seed + uint64(s.number)),
			simulator.KeepChanges(),
			simulator.ConcurrencyGroups("QA", "Web"),
			simulator.Accounts(s.employed()...),
		},
	}
}

// playAll plays all stories side by side. All of them wait for each other before the leader is restarted.
func (r *run) playAll(ctx context.Context) {
	var all, expected sync.WaitGroup
	expected.Add(len(r.stories))
	for _, s := range r.stories {
		arrive := sync.OnceFunc(expected.Done)
		s.restarted = func(ctx context.Context) error {
			arrive()
			select {
			case <-r.restart:
				return r.restartErr
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		all.Go(func() {
			defer arrive()
			s.play(ctx)
		})
	}
	expected.Wait()
	begun := time.Now()
	r.restartErr = r.restartLeader(ctx)
	r.progress("the leader was restarted, and a replica leads after %s", time.Since(begun).Round(time.Millisecond))
	close(r.restart)
	all.Wait()
}

// restartLeader ends the process of the leader in order, as an upgrade does, starts it again, and waits until a replica leads.
func (r *run) restartLeader(ctx context.Context) error {
	leader, err := r.leader(ctx)
	if err != nil {
		return err
	}
	leader.Stop()
	if err := leader.Start(ctx); err != nil {
		return err
	}
	return environment.Await(ctx, func(ctx context.Context) error {
		_, err := r.leader(ctx)
		return err
	})
}

var leads = regexp.MustCompile(`(?m)^leader_election_master_status\{[^}]*\} 1$`)

func (r *run) leader(ctx context.Context) (*environment.Replica, error) {
	for _, replica := range r.env.Replicas {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, replica.MetricsURL, nil)
		if err != nil {
			return nil, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue
		}
		page, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err == nil && leads.Match(page) {
			return replica, nil
		}
	}
	return nil, errors.New("no replica leads")
}

// met says whether the story met each switch.
func (s *story) met() []bool {
	answers := s.LambdaTest.Answers()
	met := make([]bool, len(s.row))
	for factor, reading := range simulator.Readings() {
		met[factor] = answers[reading.Name][s.settings[reading.Name]] > 0
	}
	return met
}

// keep copies what helps to understand a violation.
func (r *run) keep(ctx context.Context) {
	for _, replica := range r.env.Replicas {
		if content, err := os.ReadFile(replica.LogPath()); err == nil {
			_ = os.WriteFile(filepath.Join(r.options.out, "contract-"+replica.Name()+".log"), content, 0o600)
		}
	}
	shown, err := r.env.Kubectl(ctx, "get", "lambdatestorganizations,lambdatestgroups,lambdatestusers", "--all-namespaces", "--output=yaml")
	if err == nil {
		_ = os.WriteFile(filepath.Join(r.options.out, "contract-resources.yaml"), []byte(shown), 0o600)
	}
	for _, s := range r.stories {
		if len(s.found) > 0 {
			s.keepCalls()
		}
	}
}

// moduleFile reads a file of this repository.
func moduleFile(name string) (string, error) {
	root, err := controlplane.ModuleRoot()
	if err != nil {
		return "", err
	}
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		return "", fmt.Errorf("reading the documentation: %w", err)
	}
	return string(content), nil
}
