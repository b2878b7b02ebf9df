// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

// report is out/chaos.json.
type report struct {
	Seed         uint64 `json:"seed"`
	Duration     string `json:"duration"`
	Operations   int    `json:"operations"`
	Acknowledged int    `json:"acknowledged"`
	Unknown      int    `json:"unknown"`
	TurnedAway   int64  `json:"turnedAway"`

	Lost       int `json:"lost"`
	Duplicates int `json:"duplicates"`
	DenyLate   int `json:"deny_late"`

	// Settled is the time until LambdaTest and resources agreed; Vacant is the time without a leader.
	Settled string `json:"settled"`
	Vacant  string `json:"vacant"`

	People         int   `json:"people"`
	Groups         int   `json:"groups"`
	Manifests      int64 `json:"manifests"`
	Edits          int64 `json:"edits"`
	Refusals       int64 `json:"refusals"`
	UpstreamWrites int   `json:"upstreamWrites"`

	Violations int                  `json:"violations"`
	Found      []promises.Violation `json:"found,omitempty"`
	Faults     map[string]int       `json:"faults"`
}

// examine waits until everything has settled, and runs the checks.
func (r *run) examine(ctx context.Context, out string) (*report, error) {
	report := &report{
		Faults: r.faults.Counts(), TurnedAway: r.world.TurnedAway.Load(), Manifests: r.world.Manifests.Load(),
		Edits: r.world.Edits.Load(), Refusals: r.world.Refusals.Load(),
	}
	took, unsettled := r.settle(ctx)
	r.settledAt = r.world.Now()
	report.Settled = took.Round(time.Millisecond).String()
	r.progress("everything agrees after %s", report.Settled)
	report.tell(r, unsettled)
	if len(unsettled) > 0 {
		r.keepResources(ctx, out)
	}
	report.tell(r, r.world.ReadAll(ctx, r.organizations()))
	report.tell(r, r.stirs(ctx))
	report.compareRecord(r, out)
	if err := report.compareResources(ctx, r); err != nil {
		return nil, err
	}
	if report.Violations > 0 {
		return report, ctx.Err() // what else is wrong can wait
	}
	grown, err := r.grown(ctx)
	if err != nil {
		return nil, err
	}
	report.tell(r, grown)
	return report, ctx.Err()
}

// compareRecord runs the checks of requests, answers and LambdaTest's records.
func (p *report) compareRecord(r *run, out string) {
	record := r.record()
	found := append(record.Violations(filepath.Join(out, "chaos-")),
		promises.OverGuard(r.pruned().Name, r.pruned().Crew(), record.Changes, r.prunedAt)...)
	found = append(found, promises.Intruded(r.world.Intrusions.Counts())...)
	p.tell(r, found)
	for _, v := range found {
		switch v.Check {
		case "lost":
			p.Lost++
		case "deny":
			p.DenyLate++
		case "duplicates":
			p.Duplicates++
		}
	}
	p.count(record)
	p.UpstreamWrites = r.upstreamWrites()
}

// record is everything that was recorded.
func (r *run) record() *promises.Record {
	people, groups := r.claims.All()
	return &promises.Record{
		Users: r.world.Users.All(), Groups: r.world.Groups.All(), People: people, GroupVersions: groups, Changes: r.accountChanges(),
		Trouble: r.trouble.All(), Terms: r.replicaW.history(), Guards: r.guards(), End: r.world.Now(), Bounds: promises.Promised(sweepTime),
	}
}

// guards are the limits of all organizations.
func (r *run) guards() map[string]promises.GuardLimits {
	limits := map[string]promises.GuardLimits{}
	for _, t := range r.tenants {
		limits[t.Name] = promises.DefaultGuard()
	}
	return limits
}

// accountChanges are LambdaTest's records of all organizations.
func (r *run) accountChanges() map[string][]promises.AccountChange {
	all := map[string][]promises.AccountChange{}
	for _, t := range r.tenants {
		maps.Copy(all, promises.ChangesOf(t.Name, t.LambdaTest.Changes(), r.world.Began))
	}
	return all
}

// count fills in how much there was.
func (p *report) count(record *promises.Record) {
	p.Operations, p.Groups = len(record.Users)+len(record.Groups), len(promises.BySubject(record.Groups))
	p.People = len(record.Changes)
	for _, o := range record.Users {
		p.note(o.Out.Acknowledged(), o.Out.Unknown)
	}
	for _, o := range record.Groups {
		p.note(o.Out.Acknowledged(), o.Out.Unknown)
	}
	var vacant time.Duration
	for _, v := range promises.VacanciesOf(record.Terms) {
		vacant += v.To - v.From
	}
	p.Vacant = vacant.Round(time.Millisecond).String()
}

func (p *report) note(acknowledged, unknown bool) {
	if acknowledged {
		p.Acknowledged++
	}
	if unknown {
		p.Unknown++
	}
}

// compareResources runs the checks of the final resources.
func (p *report) compareResources(ctx context.Context, r *run) error {
	s, err := r.snapshot(ctx)
	if err != nil {
		return err
	}
	twice := s.Duplicates()
	p.Duplicates += len(twice)
	p.tell(r, append(twice, s.Conditions()...))
	return nil
}

