// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// testLane is a lane with a clock that stands still and a record of who was woken.
type testLane struct {
	*lane
	clock *Clock
	woken []string
}

func newTestLane(perSecond, burst int) *testLane {
	t := &testLane{clock: NewClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))}
	bounds := backoff{min: time.Second, max: time.Minute}
	t.lane = newLane(t.clock.Now, bounds, func(user string, _ int) { t.woken = append(t.woken, user) }, func() {})
	t.limit(perSecond, burst)
	return t
}

// tick lets time pass and grants what has come due; everybody's call ends well at once.
func (l *testLane) tick(by time.Duration) (granted []string) {
	l.clock.Advance(by)
	l.woken = nil
	l.grantDue()
	for _, user := range l.woken {
		l.acquire(user, 0, noFailure)
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
		if got := l.acquire(fmt.Sprint(i), priorityChange, noFailure); got != want {
			t.Errorf("call %d: granted %t, want %t", i, got, want)
		}
	}
}

func TestLaneOrdersByUrgencyAndThenByAge(t *testing.T) {
	l := newTestLane(1, 1)
	l.acquire("first", priorityChange, noFailure)
	l.done("first", nil)
	for _, waiting := range []ticket{
		{user: "creation", priority: priorityCreation}, {user: "change 1", priority: priorityChange},
		{user: "change 2", priority: priorityChange}, {user: "denial", priority: priorityDenial},
	} {
		l.acquire(waiting.user, waiting.priority, noFailure)
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
		l.acquire(fmt.Sprint("creation ", i), priorityCreation, noFailure)
	}
	l.acquire("denial", priorityDenial, noFailure)
	if next := l.tick(20 * time.Millisecond); !slices.Equal(next, []string{"denial"}) {
		t.Errorf("next was %v", next)
	}
}

func TestLaneStarvesNobody(t *testing.T) {
	l := newTestLane(1, 1)
	l.acquire("first", priorityChange, noFailure)
	l.done("first", nil)
	l.acquire("drift", priorityDrift, noFailure)
	for second := range 10 {
		l.acquire(fmt.Sprint("change ", second), priorityChange, noFailure)
		if slices.Contains(l.tick(time.Second), "drift") {
			return
		}
	}
	t.Error("the oldest ticket did not get a turn among changes that kept coming")
}

func TestLaneGivesTheOldestNoTurnBeforeADenial(t *testing.T) {
	l := newTestLane(1, 1)
	l.acquire("first", priorityChange, noFailure)
	l.done("first", nil)
	l.acquire("drift", priorityDrift, noFailure)
	for second := range 10 {
		l.acquire(fmt.Sprint("denial ", second), priorityDenial, noFailure)
		if slices.Contains(l.tick(time.Second), "drift") {
			t.Fatal("a denial had to wait")
		}
	}
}

func TestLaneTakesBackAGrantThatIsNotNeeded(t *testing.T) {
	l := newTestLane(1000, 1000)
	for i := range maxInFlight {
		l.acquire(fmt.Sprint(i), priorityChange, noFailure)
	}
	l.acquire("waiting", priorityChange, noFailure)
	l.done("0", nil)
	if !slices.Equal(l.woken, []string{"waiting"}) {
		t.Fatalf("woken %v", l.woken)
	}
	l.forget("waiting")
	if !l.acquire("another", priorityChange, noFailure) {
		t.Error("the grant that was given back is lost")
	}
}

