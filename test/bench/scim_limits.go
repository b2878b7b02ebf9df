// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// largestGroup is the most members that a resource has, and largeGroups how many groups of that size are listed.
	largestGroup, largeGroups = 25_000, 10
	// largestFilter is the most terms of a filter.
	largestFilter = 100
	// relistRounds is how often the API server is restarted, after which the replicas list everybody again.
	relistRounds = 3
)

// scimLimits measures the most that one request may ask for.
func scimLimits(ctx context.Context, r *run) error {
	d, err := r.suspendedDesk(ctx, r.people(largestGroup))
	if err != nil {
		return err
	}
	if err := d.createLargeGroups(ctx); err != nil {
		return err
	}
	terms := make([]string, largestFilter)
	for i := range terms {
		terms[i] = fmt.Sprintf(`members.value eq "%d"`, i)
	}
	filter := "&filter=" + url.QueryEscape(strings.Join(terms, " or "))
	rounds := r.rounds(5)
	bytes, pages, filters := make([]float64, rounds), make([]float64, rounds), make([]float64, rounds)
	for i := range rounds {
		var page []byte
		if page, pages[i], err = d.costOf(ctx, "/Groups?count=1000"); err != nil {
			return err
		}
		if _, filters[i], err = d.costOf(ctx, "/Groups?count=1000"+filter); err != nil {
			return err
		}
		bytes[i] = float64(len(page)) / 1e6
	}
	detail := fmt.Sprintf("%d groups of %d members", largeGroups, min(largestGroup, d.count))
	return errors.Join(
		r.record("scim-page-bytes", bytes, detail), r.record("scim-page-cpu", pages, detail),
		r.record("scim-filter-cpu", filters, detail, fmt.Sprintf("%d terms", largestFilter)),
	)
}

// costOf is the answer to a GET, and the CPU time, in milliseconds, that the replica used for it.
func (d *desk) costOf(ctx context.Context, path string) ([]byte, float64, error) {
	if err := d.quiet(ctx); err != nil {
		return nil, 0, err
	}
	before, err := cpuTime(d.pid)
	if err != nil {
		return nil, 0, err
	}
	answer, err := d.provider.send(ctx, http.MethodGet, path, nil, http.StatusOK)
	if err != nil {
		return nil, 0, err
	}
	after, err := cpuTime(d.pid)
	return answer, milliseconds(after - before), err
}

// createLargeGroups makes groups of everybody, as the endpoint would, and returns when the list has them.
func (d *desk) createLargeGroups(ctx context.Context) error {
	members := make([]string, min(largestGroup, d.count))
	for i := range members {
		members[i] = d.person(i + 1).userName()
	}
	for i := range largeGroups {
		name := fmt.Sprintf("Large %d", i)
		group := &v1alpha1.LambdaTestGroup{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: environment.Namespace, Name: v1alpha1.SCIMGroupName(d.Name, name, 0),
				Labels: map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}, Finalizers: []string{v1alpha1.Finalizer},
			},
			Spec: v1alpha1.LambdaTestGroupSpec{OrganizationRef: v1alpha1.OrganizationReference{Name: d.Name}, DisplayName: name, Members: members},
		}
		if err := d.raw.Create(ctx, group); err != nil {
			return err
		}
	}
	return d.await(ctx, func(ctx context.Context) error {
		answer, err := d.provider.send(ctx, http.MethodGet, "/Groups?count=0", nil, http.StatusOK)
		if err == nil && !strings.Contains(string(answer), fmt.Sprintf(`"totalResults":%d`, largeGroups)) &&
			!strings.Contains(string(answer), fmt.Sprintf(`"totalResults":%d`, largeGroups+1)) { // that of group-add
			return fmt.Errorf("the list has not all groups: %s", answer)
		}
		return err
	})
}

// listsOfUsers is how often the API server was asked for all users since it started.
var listsOfUsers = regexp.MustCompile(`(?m)^apiserver_request_total\{[^}]*resource="lambdatestusers"[^}]*verb="LIST"[^}]*\} (\S+)$`)

// relists restarts the API server, so that the watches end and the replicas list everybody again, and compares their memory.
func relists(ctx context.Context, r *run) error {
	p, err := r.standing(ctx, r.people(manyPeople))
	if err != nil {
		return err
	}
	var all restarts
	if err := p.restedMemory(ctx, &all); err != nil {
		return err
	}
	for range relistRounds {
		if err := p.env.Plane.RestartAPIServer(ctx); err != nil {
			return err
		}
		if err := p.relisted(ctx); err != nil {
			return err
		}
	}
	if err := p.restedMemory(ctx, &all); err != nil {
		return err
	}
	before, after := all.settled[0], all.settled[1]
	return r.record("relists", []float64{after / before},
		fmt.Sprintf("%d people: %s MB before, %s MB after %d lists", p.count, number(before), number(after), relistRounds))
}

func (p *people) restedMemory(ctx context.Context, all *restarts) error {
	if err := p.run.rest(ctx); err != nil {
		return err
	}
	leader, standby, err := p.run.replicas(ctx)
	if err != nil {
		return err
	}
	return p.readMemory(ctx, leader, standby, all)
}

// relisted returns when the API server was asked for all users by each replica since it started.
func (p *people) relisted(ctx context.Context) error {
	return p.await(ctx, func(ctx context.Context) error {
		page, err := p.env.Kubectl(ctx, "get", "--raw", "/metrics")
		if err != nil {
			return err
		}
		lists := 0.0
		for _, line := range listsOfUsers.FindAllStringSubmatch(page, -1) {
			count, err := strconv.ParseFloat(line[1], 64)
			if err != nil {
				return fmt.Errorf("reading the metrics of the API server: %w", err)
			}
			lists += count
		}
		if lists < float64(len(p.env.Replicas)) {
			return fmt.Errorf("%v of %d replicas have listed the users again", lists, len(p.env.Replicas))
		}
		return nil
	})
}
