// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

// run is what a benchmark works with.
type run struct {
	// quick asks for a short pass: fewer rounds, shorter ones, fewer people.
	quick bool

	started time.Time
	goals   map[string]goal
	results *results
	env     *environment.Environment
	shared  map[string]*people
	plots   string
	// profiles is the folder for profiles; empty takes none.
	profiles      string
	stopProfiling context.CancelFunc
}

// progress prints a line about what the run is doing.
func (r *run) progress(format string, values ...any) {
	fmt.Printf("%6s  %s\n", time.Since(r.started).Round(time.Second), fmt.Sprintf(format, values...))
}

// record keeps a figure, one value a round. The value of the figure is their median, or the worst where the goal is for every round.
// Details are what helps to understand it, such as the rates behind a ratio.
func (r *run) record(figure string, values []float64, details ...string) error {
	goal, known := r.goals[figure]
	if !known {
		return fmt.Errorf("figure %s has no goal in goals.json", figure)
	}
	result := newResult(goal, values)
	result.Detail, result.Quick = details, r.quick
	r.results.put(result)
	r.progress("%s: %s", figure, result.sentence())
	for _, line := range details {
		r.progress("    %s", line)
	}
	return r.results.write()
}

// cost adds to a figure that was recorded what so many people take of something: the median of the rounds.
func (r *run) cost(figure string, people int, what string, values []float64, unit string) error {
	result, recorded := r.results.all[figure]
	if !recorded {
		return fmt.Errorf("figure %s has costs and no value", figure)
	}
	result.Costs = append(result.Costs, cost{what, median(values), unit, people})
	r.results.all[figure] = result
	return r.results.write()
}

// plot keeps a drawing for docs/performance.md.
func (r *run) plot(name string, p plot) error {
	if err := os.MkdirAll(r.plots, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.plots, name+".svg"), p.svg(), 0o644)
}

// rounds is how often something is measured: the given number, or three times in a short pass.
func (r *run) rounds(full int) int {
	if r.quick {
		return min(full, 3)
	}
	return full
}

// people is how many to work with: a tenth of those above 10 000 in a short pass, but never fewer than that.
func (r *run) people(full int) int {
	if r.quick && full > 10_000 {
		return max(full/10, 10_000)
	}
	return full
}

// operatorFlags let a replica answer as much as it can: the limit of requests is there for tokens that went astray.
var operatorFlags = []string{"--scim-requests-per-second=1000000"}

// environment runs the product: it is started for the first benchmark that asks, and kept for the others.
func (r *run) environment(ctx context.Context) (*environment.Environment, error) {
	if r.env != nil {
		return r.env, nil
	}
	r.progress("starting control plane, simulator and two replicas")
	env, err := environment.Start(ctx, environment.Options{
		OperatorFlags: operatorFlags,
		Organizations: []environment.Organization{},
		Progress:      io.Discard,
	})
	if err != nil {
		return nil, err
	}
	r.env = env
	if r.profiles != "" {
		profiling, stop := context.WithCancel(ctx)
		r.stopProfiling = stop
		r.profile(profiling, env)
	}
	return env, nil
}

// stop ends the environment; the next benchmark that needs one gets an empty one.
func (r *run) stop() {
	if r.stopProfiling != nil {
		r.stopProfiling()
	}
	if r.env != nil {
		r.env.Stop()
	}
	r.env, r.shared = nil, map[string]*people{}
}

// leads is what the metrics of the leader say.
var leads = regexp.MustCompile(`(?m)^leader_election_master_status\{[^}]*\} 1$`)

// replicas returns the replica that leads and one that does not.
func (r *run) replicas(ctx context.Context) (leader, standby *environment.Replica, err error) {
	env, err := r.environment(ctx)
	if err != nil {
		return nil, nil, err
	}
	err = environment.Await(ctx, func(ctx context.Context) error {
		leader, standby = nil, nil
		for _, replica := range env.Replicas {
			page, err := fetch(ctx, replica.MetricsURL)
			switch {
			case err == nil && leads.MatchString(page):
				leader = replica
			case err == nil:
				standby = replica
			}
		}
		if leader == nil || standby == nil {
			return fmt.Errorf("not both a leader and a replica without the lead")
		}
		return nil
	})
	return leader, standby, err
}

// fetch reads a page and does not wait for a replica that is paused.
func fetch(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return download(ctx, url)
}

func download(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s", url, response.Status)
	}
	page, err := io.ReadAll(response.Body)
	return string(page), err
}