func TestLaneBoundsCallsInFlight(t *testing.T) {
	l := newTestLane(1000, 1000)
	granted := 0
	for i := range 2 * maxInFlight {
		if l.acquire(fmt.Sprint(i), priorityChange, noFailure) {
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
		l.acquire(fmt.Sprint("creation ", i), priorityCreation, noFailure)
	}
	if !l.acquire("denial", priorityDenial, noFailure) {
		t.Error("a denial waits for the calls of creations to end")
	}
}

func TestLaneWakesADenialAsOne(t *testing.T) {
	l := newTestLane(1, 1)
	var with int
	l.wake = func(_ string, priority int) { with = priority }
	l.acquire("first", priorityChange, noFailure)
	l.acquire("denial", priorityDenial, noFailure)
	l.clock.Advance(time.Second)
	l.grantDue()
	if with != priorityDenial {
		t.Errorf("woken with priority %d, want %d", with, priorityDenial)
	}
}

func TestLaneStopsAfterARefusedTokenUntilItIsRenewed(t *testing.T) {
	l := newTestLane(1000, 1000)
	l.acquire("a", priorityChange, noFailure)
	l.done("a", upstreamError(t, http.StatusUnauthorized))
	if l.acquire("b", priorityDenial, noFailure) || len(l.tick(24*time.Hour)) > 0 {
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
		l.acquire(user, priorityChange, noFailure)
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
	l.acquire("a", priorityChange, noFailure)
	l.done("a", upstreamError(t, http.StatusTooManyRequests, simulator.RetryAfter(10*time.Second)))
	l.acquire("b", priorityDenial, noFailure)
	l.acquire("c", priorityChange, noFailure)
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
		l.acquire(fmt.Sprint(i), priorityChange, noFailure)
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
			l.acquire(user, priorityChange, noFailure)
			l.done(user, down)
		}
		l.clock.Advance(time.Minute)
	}
	l.acquire("probe", priorityChange, noFailure)
	l.done("probe", down)
	l.woken = nil
	for _, user := range []string{"change 1", "change 2"} {
		l.acquire(user, priorityChange, noFailure)
	}
	l.acquire("denial", priorityDenial, noFailure)
	l.clock.Advance(denialBackoffMax)
	l.grantDue()
	if !slices.Equal(l.woken, []string{"denial"}) {
		t.Fatalf("woken %v, want the denial alone", l.woken)
	}
	l.acquire("denial", priorityDenial, noFailure)
	l.done("denial", nil)
	if len(l.woken) != 3 {
		t.Errorf("woken %v, want everybody once a probe succeeded", l.woken)
	}
}

func TestLaneLeavesFailingPeopleAFifthOfTheRate(t *testing.T) {
	l := newTestLane(10, 10)
	for range 10 {
		l.acquire("x", priorityChange, noFailure)
		l.done("x", nil)
	}
	for i := range 50 {
		l.acquire(fmt.Sprint("failing ", i), priorityChange, lastFailed)
	}
	retries := 0
	for range 20 {
		retries += len(l.tick(100 * time.Millisecond))
	}
	if retries > 6 {
		t.Errorf("%d retries in 2 s at 10 calls a second", retries)
	}
}

// emptied uses up what a lane has for a burst.
func (l *testLane) emptied() *testLane {
	for range l.burst {
		l.acquire("x", priorityChange, noFailure)
		l.done("x", nil)
	}
	return l
}

// kinds counts people by the first word of their names.
func kinds(users []string) map[string]int {
	counted := map[string]int{}
	for _, user := range users {
		kind, _, _ := strings.Cut(user, " ")
		counted[kind]++
	}
	return counted
}

func TestLaneLetsDenialsThatFailedOnceOvertakeCreations(t *testing.T) {
	l := newTestLane(10, 10).emptied()
	for i := range 20 {
		l.acquire(fmt.Sprint("denial ", i), priorityDenial, lastFailed)
		l.acquire(fmt.Sprint("creation ", i), priorityCreation, noFailure)
	}
	granted := kinds(l.tick(time.Second))
	if granted["denial"] != 10 || granted["creation"] != 0 {
		t.Errorf("one second granted %v, want 10 denials and no creation", granted)
	}
}

func TestLaneForgivesThoseWhoWaitInItWhenTheCircuitCloses(t *testing.T) {
	l := newTestLane(10, 10).emptied()
	for i := range 20 {
		l.acquire(fmt.Sprint("failed ", i), priorityChange, lastFailed)
	}
	down := upstreamError(t, http.StatusServiceUnavailable)
	for i := range circuitThreshold {
		user := fmt.Sprint("failing ", i)
		l.mu.Lock()
		l.granted[user], l.inFlight = struct{}{}, l.inFlight+1
		l.mu.Unlock()
		l.done(user, down)
	}
	l.clock.Advance(time.Minute)
	l.tick(0) // a probe, and what the burst allows after it

	if got := len(l.tick(time.Second)); got != 10 {
		t.Errorf("%d calls in the second after the circuit closed, want 10", got)
	}
}

func TestLaneKeepsDenialsThatAlwaysFailBelowCreations(t *testing.T) {
	l := newTestLane(10, 10).emptied()
	for i := range 200 {
		l.acquire(fmt.Sprint("denial ", i), priorityDenial, keepsFailing)
		l.acquire(fmt.Sprint("creation ", i), priorityCreation, noFailure)
	}
	granted := map[string]int{}
	for range 10 {
		for kind, n := range kinds(l.tick(time.Second)) {
			granted[kind] += n
		}
	}
	if granted["creation"] < 75 || granted["denial"] < 15 {
		t.Errorf("ten seconds granted %v, want about 80 creations and 20 denials", granted)
	}
}

