// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// cut makes a request that must end without an answer. It uses a new connection,
// because net/http repeats a GET on a connection that was used before.
func cut(t *testing.T, sim *simulator.Server, method, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, sim.BaseURL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err == nil {
		response.Body.Close()
		t.Fatalf("%s %s was answered with %d", method, path, response.StatusCode)
	}
}

func TestAFaultMeetsTheCallsItWasMadeFor(t *testing.T) {
	sim := started(t)
	sim.FailNext(http.StatusTooManyRequests, simulator.On("GET /Groups"), simulator.Times(2))
	sim.FailNext(http.StatusBadGateway)
	play(t, sim,
		step{"GET /Users", "", 502, ""},
		step{"GET /Users", "", 200, ""},
		step{"GET /Groups", "", 429, ""},
		step{"GET /Groups", "", 429, ""},
		step{"GET /Groups", "", 200, ""},
	)
	sim.Fail(http.StatusServiceUnavailable)
	play(t, sim, step{"GET /Users", "", 503, ""}, step{"GET /Groups", "", 503, ""}, step{"GET /Users", "", 503, ""})
	sim.ClearFaults()
	play(t, sim, step{"GET /Users", "", 200, ""})
}

func TestAFaultThatCouldMeetNothingPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the fault was armed")
		}
	}()
	started(t).FailNext(http.StatusBadGateway, simulator.On("PATCH /Users"))
}

func TestSlowCallsAreDone(t *testing.T) {
	sim := started(t, simulator.ConcurrencyGroups("QA"))
	sim.SlowNext(time.Millisecond)
	sim.SlowNext(time.Millisecond, simulator.Always())
	play(t, sim, step{"POST /Users", newAda, 201, shownAda})
}

func TestARefusedCallIsNotDone(t *testing.T) {
	sim := started(t, simulator.ConcurrencyGroups("QA"))
	sim.FailNext(http.StatusInternalServerError)
	sim.InterceptNext()
	play(t, sim, step{"POST /Users", newAda, 500, ""})
	got := ask(t, sim, "POST /Users", newAda)
	if got.status != 200 || !strings.HasPrefix(got.body, "<!DOCTYPE html>") || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
		t.Errorf("the intercepted call answered %+v", got)
	}
	sim.DropNext()
	cut(t, sim, "POST", "/Users", newAda)
	if accounts := sim.Accounts(); len(accounts) != 0 {
		t.Errorf("an account was created: %v", accounts)
	}
}

func TestALostOrGarbledAnswerIsDone(t *testing.T) {
	sim := started(t, simulator.ConcurrencyGroups("QA"))
	sim.LoseNextAnswer(simulator.On("POST /Users"))
	cut(t, sim, "POST", "/Users", newAda)
	sim.GarbleNextAnswer(simulator.On("DELETE /Users/{id}"), simulator.Body("{"))
	if got := ask(t, sim, "DELETE /Users/23001", ""); got.status != 200 || got.body != "{" {
		t.Errorf("the garbled call answered %+v", got)
	}

	if account, found := sim.Account("ada@example.com"); !found || account.Active {
		t.Errorf("found %v, account %+v; want it created and deactivated", found, account)
	}
	var seen []string
	for _, call := range sim.Calls() {
		seen = append(seen, call.Route+" "+string(call.Fault))
	}
	if diff := cmp.Diff([]string{"POST /Users lose", "DELETE /Users/{id} garble"}, seen); diff != "" {
		t.Errorf("unexpected record (-want +got):\n%s", diff)
	}
}

func TestRetryAfterIsSentInBothForms(t *testing.T) {
	sim := started(t)
	for want, option := range map[string]simulator.FaultOption{
		"30":                            simulator.RetryAfter(30 * time.Second),
		"Tue, 24 Nov 2026 12:00:00 GMT": simulator.RetryAt(noon),
		"":                              simulator.RetryAfterHeader(""),
	} {
		sim.FailNext(http.StatusTooManyRequests, option)
		if got := ask(t, sim, "GET /Users", "").header.Get("Retry-After"); got != want {
			t.Errorf("Retry-After is %q, want %q", got, want)
		}
	}
}

