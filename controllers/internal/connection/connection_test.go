// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

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
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"

	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

const (
	ada   = "ada@example.com"
	grace = "grace@example.com"
)

func testOptions(now time.Time) Options {
	return Options{
		Backoff: lane.Backoff{Min: time.Second, Max: 30 * time.Second}, LeaseDuration: 15 * time.Second, Now: func() time.Time { return now },
	}
}

func newTestConnection() (*Connection, Settings) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	registry := NewRegistry(testOptions(now), nil, nil, nil)
	c, _ := registry.Open(types.NamespacedName{Namespace: "n", Name: "o"}, now)
	return c, Settings{perSecond: 10, burst: 10, syncInterval: time.Minute}
}

func TestASweepOfAReplacedConnectionDoesNotCount(t *testing.T) {
	server := simulator.Start(simulator.Population(3))
	defer server.Close()
	client, err := lambdatest.New(server.BaseURL(), simulator.DefaultToken)
	if err != nil {
		t.Fatal(err)
	}
	c, set := newTestConnection()
	c.Use(set, client)
	page := server.HoldNext(simulator.On("GET /Users"))
	ended := make(chan error)
	go func() { ended <- c.Sweep(t.Context()) }()
	<-page.Arrived()
	c.Use(set, &lambdatest.Client{})
	page.Release()

	if err := <-ended; err == nil || c.Accounts.Size() > 0 {
		t.Errorf("the sweep counts: error %v, %d accounts", err, c.Accounts.Size())
	}
}

func TestARefusalOfAReplacedTokenDoesNotStopTheNewOne(t *testing.T) {
	c, set := newTestConnection()
	c.Use(set, &lambdatest.Client{})
	c.Lane.Acquire(ada, lane.Change, lane.NoFailure)

	err := c.Call(t.Context(), ada, "GetUser", func(context.Context, Upstream) error {
		c.Use(set, &lambdatest.Client{})
		return UpstreamError(t, http.StatusUnauthorized)
	})

	if err == nil {
		t.Error("the call is taken for a success")
	}
	if state, _ := c.Lane.State(); state != "closed" {
		t.Errorf("the circuit is %s", state)
	}
}

func TestNothingIsCreatedWithAReplacedTokenBeforeTheOrganizationIsRecognised(t *testing.T) {
	c, set := newTestConnection()
	c.Use(set, &lambdatest.Client{})
	c.Accounts.Saw(ada, lambdatest.User{ID: "1", UserName: ada}, c.Options.Now())
	created := func() (called bool) {
		c.Lane.Acquire(grace, lane.Creation, lane.NoFailure)
		_ = c.Create(t.Context(), grace, "CreateUser", func(context.Context, Upstream) error { called = true; return nil })
		return called
	}
	if !created() {
		t.Error("nothing is created with the first token")
	}

	c.Use(set, &lambdatest.Client{}) // after grace was planned, and granted a call

	if created() {
		t.Error("an account was created in an organization that nobody has recognised")
	}
	c.identityConfirmed()
	if !created() {
		t.Error("nothing is created after the organization was recognised")
	}
}

func TestWhoeverIsOnlyToldWhyNothingHappensComesLastAndDenialsFirst(t *testing.T) {
	c, _ := newTestConnection()
	c.Census.Record(ada, StandsOpen|StandsDenied, 0)
	c.Census.Record(grace, StandsOpen, 0)

	c.Block(status.Outcome{Readiness: status.Stalled, Reason: v1alpha1.SuspendedReason})

	want := map[claims.PersonKey]int{
		{Namespace: "n", Organization: "o", UserName: ada}:   lane.Denial,
		{Namespace: "n", Organization: "o", UserName: grace}: lane.InitialList,
	}
	if diff := cmp.Diff(want, c.registry.People.early); diff != "" {
		t.Errorf("not looked at in this order (-want +got):\n%s", diff)
	}
}

func TestOrganizationsThatWereNotOpenedYetComeBeforeWhatOthersReport(t *testing.T) {
	registry := NewRegistry(testOptions(time.Now()), nil, nil, nil)
	opened, _ := registry.Open(types.NamespacedName{Namespace: "n", Name: "opened"}, time.Time{})

	opened.changed()

	want := map[reconcile.Request]int{{NamespacedName: opened.Organization}: lane.Report}
	if diff := cmp.Diff(want, registry.Organizations.early); diff != "" {
		t.Errorf("not reported at this priority (-want +got):\n%s", diff)
	}
	if lane.Report >= handler.LowPriority {
		t.Error("a report comes before the initial list")
	}
}

func TestNoCallIsMadeThatCouldOutliveTheLease(t *testing.T) {
	c, _ := newTestConnection()
	now := c.Options.Now()
	for name, test := range map[string]struct {
		until time.Time
		want  time.Duration
	}{
		"a lease that has just been renewed":     {now.Add(15 * time.Second), CallTimeout},
		"a lease that ends soon":                 {now.Add(5 * time.Second), 5*time.Second - leadMargin},
		"a lease that is about to end":           {now.Add(leadMargin + MinCallTimeout/2), 0},
		"a lease that has ended":                 {now.Add(-time.Second), 0},
		"no lease: not yet taken, or given away": {time.Time{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.Options.LeadUntil = func() time.Time { return test.until }

			got, err := c.callTimeout()

			if got != test.want || (err == nil) != (test.want > 0) {
				t.Errorf("a call may take %s (%v), want %s", got, err, test.want)
			}
		})
	}
}

func TestAnAccountThatWasActivatedAlthoughItsOwnerIsDeniedIsADenial(t *testing.T) {
	c, _ := newTestConnection()
	for user, stands := range map[string]Standing{ada: StandsClaimed | StandsSynced | StandsBarred, grace: StandsClaimed | StandsSynced} {
		c.Census.Record(user, stands, 0)
		c.Accounts.Saw(user, lambdatest.User{ID: user, UserName: user, Active: true}, c.Options.Now())
	}

	c.wakeClaimed([]string{ada, grace, "nobody@example.com"})

	want := map[claims.PersonKey]int{
		{Namespace: "n", Organization: "o", UserName: ada}:   lane.Denial,
		{Namespace: "n", Organization: "o", UserName: grace}: lane.Drift,
	}
	if diff := cmp.Diff(want, c.registry.People.early); diff != "" {
		t.Errorf("not looked at in this order (-want +got):\n%s", diff)
	}
}