func TestLaneProbesForSomebodyWhoseCallHasNotFailed(t *testing.T) {
	l := newTestLane(10, 10)
	down := upstreamError(t, http.StatusServiceUnavailable)
	for i := range circuitThreshold {
		user := fmt.Sprint("denial ", i)
		l.acquire(user, priorityDenial, noFailure)
		l.done(user, down)
	}
	for i := range circuitThreshold {
		l.acquire(fmt.Sprint("denial ", i), priorityDenial, lastFailed)
	}
	l.acquire("creation", priorityCreation, noFailure)
	l.clock.Advance(time.Minute)
	l.woken = nil
	l.grantDue()

	if !slices.Equal(l.woken, []string{"creation"}) {
		t.Errorf("woken %v, want the creation, since the denials may fail whether LambdaTest is back or not", l.woken)
	}
}

// crowd are people of one connection, whose calls end as the spec says. Whoever fails waits as long as a setback says.
type crowd struct {
	*testLane
	setbacks *setbacks
	due      map[string]time.Time
	urgency  func(user string) int
	outcome  func(user string) error
	done     map[string]int
}

func (c *crowd) step() {
	c.clock.Advance(100 * time.Millisecond)
	now := c.clock.Now()
	for user, at := range c.due {
		if !now.Before(at) {
			delete(c.due, user)
			c.try(user)
		}
	}
	c.grantDue()
	for len(c.woken) > 0 {
		user := c.woken[0]
		c.woken = c.woken[1:]
		c.try(user)
	}
}

func (c *crowd) try(user string) {
	if !c.acquire(user, c.urgency(user), c.setbacks.history(user, "off")) {
		return
	}
	before, _ := c.state()
	err := c.outcome(user)
	c.testLane.done(user, err)
	if err == nil {
		c.setbacks.clear(user)
		c.done[user]++
	} else {
		bounds := backoff{min: time.Second, max: denialBackoffMax}
		told := c.setbacks.failed(user, "off", c.answers(), c.clock.Now(), bounds, situation{})
		c.due[user] = c.clock.Now().Add(told.retryAfter)
	}
	if after, _ := c.state(); before == "open" && after == "closed" {
		c.setbacks.forgiveOutage()
	}
}

func TestDenialsThatAlwaysFailStarveNobody(t *testing.T) {
	down := upstreamError(t, http.StatusServiceUnavailable)
	c := &crowd{
		testLane: newTestLane(10, 20), setbacks: newSetbacks(), due: map[string]time.Time{}, done: map[string]int{},
		urgency: func(user string) int {
			if strings.HasPrefix(user, "denial") {
				return priorityDenial
			}
			return priorityCreation
		},
		outcome: func(user string) error {
			if strings.HasPrefix(user, "denial") {
				return down
			}
			return nil
		},
	}
	for i := range 30 {
		c.try(fmt.Sprint("denial ", i))
	}
	for i := range 1000 {
		c.try(fmt.Sprint("creation ", i))
	}
	for range 6000 {
		c.step()
	}
	if got := kinds(slices.Collect(maps.Keys(c.done)))["creation"]; got != 1000 {
		t.Errorf("%d of 1000 creations were done in ten minutes, at 10 calls a second", got)
	}
}

func TestAnOutageCostsNoDenialItsPlace(t *testing.T) {
	s, now := newSetbacks(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	bounds := backoff{min: time.Second, max: denialBackoffMax}
	for range 100 {
		s.failed(ada, "off", 7, now, bounds, situation{})
	}
	if got := s.history(ada, "off"); got != lastFailed {
		t.Errorf("history %d after failures while LambdaTest answered nobody, want %d", got, lastFailed)
	}
	s.forgiveOutage()
	if got := s.history(ada, "off"); got != noFailure {
		t.Errorf("history %d after the outage, want %d", got, noFailure)
	}
}

func TestCallsThatFailWhileLambdaTestAnswersOthersKeepFailing(t *testing.T) {
	s, now := newSetbacks(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	bounds := backoff{min: time.Second, max: denialBackoffMax}
	for answered := range uint64(maxStrikes + 1) {
		if got := s.history(ada, "off"); got == keepsFailing {
			t.Fatalf("believed after %d failures", answered)
		}
		s.failed(ada, "off", answered, now, bounds, situation{})
		s.forgiveOutage()
	}
	if got := s.history(ada, "off"); got != keepsFailing {
		t.Errorf("history %d, want %d", got, keepsFailing)
	}
	if got := s.history(ada, "on"); got != noFailure {
		t.Errorf("another wish has history %d, want %d", got, noFailure)
	}
	s.forgiveAll()
	if got := s.history(ada, "off"); got != noFailure {
		t.Errorf("history %d although all is forgiven, want %d", got, noFailure)
	}
}
