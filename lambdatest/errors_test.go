// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

var questions = map[string]func(error) bool{
	"unauthorized": lambdatest.IsUnauthorized,
	"rejected":     lambdatest.IsRejected,
	"forbidden":    lambdatest.IsForbidden,
	"not found":    lambdatest.IsNotFound,
	"conflict":     lambdatest.IsConflict,
	"rate limited": lambdatest.IsRateLimited,
	"unavailable":  lambdatest.IsUnavailable,
	"unknown":      lambdatest.IsOutcomeUnknown,
}

// is fails the test unless exactly these functions return true for the error.
func is(t *testing.T, err error, want ...string) {
	t.Helper()
	expected := map[string]bool{}
	for _, name := range want {
		expected[name] = true
	}
	got := map[string]bool{}
	for name, question := range questions {
		if question(err) {
			got[name] = true
		}
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("%v is of other kinds (-want +got):\n%s", err, diff)
	}
}

// TestEachRefusalOfTheContractHasItsError has one row for each refusal in the contract.
func TestEachRefusalOfTheContractHasItsError(t *testing.T) {
	sim, client := connected(t)
	ctx := t.Context()
	foreign := sim.AddForeignAccount("eve@example.com")
	sim.SetGroup("QA", nil)
	other := sim.SetGroup("Other", nil)
	mine := created(t, client, ada())
	group, role, name := "No such group", "Owner", "qa"

	for call, row := range map[string]struct {
		try  func() error
		want string
	}{
		"POST /Users, another organization's": {func() error {
			_, err := client.CreateUser(ctx, lambdatest.User{UserName: "eve@example.com", GivenName: "E", FamilyName: "E"})
			return err
		}, "rejected"},
		"POST /Users, not an address": {func() error {
			_, err := client.CreateUser(ctx, lambdatest.User{UserName: "ada", GivenName: "A", FamilyName: "E"})
			return err
		}, "rejected"},
		"POST /Users, no name": {func() error {
			_, err := client.CreateUser(ctx, lambdatest.User{UserName: "bob@example.com"})
			return err
		}, "rejected"},
		"GET /Users/{id}, unknown": {func() error { _, err := client.GetUser(ctx, "1"); return err }, "not found"},
		"GET /Users/{id}, another organization's": {func() error {
			_, err := client.GetUser(ctx, foreign.ID)
			return err
		}, "rejected"},
		"GET /Users?filter, another organization's": {func() error {
			_, _, err := client.FindUser(ctx, "eve@example.com")
			return err
		}, "rejected"},
		"PATCH /Users/{id}, no such concurrency group": {func() error {
			_, err := client.UpdateUser(ctx, mine.ID, lambdatest.UserChange{ConcurrencyGroup: &group})
			return err
		}, "rejected"},
		"PATCH /Users/{id}, no such role": {func() error {
			_, err := client.UpdateUser(ctx, mine.ID, lambdatest.UserChange{Role: &role})
			return err
		}, "rejected"},
		"PATCH /Users/{id}, unknown": {func() error {
			_, err := client.UpdateUser(ctx, "1", lambdatest.UserChange{Active: new(bool)})
			return err
		}, "not found"},
		"DELETE /Users/{id}, unknown": {func() error { return client.DeactivateUser(ctx, "1") }, "not found"},
		"POST /Groups, name taken": {func() error {
			_, err := client.CreateGroup(ctx, lambdatest.Group{DisplayName: "QA"})
			return err
		}, "conflict"},
		"POST /Groups, unknown member": {func() error {
			_, err := client.CreateGroup(ctx, lambdatest.Group{DisplayName: "New", Members: []lambdatest.Member{{ID: foreign.ID}}})
			return err
		}, "rejected"},
		"GET /Groups/{id}, unknown": {func() error { _, err := client.GetGroup(ctx, "1"); return err }, "not found"},
		"PATCH /Groups/{id}, name taken": {func() error {
			_, err := client.PatchGroup(ctx, other.ID, lambdatest.GroupChange{DisplayName: &name})
			return err
		}, "conflict"},
		"PUT /Groups/{id}, name taken": {func() error {
			_, err := client.ReplaceGroup(ctx, other.ID, lambdatest.Group{DisplayName: "QA"})
			return err
		}, "conflict"},
		"DELETE /Groups/{id}, unknown": {func() error { return client.DeleteGroup(ctx, "1") }, "not found"},
	} {
		t.Run(call, func(t *testing.T) { is(t, row.try(), row.want) })
	}
}

