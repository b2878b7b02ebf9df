// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// scimCreate measures with few clients and with many, and records the worse of the two.
func scimCreate(ctx context.Context, r *run) error {
	d, err := r.suspendedDesk(ctx, scimPeople)
	if err != nil {
		return err
	}
	hired := &hired{desk: d}
	hired.last.Store(int64(d.count))
	if err := hired.alike(ctx); err != nil {
		return err
	}
	rounds := map[int][]pair{}
	for _, clients := range []int{8, 32} {
		if rounds[clients], err = d.alternate(ctx, clients, writing, hired.raw, hired.scim); err != nil {
			return err
		}
	}
	d.count = int(hired.last.Load())
	return errors.Join(
		r.plot("scim-create", creates(rounds)),
		r.recordWorst("scim-create", rounds, rateRatio, rates),
		r.recordWorst("scim-create-p99", rounds, p99Ratio, slowest),
	)
}

// creates shows the rounds of both ways.
func creates(rounds map[int][]pair) plot {
	p := plot{title: "Users created per second", x: "round", y: "per second"}
	for _, clients := range slices.Sorted(maps.Keys(rounds)) {
		p.series = append(p.series,
			perRound(fmt.Sprintf("SCIM, %d clients", clients), rounds[clients], func(p pair) tally { return p.subject }),
			perRound(fmt.Sprintf("API server, %d clients", clients), rounds[clients], func(p pair) tally { return p.baseline }))
	}
	return p
}

func perRound(name string, pairs []pair, arm func(pair) tally) series {
	s := series{name: name}
	for i, p := range pairs {
		s.points = append(s.points, point{float64(i + 1), arm(p).rate()})
	}
	return s
}

func slowest(pairs []pair) string {
	return fmt.Sprintf("%s ms and %s ms",
		middle(pairs, func(p pair) float64 { return milliseconds(p.subject.at(0.99)) }),
		middle(pairs, func(p pair) float64 { return milliseconds(p.baseline.at(0.99)) }))
}

// recordWorst records the number of clients whose median is the furthest from the goal; the details have them all.
func (r *run) recordWorst(figure string, rounds map[int][]pair, value func(pair) float64, detail func([]pair) string) error {
	goal := r.goals[figure]
	var worst []float64
	var details []string
	for _, clients := range slices.Sorted(maps.Keys(rounds)) {
		values := each(rounds[clients], value)
		details = append(details, fmt.Sprintf("%d clients: %s (%s)", clients, number(median(values)), detail(rounds[clients])))
		if worst == nil || goal.worse(median(values), median(worst)) {
			worst = values
		}
	}
	return r.record(figure, worst, details...)
}

// hired creates people who did not exist, by either way.
type hired struct {
	*desk
	last atomic.Int64
}

func (h *hired) next() person { return h.person(int(h.last.Add(1))) }

func (h *hired) raw(ctx context.Context) error {
	return h.people.raw.Create(ctx, h.next().resource())
}

func (h *hired) scim(ctx context.Context) error {
	return h.provider.create(ctx, h.next())
}

// alike makes sure that both ways write the same object.
func (h *hired) alike(ctx context.Context) error {
	who := h.next()
	wanted := who.resource()
	if err := h.people.raw.Create(ctx, wanted, client.DryRunAll); err != nil { // with the defaults of the API server
		return err
	}
	if err := h.provider.create(ctx, who); err != nil {
		return err
	}
	made, err := h.read(ctx, who)
	if err != nil {
		return err
	}
	if difference := cmp.Diff(essence(wanted), essence(made)); difference != "" {
		return fmt.Errorf("the two ways to create somebody differ (-raw +SCIM):\n%s", difference)
	}
	return nil
}

// essence is what a client sends, without values that are the hour's.
func essence(user *v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
	essence := &v1alpha1.LambdaTestUser{Spec: user.Spec}
	essence.Name, essence.Labels, essence.Finalizers = user.Name, user.Labels, user.Finalizers
	essence.Annotations = map[string]string{}
	for name := range user.Annotations {
		essence.Annotations[name] = ""
	}
	return essence
}
