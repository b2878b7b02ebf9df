// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync/atomic"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// clients are how many call at once unless a benchmark says otherwise.
	clients = 8
	// scimPeople are in the organization on which the endpoint is measured.
	scimPeople = 10_000
)

// scimBenchmarks measure the endpoint against the API server, on an organization that is suspended, at a replica without the lead.
func scimBenchmarks() []benchmark {
	return []benchmark{
		{name: "scim-get", about: "GET by id, and reads in the API server", run: scimGet},
		{name: "scim-filter", about: "a lookup by userName, and reads in the API server", run: scimFilter},
		{name: "scim-list", about: "pages out of 10 000, and those of a server that has them in memory", run: scimList},
		{name: "scim-update", about: "PATCH of one attribute, and reads and updates in the API server", run: scimUpdate},
		{name: "group-add", about: "members that are added one at a time to a group of 10 000", figures: []string{"group-add", "group-add-lost"}, run: groupAdd},
		{name: "scim-patch-worst", about: "the PATCH of a group that costs most CPU time within the limits", run: scimPatchWorst},
		{name: "scim-create", about: "POST, and creates in the API server", figures: []string{"scim-create", "scim-create-p99"}, run: scimCreate},
		{
			name: "scim-limits", about: "the longest answer, and the most costly filter, that one request may ask for",
			figures: []string{"scim-page-bytes", "scim-page-cpu", "scim-filter-cpu"}, run: scimLimits,
		},
	}
}

// scimListBenchmarks need 100 000 people, who stand already when they run.
func scimListBenchmarks() []benchmark {
	return []benchmark{
		{name: "scim-list-depth", about: "the last page of 100 000, and the first", run: scimListDepth},
		{name: "scim-filter-scan", about: "a filter that checks each of 100 000 people", run: scimFilterScan},
	}
}

// desk is where the endpoint is measured: an organization, a provider that talks to the replica without the lead, and the API server.
type desk struct {
	*people
	provider *provider
	pid      int // of the replica without the lead
	leader   *environment.Replica
}

func (r *run) desk(ctx context.Context, who *people, err error) (*desk, error) {
	if err != nil {
		return nil, err
	}
	leader, standby, err := r.replicas(ctx)
	if err != nil {
		return nil, err
	}
	d := &desk{people: who, provider: newProvider(standby.SCIMURL, who.SCIMToken), pid: standby.PID(), leader: leader}
	return d, d.shown(ctx)
}

// shown returns when the replica's lists have everybody who exists.
func (d *desk) shown(ctx context.Context) error {
	return d.await(ctx, func(ctx context.Context) error {
		total, err := d.provider.total(ctx)
		if err == nil && total < d.count {
			return fmt.Errorf("the list has %d of %d people", total, d.count)
		}
		return err
	})
}

// busy is what a replica says of its controllers: who waits, and who is worked on.
var busy = regexp.MustCompile(`(?m)^(?:workqueue_depth|controller_runtime_active_workers)\{[^}]*\} ([1-9]\S*)$`)

// quiet waits until the leader has no work left. It writes to each person's status that the organization is suspended, and continues with
// that after the calls that created the people were answered.
func (d *desk) quiet(ctx context.Context) error {
	return d.await(ctx, func(ctx context.Context) error {
		page, err := fetch(ctx, d.leader.MetricsURL)
		if waiting := busy.FindString(page); err == nil && waiting != "" {
			return fmt.Errorf("the leader is at work: %s", waiting)
		}
		return err
	})
}

func (r *run) suspendedDesk(ctx context.Context, count int) (*desk, error) {
	who, err := r.suspended(ctx, count)
	return r.desk(ctx, who, err)
}

// anybody returns a person who exists.
func (d *desk) anybody() person { return d.person(1 + rand.IntN(d.count)) }

func (d *desk) read(ctx context.Context, who person) (*v1alpha1.LambdaTestUser, error) {
	user := &v1alpha1.LambdaTestUser{}
	return user, d.raw.Get(ctx, client.ObjectKeyFromObject(who.resource()), user)
}

func (d *desk) rawGet(ctx context.Context) error {
	_, err := d.read(ctx, d.anybody())
	return err
}

func scimGet(ctx context.Context, r *run) error {
	return r.readBenchmark(ctx, "scim-get", (*provider).get)
}

func scimFilter(ctx context.Context, r *run) error {
	return r.readBenchmark(ctx, "scim-filter", (*provider).find)
}

func (r *run) readBenchmark(ctx context.Context, figure string, read func(*provider, context.Context, person) error) error {
	d, err := r.suspendedDesk(ctx, scimPeople)
	if err != nil {
		return err
	}
	pairs, err := d.alternate(ctx, clients, reading, d.rawGet, func(ctx context.Context) error { return read(d.provider, ctx, d.anybody()) })
	if err != nil {
		return err
	}
	return r.record(figure, each(pairs, rateRatio), rates(pairs))
}

// rates are what a ratio was made from, and what the subject costs.
func rates(pairs []pair) string {
	return fmt.Sprintf("%s/s and %s/s, the replica used %s µs of CPU time more for each",
		middle(pairs, func(p pair) float64 { return p.subject.rate() }),
		middle(pairs, func(p pair) float64 { return p.baseline.rate() }),
		middle(pairs, addedCPU))
}

// middle is the median over the rounds, as it is shown.
func middle(pairs []pair, value func(pair) float64) string { return number(median(each(pairs, value))) }

func scimUpdate(ctx context.Context, r *run) error {
	d, err := r.suspendedDesk(ctx, scimPeople)
	if err != nil {
		return err
	}
	var turn atomic.Int64
	// Everybody in turn, so that no two clients meet at one person, and a name that nobody had.
	next := func() (person, string) {
		n := int(turn.Add(1))
		return d.person(1 + n%d.count), fmt.Sprintf("Display Name %d", n)
	}
	pairs, err := d.alternate(ctx, clients, writing, func(ctx context.Context) error {
		who, name := next()
		user, err := d.read(ctx, who)
		if err != nil {
			return err
		}
		user.Spec.DisplayName = name
		return d.raw.Update(ctx, user)
	}, func(ctx context.Context) error {
		who, name := next()
		return d.provider.rename(ctx, who, name)
	})
	if err != nil {
		return err
	}
	return r.record("scim-update", each(pairs, rateRatio), rates(pairs))
}
