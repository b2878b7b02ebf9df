// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
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

	Violations int            `json:"violations"`
	Found      []violation    `json:"found,omitempty"`
	Faults     map[string]int `json:"faults"`
}

// examine waits until everything has settled, and runs the checks.
func (r *run) examine(ctx context.Context, out string) (*report, error) {
	report := &report{
		Faults: r.faults.counts, TurnedAway: r.turnedAway.Load(), Manifests: r.manifests.Load(), Edits: r.edits.Load(), Refusals: r.refusals.Load(),
	}
	took, unsettled := r.settle(ctx)
	r.settledAt = r.now()
	report.Settled = took.Round(time.Millisecond).String()
	r.progress("everything agrees after %s", report.Settled)
	report.tell(r, unsettled)
	if len(unsettled) > 0 {
		r.keepResources(ctx, out)
	}
	report.tell(r, r.readAll(ctx))
	report.tell(r, r.stirs(ctx))
	report.compareAccounts(r)
	report.compareHistories(r, out)
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

// compareAccounts runs the checks of LambdaTest's records.
func (p *report) compareAccounts(r *run) {
	terms, trouble, changes := r.replicaW.history(), r.trouble.all(), r.accountChanges()
	people, groups := r.claims.all()
	vacancies, reasons, versions := vacanciesOf(terms), reasonsOf(people, groups), map[string][]version{}
	for _, v := range people {
		versions[v.Subject] = append(versions[v.Subject], v)
	}
	end := r.now()
	for subject, ofPerson := range changes {
		inTheWay := troubleOf(organizationOf(subject), trouble, terms)
		late := lateDenials(subject, versions[subject], ofPerson, inTheWay, vacancies, end)
		p.DenyLate += len(late)
		p.tell(r, late)
		p.tell(r, needlessWrites(subject, reasons[subject], ofPerson, inTheWay, terms))
		p.tell(r, idleWrites(subject, ofPerson, inTheWay, terms))
	}
	p.tell(r, overGuard(r.pruned().name, r.pruned().crew, changes, r.prunedAt))
	p.tell(r, intruded(r.intrusions.counts))
	p.People, p.UpstreamWrites = len(changes), r.upstreamWrites()
	var vacant time.Duration
	for _, v := range vacancies {
		vacant += v.To - v.From
	}
	p.Vacant = vacant.Round(time.Millisecond).String()
}

// compareHistories runs the checks of requests and answers.
func (p *report) compareHistories(r *run, out string) {
	users, groups := r.users.all(), r.groups.all()
	p.Operations, p.Groups = len(users)+len(groups), len(bySubject(groups))
	for _, o := range users {
		p.note(o.Out.acknowledged(), o.Out.Unknown)
	}
	for _, o := range groups {
		p.note(o.Out.acknowledged(), o.Out.Unknown)
	}
	lost := append(lostUsers(users), lostGroups(groups)...)
	p.Lost = len(lost)
	p.tell(r, lost)
	p.tell(r, linearizable("user", users, userModel(), out))
	p.tell(r, linearizable("group", groups, groupModel(), out))
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
	twice := s.duplicates(r.accountNames(), r.accountChanges())
	p.Duplicates = len(twice)
	p.tell(r, twice)
	return nil
}

// tell adds violations, and prints them.
func (p *report) tell(r *run, found []violation) {
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
func (r *run) keepStories(out string, found []violation) {
	file, err := os.Create(filepath.Join(out, "chaos-stories.txt"))
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }()
	told := map[string]bool{}
	for _, v := range found {
		if organizationOf(v.Whom) != v.Whom && !told[v.Whom] {
			told[v.Whom] = true
			r.tellStory(file, v.Whom)
		}
	}
}

// line is one event about a subject.
type line struct {
	at   moment
	text string
}

func (r *run) tellStory(out io.Writer, whom string) {
	var lines []line
	tell := func(at moment, format string, args ...any) {
		lines = append(lines, line{at, fmt.Sprintf(format, args...)})
	}
	for _, o := range r.users.all() {
		if o.Subject == whom {
			tell(o.Call, "user %d until %s: %s -> %s", o.Client, o.Return, plain(o.In), plain(o.Out))
		}
	}
	for _, o := range r.groups.all() {
		if o.Subject == whom {
			tell(o.Call, "group %d until %s: %s -> %s", o.Client, o.Return, plain(o.In), plain(o.Out))
		}
	}
	people, _ := r.claims.all()
	for _, v := range people {
		if v.Subject == whom {
			tell(v.At, "resource %s generation %d denies %v counts %v gone %v", v.Name, v.Generation, v.Denies, v.Counts, v.Gone)
		}
	}
	for _, c := range r.accountChanges()[whom] {
		tell(c.At, "LambdaTest %q lost %v: active %v -> %v, role %s -> %s", c.Call, c.Lost, c.Before.Active, c.After.Active, c.Before.Role, c.After.Role)
	}
	for _, c := range r.groupCalls(whom) {
		tell(c.Time.Sub(r.began), "LambdaTest %s %s fault %q: %d %s", c.Method, c.Path, c.Fault, c.Status, c.Body)
	}
	for _, p := range slices.Concat(r.trouble.all(), r.replicaW.history()) {
		if p.Whom == everybody || p.Whom == organizationOf(whom) || strings.HasPrefix(p.Whom, "operator") {
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
	t := r.tenant(organizationOf(whom))
	name := strings.TrimPrefix(whom, t.name+"/")
	group, there := t.lambdaTest.Group(name)
	return slices.DeleteFunc(t.lambdaTest.Calls(), func(c simulator.Call) bool {
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
		calls, _ := json.MarshalIndent(lastOf(t.lambdaTest.Calls(), 200), "", " ")
		_ = os.WriteFile(filepath.Join(out, "chaos-calls-"+t.name+".json"), calls, 0o600)
	}
	shown, err := r.env.Kubectl(ctx, "get", "lambdatestorganizations,lambdatestgroups,lambdatestusers", "--all-namespaces", "--output=yaml")
	if err == nil {
		_ = os.WriteFile(filepath.Join(out, "chaos-resources.yaml"), []byte(shown), 0o600)
	}
}