// tell adds violations, and prints them.
func (p *report) tell(r *run, found []promises.Violation) {
	p.Found = append(p.Found, found...)
	p.Violations = len(p.Found)
	for _, v := range found {
		r.progress("VIOLATION %s: %s: %s", v.Check, v.Whom, v.Detail)
	}
}

func (p *report) write(out string) error {
	encoded, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "chaos.json"), append(encoded, '\n'), 0o600); err != nil {
		return err
	}
	fmt.Println(string(encoded))
	if p.Violations > 0 {
		return p.broken()
	}
	return nil
}

// broken is the last line of the output, because a reader may see only that line.
func (p *report) broken() error {
	checks := map[string]int{}
	for _, v := range p.Found {
		checks[v.Check]++
	}
	first := p.Found[0]
	return fmt.Errorf("promises were not kept (%v), the first: %s: %s: %.300s", checks, first.Check, first.Whom, first.Detail)
}

// keepStories writes everything that is known about the subjects of violations, one line per event, in the order of time.
func (r *run) keepStories(out string, found []promises.Violation) {
	file, err := os.Create(filepath.Join(out, "chaos-stories.txt"))
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }()
	told := map[string]bool{}
	for _, v := range found {
		if promises.OrganizationOf(v.Whom) != v.Whom && !told[v.Whom] {
			told[v.Whom] = true
			r.tellStory(file, v.Whom)
		}
	}
}

// line is one event about a subject.
type line struct {
	at   promises.Moment
	text string
}

func (r *run) tellStory(out io.Writer, whom string) {
	var lines []line
	tell := func(at promises.Moment, format string, args ...any) {
		lines = append(lines, line{at, fmt.Sprintf(format, args...)})
	}
	for _, o := range r.world.Users.All() {
		if o.Subject == whom {
			tell(o.Call, "user %d until %s: %s -> %s", o.Client, o.Return, promises.Plain(o.In), promises.Plain(o.Out))
		}
	}
	for _, o := range r.world.Groups.All() {
		if o.Subject == whom {
			tell(o.Call, "group %d until %s: %s -> %s", o.Client, o.Return, promises.Plain(o.In), promises.Plain(o.Out))
		}
	}
	people, _ := r.claims.All()
	for _, v := range people {
		if v.Subject == whom {
			tell(v.At, "resource %s generation %d denies %v counts %v gone %v", v.Name, v.Generation, v.Denies, v.Counts, v.Gone)
		}
	}
	for _, c := range r.accountChanges()[whom] {
		tell(c.At, "LambdaTest %q lost %v: active %v -> %v, role %s -> %s", c.Call, c.Lost, c.Before.Active, c.After.Active, c.Before.Role, c.After.Role)
	}
	for _, c := range r.groupCalls(whom) {
		tell(c.Time.Sub(r.world.Began), "LambdaTest %s %s fault %q: %d %s", c.Method, c.Path, c.Fault, c.Status, c.Body)
	}
	for _, p := range slices.Concat(r.trouble.All(), r.replicaW.history()) {
		if p.Whom == promises.Everybody || p.Whom == promises.OrganizationOf(whom) || strings.HasPrefix(p.Whom, "operator") {
			tell(p.From, "%s %s until %s", p.What, p.Whom, p.To)
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	fmt.Fprintf(out, "\n%s\n", whom)
	for _, l := range lines {
		fmt.Fprintf(out, "%12s  %s\n", l.at.Round(time.Millisecond), l.text)
	}
}

// groupCalls are those that wrote a group at LambdaTest.
func (r *run) groupCalls(whom string) []simulator.Call {
	t := r.tenant(promises.OrganizationOf(whom))
	name := strings.TrimPrefix(whom, t.Name+"/")
	group, there := t.LambdaTest.Group(name)
	return slices.DeleteFunc(t.LambdaTest.Calls(), func(c simulator.Call) bool {
		named := strings.Contains(v1alpha1.FoldDisplayName(c.Body), `"`+name+`"`) || there && strings.HasSuffix(c.Path, "/"+group.ID)
		return c.Method == http.MethodGet || !strings.Contains(c.Path, "/Groups") || !named
	})
}

func lastOf[T any](items []T, most int) []T { return items[max(0, len(items)-most):] }

// keepResources writes the output of kubectl, the metrics of the replicas, and the last calls at LambdaTest.
func (r *run) keepResources(ctx context.Context, out string) {
	for _, replica := range r.env.Replicas {
		page, _ := fetch(ctx, replica.MetricsURL)
		_ = os.WriteFile(filepath.Join(out, "chaos-"+replica.Name()+".metrics"), []byte(page), 0o600)
	}
	for _, t := range r.tenants {
		calls, _ := json.MarshalIndent(lastOf(t.LambdaTest.Calls(), 200), "", " ")
		_ = os.WriteFile(filepath.Join(out, "chaos-calls-"+t.Name+".json"), calls, 0o600)
	}
	shown, err := r.env.Kubectl(ctx, "get", "lambdatestorganizations,lambdatestgroups,lambdatestusers", "--all-namespaces", "--output=yaml")
	if err == nil {
		_ = os.WriteFile(filepath.Join(out, "chaos-resources.yaml"), []byte(shown), 0o600)
	}
}