func TestGroupWritesAreForbiddenWhileProvisioningIsOff(t *testing.T) {
	sim, client := connected(t, simulator.With(simulator.Switches{GroupsOff: true}))
	ctx := t.Context()
	group := sim.SetGroup("QA", nil)
	_, createErr := client.CreateGroup(ctx, lambdatest.Group{DisplayName: "New"})
	_, replaceErr := client.ReplaceGroup(ctx, group.ID, lambdatest.Group{DisplayName: "QA"})
	_, patchErr := client.PatchGroup(ctx, group.ID, lambdatest.GroupChange{Roles: new([]string)})

	for _, err := range []error{createErr, replaceErr, patchErr, client.DeleteGroup(ctx, group.ID)} {
		is(t, err, "forbidden")
	}
	if _, err := client.GetGroup(ctx, group.ID); err != nil {
		t.Errorf("reading is allowed, got %v", err)
	}
}

func TestARotatedTokenIsUnauthorized(t *testing.T) {
	sim, client := connected(t)
	sim.RotateToken("another-token")

	_, err := client.CreateUser(t.Context(), ada())

	is(t, err, "unauthorized")
	if calls := sim.Count("POST /Users"); calls != 1 {
		t.Errorf("%d calls on record, want 1: the client must not retry", calls)
	}
}

func TestWhatGoesWrongOnTheWay(t *testing.T) {
	status := func(status int, options ...simulator.FaultOption) func(*simulator.Server) {
		return func(sim *simulator.Server) { sim.FailNext(status, options...) }
	}
	html := simulator.Body("<html>not found</html>")
	for name, test := range map[string]struct {
		happens func(*simulator.Server)
		read    []string
		write   []string
	}{
		"429":                       {status(429), []string{"rate limited"}, []string{"rate limited"}},
		"500":                       {status(500), []string{"unavailable"}, []string{"unavailable", "unknown"}},
		"503 in HTML":               {status(503, html), []string{"unavailable"}, []string{"unavailable", "unknown"}},
		"a proxy's 404":             {status(404, html), []string{"unavailable"}, []string{"unavailable", "unknown"}},
		"a proxy's 403":             {status(403, html), []string{"unavailable"}, []string{"unavailable", "unknown"}},
		"a proxy's 401":             {status(401, html), []string{"unauthorized"}, []string{"unauthorized"}},
		"418":                       {status(418), []string{"rejected"}, []string{"rejected"}},
		"408":                       {status(408), []string{"unavailable"}, []string{"unavailable", "unknown"}},
		"an unexpected success":     {status(202), []string{"unavailable"}, []string{"unavailable", "unknown"}},
		"a connection cut before":   {func(sim *simulator.Server) { sim.Inject(simulator.Fault{Kind: simulator.Drop}) }, []string{"unavailable"}, []string{"unavailable", "unknown"}},
		"a lost answer":             {func(sim *simulator.Server) { sim.Inject(simulator.Fault{Kind: simulator.Lose}) }, []string{"unavailable"}, []string{"unavailable", "unknown"}},
		"HTML instead of an answer": {func(sim *simulator.Server) { sim.GarbleNextAnswer() }, []string{"unavailable"}, []string{"unavailable", "unknown"}},
		"HTML instead of the call":  {func(sim *simulator.Server) { sim.InterceptNext() }, []string{"unavailable"}, []string{"unavailable", "unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			sim, client := connected(t)
			account := sim.AddAccount(simulator.Account{UserName: "ada@example.com", Active: true})

			test.happens(sim)
			_, err := client.GetUser(t.Context(), account.ID)
			is(t, err, test.read...)

			sim.ClearFaults()
			test.happens(sim)
			_, err = client.UpdateUser(t.Context(), account.ID, lambdatest.UserChange{Active: new(bool)})
			is(t, err, test.write...)
		})
	}
}

