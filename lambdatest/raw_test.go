// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// The documents do not say whether active is a boolean in answers.
func TestActiveMayBeAString(t *testing.T) {
	sim, client := connected(t, simulator.Population(2), simulator.Reads(simulator.Settings{"values-of-active": "strings"}))
	if _, err := sim.EditAccount("user-000002@example.com", func(a *simulator.Account) { a.Active = false }); err != nil {
		t.Fatal(err)
	}

	page, err := client.ListUsers(t.Context(), 1, 10)

	if err != nil || len(page.Items) != 2 || !page.Items[0].Active || page.Items[1].Active {
		t.Errorf("the list shows %+v (%v), want one active account and one inactive", page.Items, err)
	}
}

func TestRawShowsTheAnswerAsItCame(t *testing.T) {
	_, client := connected(t, simulator.Population(1), simulator.Reads(simulator.Settings{"errors": "html"}))

	refused, err := client.Raw(t.Context(), http.MethodGet, "/Users/999", nil, nil)
	if err != nil || refused.Status != http.StatusNotFound || !strings.HasPrefix(string(refused.Body), "<!DOCTYPE html>") {
		t.Errorf("the refusal is %d %q (%v)", refused.Status, refused.Body, err)
	}
	found, err := client.Raw(t.Context(), http.MethodGet, "/Users", url.Values{"count": {"1"}}, nil)
	if err != nil || found.Status != http.StatusOK || !strings.Contains(string(found.Body), "totalResults") {
		t.Errorf("the list is %d %q (%v)", found.Status, found.Body, err)
	}
}

func TestRawHasNoAnswerOfLambdaTestWhenItRefusesTheTokenOrIsDown(t *testing.T) {
	for status, kind := range map[int]string{
		http.StatusUnauthorized: "unauthorized", http.StatusTooManyRequests: "rate limited", http.StatusServiceUnavailable: "unavailable",
	} {
		sim, client := connected(t)
		sim.Fail(status)
		_, err := client.Raw(t.Context(), http.MethodGet, "/Users", nil, nil)
		is(t, err, kind)
	}
}

func TestRawSendsNoIDThatChangesThePath(t *testing.T) {
	sim, client := connected(t)
	for _, path := range []string{"/Users/../Groups", "/Users/1/../2", "/Users/1?x=y", "/Users/"} {
		_, err := client.Raw(t.Context(), http.MethodGet, path, nil, nil)
		if !lambdatest.IsRejected(err) {
			t.Errorf("%s gives %v", path, err)
		}
	}
	if calls := sim.Calls(); len(calls) > 0 {
		t.Errorf("%d calls were made", len(calls))
	}
}
