// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// testLane is a lane with a clock that stands still and a record of who was woken.
type testLane struct {
	*lane
	clock *clock
	woken []string
}

func newTestLane(perSecond, burst int) *testLane {
	t := &testLane{clock: &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	bounds := backoff{min: time.Second, max: time.Minute}
	t.lane = newLane(t.clock.Now, bounds, func(user string, _ int) { t.woken = append(t.woken, user) }, func() {})
	t.limit(perSecond, burst)
	return t
}

// tick lets time pass and grants what has come due; everybody's call ends well at once.
func (l *testLane) tick(by time.Duration) (granted []string) {
	l.clock.Advance(by)
	l.woken = nil
	l.mu.Lock()
	l.grant("")
	l.mu.Unlock()
	for _, user := range l.woken {
		l.acquire(user, 0, false)
		l.done(user, nil)
	}
	return l.woken
}

// upstreamError is the error that a real client gives for a status.
func upstreamError(t *testing.T, status int, options ...simulator.FaultOption) error {
	t.Helper()
	server := simulator.Start()
	defer server.Close()
	server.FailNext(status, options...)
	c, err := lambdatest.New(server.BaseURL(), simulator.DefaultToken)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.GetUser(t.Context(), "1")
	return err
}

func TestLaneGrantsAtOnceWithinTheLimit(t *testing.T) {
	l := newTestLane(1, 2)
	for i, want := range []bool{true, true, false} {
		if got := l.acquire(fmt.Sprint(i), priorityChange, false); got != want {
			t.Errorf("call %d: granted %t, want %t", i, got, want)
		}
	}
}

func TestLaneOrdersByUrgencyAndThenByAge(t *testing.T) {
	l := newTestLane(1, 1)
	l.acquire("first", priorityChange, false)
	l.done("first", nil)
	for _, waiting := range []ticket{
		{user: "creation", priority: priorityCreation}, {user: "change 1", priority: priorityChange},
		{user: "change 2", priority: priorityChange}, {user: "denial", priority: priorityDenial},
	} {
		l.acquire(waiting.user, waiting.priority, false)
	}
	var order []string
	for range 4 {
		order = append(order, l.tick(time.Second)...)
	}
	if diff := cmp.Diff([]string{"denial", "change 1", "change 2", "creation"}, order); diff != "" {
		t.Error(diff)
	}
}

func TestLaneLetsADenialOvertakeFiveThousandCreations(t *testing.T) {
	l := newTestLane(50, 1)
	for i := range 5000 {
		l.acquire(fmt.Sprint("creation ", i), priorityCreation, false)
	}
	l.acquire("denial", priorityDenial, false)
	if next := l.tick(20 * time.Millisecond); !slices.Equal(next, []string{"denial"}) {
		t.Errorf("next was %v", next)
	}
}

func TestLaneStarvesNobody(t *testing.T) {
	l := newTestLane(1, 1)
	l.acquire("first", priorityChange, false)
	l.done("first", nil)
	l.acquire("drift", priorityDrift, false)
	for second := range 10 {
		l.acquire(fmt.Sprint("change ", second), priorityChange, false)
		if slices.Contains(l.tick(time.Second), "drift") {
			return
		}
	}
	t.Error("the oldest ticket did not get a turn among changes that kept coming")
}

func TestLaneGivesTheOldestNoTurnBeforeADenial(t *testing.T) {
	l := newTestLane(1, 1)
	l.acquire("first", priorityChange, false)
	l.done("first", nil)
	l.acquire("drift", priorityDrift, false)
	for second := range 10 {
		l.acquire(fmt.Sprint("denial ", second), priorityDenial, false)
		if slices.Contains(l.tick(time.Second), "drift") {
			t.Fatal("a denial had to wait")
		}
	}
}

func TestLaneTakesBackAGrantThatIsNotNeeded(t *testing.T) {
	l := newTestLane(1000, 1000)
	for i := range maxInFlight {
		l.acquire(fmt.Sprint(i), priorityChange, false)
	}
	l.acquire("waiting", priorityChange, false)
	l.done("0", nil)
	if !slices.Equal(l.woken, []string{"waiting"}) {
		t.Fatalf("woken %v", l.woken)
	}
	l.forget("waiting")
	if !l.acquire("another", priorityChange, false) {
		t.Error("the grant that was given back is lost")
	}
}

func TestLaneBoundsCallsInFlight(t *testing.T) {
	l := newTestLane(1000, 1000)
	granted := 0
	for i := range 2 * maxInFlight {
		if l.acquire(fmt.Sprint(i), priorityChange, false) {
			granted++
		}
	}
	if granted != maxInFlight {
		t.Errorf("%d calls in flight, want %d", granted, maxInFlight)
	}
}

func TestLaneLeavesDenialsAPlaceWhenAllAreTaken(t *testing.T) {
	l := newTestLane(1000, 1000)
	for i := range 2 * maxInFlight {
		l.acquire(fmt.Sprint("creation ", i), priorityCreation, false)
	}
	if !l.acquire("denial", priorityDenial, false) {
		t.Error("a denial waits for the calls of creations to end")
	}
}

func TestLaneWakesADenialAsOne(t *testing.T) {
	l := newTestLane(1, 1)
	var with int
	l.wake = func(_ string, priority int) { with = priority }
	l.acquire("first", priorityChange, false)
	l.acquire("denial", priorityDenial, false)
	l.clock.Advance(time.Second)
	l.mu.Lock()
	l.grant("")
	l.mu.Unlock()
	if with != priorityDenial {
		t.Errorf("woken with priority %d, want %d", with, priorityDenial)
	}
}

func TestLaneStopsAfterARefusedTokenUntilItIsRenewed(t *testing.T) {
	l := newTestLane(1000, 1000)
	l.acquire("a", priorityChange, false)
	l.done("a", upstreamError(t, http.StatusUnauthorized))
	if l.acquire("b", priorityDenial, false) || len(l.tick(24*time.Hour)) > 0 {
		t.Error("a call was granted with a token that was refused")
	}
	l.renew()
	if got := l.tick(0); !slices.Equal(got, []string{"b"}) {
		t.Errorf("granted %v", got)
	}
}

func TestLaneCountsRefusalsOfCallsUnderWayTogetherOnce(t *testing.T) {
	l := newTestLane(100, 100)
	refused := upstreamError(t, http.StatusTooManyRequests)
	users := []string{"a", "b", "c", "d", "e", "f"}
	for _, user := range users {
		l.acquire(user, priorityChange, false)
	}
	for _, user := range users {
		l.done(user, refused)
	}
	if _, until := l.state(); until.After(l.clock.Now().Add(time.Second)) {
		t.Errorf("paused for %s, as if LambdaTest had refused six times in a row", until.Sub(l.clock.Now()))
	}
}

func TestLaneSlowsDownForEverybodyAfter429AndRecovers(t *testing.T) {
	l := newTestLane(100, 20)
	l.acquire("a", priorityChange, false)
	l.done("a", upstreamError(t, http.StatusTooManyRequests, simulator.RetryAfter(10*time.Second)))
	l.acquire("b", priorityDenial, false)
	l.acquire("c", priorityChange, false)
	if got := l.tick(9 * time.Second); len(got) > 0 {
		t.Errorf("granted %v before LambdaTest wanted to be called again", got)
	}
	if got := l.tick(time.Second); !slices.Equal(got, []string{"b"}) {
		t.Errorf("granted %v", got)
	}
	if limit := l.limiter.Limit(); limit >= 60 {
		t.Errorf("limit is %v after a 429", limit)
	}
	for i := range 50 {
		l.acquire(fmt.Sprint(i), priorityChange, false)
		l.tick(time.Second)
	}
	if limit := l.limiter.Limit(); limit != 100 {
		t.Errorf("limit is %v after 50 successes", limit)
	}
}

func TestLaneProbesAnOpenCircuitWithDenialsFirstAndOneAtATime(t *testing.T) {
	l := newTestLane(1000, 1000)
	down := upstreamError(t, http.StatusServiceUnavailable)
	for round := range 6 {
		for i := range circuitThreshold {
			user := fmt.Sprint(round, i)
			l.acquire(user, priorityChange, false)
			l.done(user, down)
		}
		l.clock.Advance(time.Minute)
	}
	l.acquire("probe", priorityChange, false)
	l.done("probe", down)
	l.woken = nil
	for _, user := range []string{"change 1", "change 2"} {
		l.acquire(user, priorityChange, false)
	}
	l.acquire("denial", priorityDenial, false)
	l.clock.Advance(denialBackoffMax)
	l.mu.Lock()
	l.grant("")
	l.mu.Unlock()
	if !slices.Equal(l.woken, []string{"denial"}) {
		t.Fatalf("woken %v, want the denial alone", l.woken)
	}
	l.acquire("denial", priorityDenial, false)
	l.done("denial", nil)
	if len(l.woken) != 3 {
		t.Errorf("woken %v, want everybody once a probe succeeded", l.woken)
	}
}

func TestLaneLeavesFailingPeopleAFifthOfTheRate(t *testing.T) {
	l := newTestLane(10, 10)
	for range 10 {
		l.acquire("x", priorityChange, false)
		l.done("x", nil)
	}
	for i := range 50 {
		l.acquire(fmt.Sprint("failing ", i), priorityChange, true)
	}
	retries := 0
	for range 20 {
		retries += len(l.tick(100 * time.Millisecond))
	}
	if retries > 6 {
		t.Errorf("%d retries in 2 s at 10 calls a second", retries)
	}
}