func TestAnAnswerOfSomethingElseThanLambdaTest(t *testing.T) {
	html := simulator.Body("<html>not found</html>")
	for name, test := range map[string]struct {
		status int
		body   []simulator.FaultOption
		want   bool
	}{
		"a page that is not found":         {404, []simulator.FaultOption{html}, true},
		"a redirect":                       {302, nil, true},
		"LambdaTest's own 404":             {404, nil, false},
		"a proxy that reaches nothing":     {502, []simulator.FaultOption{html}, false},
		"a proxy whose client is too slow": {408, []simulator.FaultOption{html}, false},
	} {
		t.Run(name, func(t *testing.T) {
			sim, client := connected(t)
			sim.FailNext(test.status, test.body...)

			_, err := client.ListUsers(t.Context(), 1, 10)

			if got := lambdatest.IsForeign(err); err == nil || got != test.want {
				t.Errorf("foreign is %t, want %t: %v", got, test.want, err)
			}
		})
	}
}

func TestALostAnswerOfADeactivationIsUnknownAndDone(t *testing.T) {
	sim, client := connected(t)
	user := created(t, client, ada())
	sim.LoseNextAnswer(simulator.On("DELETE /Users/{id}"))

	is(t, client.DeactivateUser(t.Context(), user.ID), "unavailable", "unknown")

	if account, _ := sim.Account(user.UserName); account.Active {
		t.Error("the account is active, but the call should have been made")
	}
}

func TestAConnectionThatNeverCameHasAKnownOutcome(t *testing.T) {
	sim, client := connected(t)
	sim.Close()

	_, err := client.CreateUser(t.Context(), ada())

	is(t, err, "unavailable")
}

// ending is a context that a test ends, with an error of its choice.
type ending struct {
	context.Context
	ended chan struct{}
	how   error
}

func (e *ending) Done() <-chan struct{} { return e.ended }