func TestTheRateLimitRefusesWhatIsTooMuchWithinASecond(t *testing.T) {
	now := noon
	var clock sync.Mutex
	sim := started(t, simulator.With(simulator.Switches{RateLimit: 2}), simulator.Clock(func() time.Time {
		clock.Lock()
		defer clock.Unlock()
		return now
	}))
	play(t, sim, step{"GET /Users", "", 200, ""}, step{"GET /Users", "", 200, ""})
	if got := ask(t, sim, "GET /Users", ""); got.status != 429 || got.header.Get("Retry-After") != "1" {
		t.Errorf("the third call got %d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
	sim.Switch(func(s *simulator.Switches) { s.HideRetryAfter = true })
	if got := ask(t, sim, "GET /Users", ""); got.status != 429 || got.header.Get("Retry-After") != "" {
		t.Errorf("the fourth call got %d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
	clock.Lock()
	now = now.Add(time.Second)
	clock.Unlock()
	play(t, sim, step{"GET /Users", "", 200, ""})
}

func TestProbabilitiesFollowTheSeed(t *testing.T) {
	outcomes := func() []int {
		sim := started(t, simulator.Seed(3))
		sim.Fail(http.StatusBadGateway, simulator.Probability(0.5))
		var statuses []int
		for range 40 {
			statuses = append(statuses, ask(t, sim, "GET /Users", "").status)
		}
		return statuses
	}
	first := outcomes()
	if diff := cmp.Diff(first, outcomes()); diff != "" {
		t.Errorf("the same seed gives other faults:\n%s", diff)
	}
	failures := 0
	for _, status := range first {
		if status == http.StatusBadGateway {
			failures++
		}
	}
	if failures < 8 || failures > 32 {
		t.Errorf("%d of 40 calls failed, want about half", failures)
	}
}

func TestAHeldCallHoldsNobodyElse(t *testing.T) {
	sim := started(t, simulator.ConcurrencyGroups("QA"))
	hold := sim.HoldNext(simulator.On("POST /Users"))
	done := make(chan answer)
	go func() { done <- ask(t, sim, "POST /Users", newAda) }()
	<-hold.Arrived()

	play(t, sim, step{"GET /Users", "", 200, ""})
	if accounts := sim.Accounts(); len(accounts) != 0 {
		t.Errorf("the held call was carried out already: %v", accounts)
	}

	hold.Release()
	if got := <-done; got.status != http.StatusCreated {
		t.Errorf("the released call got %d, want 201", got.status)
	}
}

func TestLatencyEndsWhenTheCallerGivesUp(t *testing.T) {
	sim := started(t)
	sim.Latency(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "DELETE", sim.BaseURL()+"/Users/23001", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if response, err := http.DefaultClient.Do(request); err == nil {
		response.Body.Close()
		t.Fatal("the call was answered before its caller gave up")
	}

	// Shutdown waits for calls in flight, so it ends only if the call has ended.
	if err := sim.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAServerComesBackWithItsState(t *testing.T) {
	sim := started(t, simulator.Population(1))
	address := strings.TrimPrefix(sim.URL(), "http://")
	sim.Close()
	if err := sim.Listen(address); err != nil {
		t.Fatal(err)
	}
	play(t, sim, step{"GET /Users/23001", "", 200, ""})
}

func TestManyCallersAtOnceCreateOneAccountEach(t *testing.T) {
	sim := started(t, simulator.ConcurrencyGroups("QA"))
	var callers sync.WaitGroup
	for n := range 8 {
		callers.Go(func() {
			name := string(rune('a' + n))
			for range 10 {
				ask(t, sim, "POST /Users", strings.Replace(newAda, "ada@", name+"@", 1))
				ask(t, sim, "GET /Users", "")
				sim.Accounts()
			}
		})
	}
	callers.Wait()
	if got := len(sim.Accounts()); got != 8 || sim.Count("POST /Users") != 80 {
		t.Errorf("%d accounts after %d creations, want 8 after 80", got, sim.Count("POST /Users"))
	}
}
