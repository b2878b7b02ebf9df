// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func testOptions(now time.Time) connectionOptions {
	return connectionOptions{
		Backoff: backoff{min: time.Second, max: 30 * time.Second}, LeaseDuration: 15 * time.Second, Now: func() time.Time { return now },
	}
}

func newTestConnection() (*connection, settings) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	registry := newConnections(testOptions(now), nil, nil, nil)
	c, _ := registry.open(types.NamespacedName{Namespace: "n", Name: "o"}, now)
	return c, settings{perSecond: 10, burst: 10, syncInterval: time.Minute}
}

func TestAComparisonOfAReplacedConnectionDoesNotCount(t *testing.T) {
	server := simulator.Start(simulator.Population(3))
	defer server.Close()
	client, err := lambdatest.New(server.BaseURL(), simulator.DefaultToken)
	if err != nil {
		t.Fatal(err)
	}
	c, set := newTestConnection()
	c.use(set, client)
	page := server.HoldNext(simulator.On("GET /Users"))
	ended := make(chan error)
	go func() { ended <- c.sweep(t.Context()) }()
	<-page.Arrived()
	c.use(set, &lambdatest.Client{})
	page.Release()

	if err := <-ended; err == nil || c.accounts.size() > 0 {
		t.Errorf("the comparison counts: error %v, %d accounts", err, c.accounts.size())
	}
}

func TestARefusalOfAReplacedTokenDoesNotStopTheNewOne(t *testing.T) {
	c, set := newTestConnection()
	c.use(set, &lambdatest.Client{})
	c.lane.acquire(ada, priorityChange, noFailure)

	err := c.call(t.Context(), ada, "GetUser", func(context.Context, Upstream) error {
		c.use(set, &lambdatest.Client{})
		return upstreamError(t, http.StatusUnauthorized)
	})

	if err == nil {
		t.Error("the call is taken for a success")
	}
	if state, _ := c.lane.state(); state != "closed" {
		t.Errorf("the circuit is %s", state)
	}
}

func TestNothingIsCreatedWithAReplacedTokenBeforeTheOrganizationIsRecognised(t *testing.T) {
	c, set := newTestConnection()
	c.use(set, &lambdatest.Client{})
	c.accounts.saw(ada, lambdatest.User{ID: "1", UserName: ada}, c.options.Now())
	created := func() (called bool) {
		c.lane.acquire(grace, priorityCreation, noFailure)
		_ = c.create(t.Context(), grace, "CreateUser", func(context.Context, Upstream) error { called = true; return nil })
		return called
	}
	if !created() {
		t.Error("nothing is created with the first token")
	}

	c.use(set, &lambdatest.Client{}) // after grace was planned, and granted a call

	if created() {
		t.Error("an account was created in an organization that nobody has recognised")
	}
	c.recognisedNow()
	if !created() {
		t.Error("nothing is created after the organization was recognised")
	}
}

func TestWhoeverIsOnlyToldWhyNothingHappensComesLastAndDenialsFirst(t *testing.T) {
	c, _ := newTestConnection()
	c.ledger.enter(ada, standsOpen|standsDenied)
	c.ledger.enter(grace, standsOpen)

	c.block(situation{readiness: stalled, reason: v1alpha1.SuspendedReason})

	want := map[PersonKey]int{
		{Namespace: "n", Organization: "o", UserName: ada}:   priorityDenial,
		{Namespace: "n", Organization: "o", UserName: grace}: priorityInitialList,
	}
	if diff := cmp.Diff(want, c.registry.people.early); diff != "" {
		t.Errorf("not looked at in this order (-want +got):\n%s", diff)
	}
}

func TestOrganizationsThatWereNotOpenedYetComeBeforeWhatOthersReport(t *testing.T) {
	registry := newConnections(testOptions(time.Now()), nil, nil, nil)
	opened, _ := registry.open(types.NamespacedName{Namespace: "n", Name: "opened"}, time.Time{})

	opened.changed()

	want := map[reconcile.Request]int{{NamespacedName: opened.organization}: priorityReport}
	if diff := cmp.Diff(want, registry.organizations.early); diff != "" {
		t.Errorf("not reported at this priority (-want +got):\n%s", diff)
	}
	if priorityReport >= handler.LowPriority {
		t.Error("a report comes before the initial list")
	}
}

func TestNoCallIsMadeThatCouldOutliveTheLease(t *testing.T) {
	c, _ := newTestConnection()
	now := c.options.Now()
	for name, test := range map[string]struct {
		until time.Time
		want  time.Duration
	}{
		"a lease that has just been renewed":     {now.Add(15 * time.Second), callTimeout},
		"a lease that ends soon":                 {now.Add(5 * time.Second), 5*time.Second - leadMargin},
		"a lease that is about to end":           {now.Add(leadMargin + minCallTimeout/2), 0},
		"a lease that has ended":                 {now.Add(-time.Second), 0},
		"no lease: not yet taken, or given away": {time.Time{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.LeadUntil = func() time.Time { return test.until }

			got, err := c.callTimeout()

			if got != test.want || (err == nil) != (test.want > 0) {
				t.Errorf("a call may take %s (%v), want %s", got, err, test.want)
			}
		})
	}
}

func TestAnAccountThatWasActivatedAlthoughItsOwnerIsDeniedIsADenial(t *testing.T) {
	c, _ := newTestConnection()
	for user, stands := range map[string]standing{ada: standsClaimed | standsSynced | standsBarred, grace: standsClaimed | standsSynced} {
		c.ledger.enter(user, stands)
		c.accounts.saw(user, lambdatest.User{ID: user, UserName: user, Active: true}, c.options.Now())
	}

	c.wakeClaimed([]string{ada, grace, "nobody@example.com"})

	want := map[PersonKey]int{
		{Namespace: "n", Organization: "o", UserName: ada}:   priorityDenial,
		{Namespace: "n", Organization: "o", UserName: grace}: priorityDrift,
	}
	if diff := cmp.Diff(want, c.registry.people.early); diff != "" {
		t.Errorf("not looked at in this order (-want +got):\n%s", diff)
	}
}