func (e *ending) Err() error {
	select {
	case <-e.ended:
		return e.how
	default:
		return nil
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	for name, test := range map[string]struct {
		how  error
		want []string
	}{
		"cancelled": {context.Canceled, []string{"unknown"}},
		"timed out": {context.DeadlineExceeded, []string{"unavailable", "unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			sim, client := connected(t)
			hold := sim.HoldNext()
			ctx := &ending{Context: t.Context(), ended: make(chan struct{}), how: test.how}
			go func() {
				<-hold.Arrived()
				close(ctx.ended)
			}()

			_, err := client.CreateUser(ctx, ada())

			is(t, err, test.want...)
			if !errors.Is(err, test.how) {
				t.Errorf("the error %v does not say %v", err, test.how)
			}
		})
	}
}

func TestACallWithACancelledContextIsNotMade(t *testing.T) {
	sim, client := connected(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	_, err := client.CreateUser(ctx, ada())

	is(t, err)
	if !errors.Is(err, context.Canceled) || len(sim.Counts()) != 0 {
		t.Errorf("got %v and calls %v; want a cancellation and none", err, sim.Counts())
	}
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	type patience struct {
		For  time.Duration
		Said bool
	}
	for name, test := range map[string]struct {
		header simulator.FaultOption
		want   patience
	}{
		"absent":             {simulator.RetryAfterHeader(""), patience{}},
		"seconds":            {simulator.RetryAfter(30 * time.Second), patience{30 * time.Second, true}},
		"zero":               {simulator.RetryAfter(0), patience{0, true}},
		"a date":             {simulator.RetryAt(now.Add(time.Minute)), patience{time.Minute, true}},
		"a date in the past": {simulator.RetryAt(now.Add(-time.Minute)), patience{0, true}},
		"far too long":       {simulator.RetryAfterHeader("99999999999999"), patience{lambdatest.MaxRetryAfter, true}},
		"a far date":         {simulator.RetryAt(now.AddDate(100, 0, 0)), patience{lambdatest.MaxRetryAfter, true}},
		"negative":           {simulator.RetryAfterHeader("-1"), patience{}},
		"nonsense":           {simulator.RetryAfterHeader("soon"), patience{}},
	} {
		t.Run(name, func(t *testing.T) {
			sim := simulator.Start(simulator.Token(token))
			defer sim.Close()
			client := clientOf(t, sim.BaseURL(), lambdatest.WithClock(func() time.Time { return now }))
			sim.FailNext(http.StatusTooManyRequests, test.header)

			_, err := client.ListUsers(t.Context(), 1, 10)

			var got patience
			got.For, got.Said = lambdatest.RetryAfter(err)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("unexpected patience (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIgnoreNotFoundKeepsEverythingElse(t *testing.T) {
	_, client := connected(t)
	_, missing := client.GetUser(t.Context(), "1")
	_, refused := client.CreateUser(t.Context(), lambdatest.User{UserName: "ada"})

	if err := lambdatest.IgnoreNotFound(missing); err != nil {
		t.Errorf("not found became %v", err)
	}
	if lambdatest.IgnoreNotFound(refused) == nil || lambdatest.IgnoreNotFound(nil) != nil {
		t.Error("a rejection became nil, or nil an error")
	}
}

// LambdaTest may refuse calls with a page of HTML. The caller finds out whether it was LambdaTest.
func TestAPageRefusesWhatItsStatusSays(t *testing.T) {
	html := simulator.Body("<html>refused</html>")
	for name, test := range map[string]struct {
		status int
		body   []simulator.FaultOption
		want   []string
	}{
		"400":               {400, []simulator.FaultOption{html}, []string{"rejected"}},
		"403":               {403, []simulator.FaultOption{html}, []string{"forbidden"}},
		"404":               {404, []simulator.FaultOption{html}, []string{"not found"}},
		"409":               {409, []simulator.FaultOption{html}, []string{"conflict"}},
		"a redirect":        {302, nil, nil},
		"a slow client":     {408, []simulator.FaultOption{html}, nil},
		"503":               {503, []simulator.FaultOption{html}, nil},
		"LambdaTest's JSON": {404, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			sim, client := connected(t)
			sim.FailNext(test.status, test.body...)
			_, err := client.UpdateUser(t.Context(), "1", lambdatest.UserChange{Active: new(bool)})

			refusal, says := lambdatest.Refusal(err)

			if says != (test.want != nil) {
				t.Fatalf("says something: %t, by %v", says, err)
			}
			is(t, refusal, test.want...)
		})
	}
}

func TestTheExplanationIsTheSameForEveryCall(t *testing.T) {
	sim, client := connected(t)
	sim.Fail(http.StatusServiceUnavailable)
	_, read := client.GetUser(t.Context(), "1")
	_, written := client.UpdateUser(t.Context(), "1", lambdatest.UserChange{Active: new(bool)})
	for _, err := range []error{read, written} {
		var failed *lambdatest.Error
		if !errors.As(err, &failed) {
			t.Fatalf("%v is no error of a call", err)
		}
		if got, want := failed.Explanation(), "503 Service Unavailable"; !strings.HasPrefix(got, want) || failed.Error() != failed.Call+": "+got {
			t.Errorf("the explanation of %v is %q, want one that begins with %q", err, got, want)
		}
	}
}

// The port of this end is another one each time, and so would a text be that shows it.
func TestAnErrorOfTheConnectionNamesNoAddress(t *testing.T) {
	sim, client := connected(t)
	sim.Close()
	_, err := client.GetUser(t.Context(), "1")
	if want := "GET /Users/{id}: dial: connect: connection refused"; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}
