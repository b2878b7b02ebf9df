// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lane

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// TestLane is a lane with a clock that stands still and a record of who was woken.
type testLane struct {
	*Lane
	clock *Clock
	woken []string
}

func newTestLane(perSecond, burst int) *testLane {
	t := &testLane{clock: NewClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))}
	bounds := Backoff{Min: time.Second, Max: time.Minute}
	t.Lane = New(t.clock.Now, bounds, func(user string, _ int) { t.woken = append(t.woken, user) }, func() {})
	t.Limit(perSecond, burst)
	return t
}

// tick lets time pass and grants what has come due; everybody's call ends well at once.
func (l *testLane) tick(by time.Duration) (granted []string) {
	l.clock.Advance(by)
	l.woken = nil
	l.GrantDue()
	for _, user := range l.woken {
		l.Acquire(user, 0, NoFailure)
		l.Done(user, nil)
	}
	return l.woken
}

func TestLaneGrantsAtOnceWithinTheLimit(t *testing.T) {
	l := newTestLane(1, 2)
	for i, want := range []bool{true, true, false} {
		if got := l.Acquire(fmt.Sprint(i), Change, NoFailure); got != want {
			t.Errorf("call %d: granted %t, want %t", i, got, want)
		}
	}
}

func TestLaneOrdersByUrgencyAndThenByAge(t *testing.T) {
	l := newTestLane(1, 1)
	l.Acquire("first", Change, NoFailure)
	l.Done("first", nil)
	for _, waiting := range []ticket{
		{user: "creation", priority: Creation}, {user: "change 1", priority: Change},
		{user: "change 2", priority: Change}, {user: "denial", priority: Denial},
	} {
		l.Acquire(waiting.user, waiting.priority, NoFailure)
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
		l.Acquire(fmt.Sprint("creation ", i), Creation, NoFailure)
	}
	l.Acquire("denial", Denial, NoFailure)
	if next := l.tick(20 * time.Millisecond); !slices.Equal(next, []string{"denial"}) {
		t.Errorf("next was %v", next)
	}
}

func TestLaneStarvesNobody(t *testing.T) {
	l := newTestLane(1, 1)
	l.Acquire("first", Change, NoFailure)
	l.Done("first", nil)
	l.Acquire("drift", Drift, NoFailure)
	for second := range 10 {
		l.Acquire(fmt.Sprint("change ", second), Change, NoFailure)
		if slices.Contains(l.tick(time.Second), "drift") {
			return
		}
	}
	t.Error("the oldest ticket did not get a turn among changes that kept coming")
}

func TestLaneGivesTheOldestNoTurnBeforeADenial(t *testing.T) {
	l := newTestLane(1, 1)
	l.Acquire("first", Change, NoFailure)
	l.Done("first", nil)
	l.Acquire("drift", Drift, NoFailure)
	for second := range 10 {
		l.Acquire(fmt.Sprint("denial ", second), Denial, NoFailure)
		if slices.Contains(l.tick(time.Second), "drift") {
			t.Fatal("a denial had to wait")
		}
	}
}

func TestLaneTakesBackAGrantThatIsNotNeeded(t *testing.T) {
	l := newTestLane(1000, 1000)
	for i := range MaxInFlight {
		l.Acquire(fmt.Sprint(i), Change, NoFailure)
	}
	l.Acquire("waiting", Change, NoFailure)
	l.Done("0", nil)
	if !slices.Equal(l.woken, []string{"waiting"}) {
		t.Fatalf("woken %v", l.woken)
	}
	l.Forget("waiting")
	if !l.Acquire("another", Change, NoFailure) {
		t.Error("the grant that was given back is lost")
	}
}

func TestLaneBoundsCallsInFlight(t *testing.T) {
	l := newTestLane(1000, 1000)
	granted := 0
	for i := range 2 * MaxInFlight {
		if l.Acquire(fmt.Sprint(i), Change, NoFailure) {
			granted++
		}
	}
	if granted != MaxInFlight {
		t.Errorf("%d calls in flight, want %d", granted, MaxInFlight)
	}
}

func TestLaneLeavesDenialsAPlaceWhenAllAreTaken(t *testing.T) {
	l := newTestLane(1000, 1000)
	for i := range 2 * MaxInFlight {
		l.Acquire(fmt.Sprint("creation ", i), Creation, NoFailure)
	}
	if !l.Acquire("denial", Denial, NoFailure) {
		t.Error("a denial waits for the calls of creations to end")
	}
}

func TestLaneWakesADenialAsOne(t *testing.T) {
	l := newTestLane(1, 1)
	var with int
	l.wake = func(_ string, priority int) { with = priority }
	l.Acquire("first", Change, NoFailure)
	l.Acquire("denial", Denial, NoFailure)
	l.clock.Advance(time.Second)
	l.GrantDue()
	if with != Denial {
		t.Errorf("woken with priority %d, want %d", with, Denial)
	}
}

func TestLaneStopsAfterARefusedTokenUntilItIsRenewed(t *testing.T) {
	l := newTestLane(1000, 1000)
	l.Acquire("a", Change, NoFailure)
	l.Done("a", UpstreamError(t, http.StatusUnauthorized))
	if l.Acquire("b", Denial, NoFailure) || len(l.tick(24*time.Hour)) > 0 {
		t.Error("a call was granted with a token that was refused")
	}
	l.Renew()
	if got := l.tick(0); !slices.Equal(got, []string{"b"}) {
		t.Errorf("granted %v", got)
	}
}

func TestLaneCountsRefusalsOfCallsUnderWayTogetherOnce(t *testing.T) {
	l := newTestLane(100, 100)
	refused := UpstreamError(t, http.StatusTooManyRequests)
	users := []string{"a", "b", "c", "d", "e", "f"}
	for _, user := range users {
		l.Acquire(user, Change, NoFailure)
	}
	for _, user := range users {
		l.Done(user, refused)
	}
	if _, until := l.State(); until.After(l.clock.Now().Add(time.Second)) {
		t.Errorf("paused for %s, as if LambdaTest had refused six times in a row", until.Sub(l.clock.Now()))
	}
}

func TestLaneSlowsDownForEverybodyAfter429AndRecovers(t *testing.T) {
	l := newTestLane(100, 20)
	l.Acquire("a", Change, NoFailure)
	l.Done("a", UpstreamError(t, http.StatusTooManyRequests, simulator.RetryAfter(10*time.Second)))
	l.Acquire("b", Denial, NoFailure)
	l.Acquire("c", Change, NoFailure)
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
		l.Acquire(fmt.Sprint(i), Change, NoFailure)
		l.tick(time.Second)
	}
	if limit := l.limiter.Limit(); limit != 100 {
		t.Errorf("limit is %v after 50 successes", limit)
	}
}

func TestLaneProbesAnOpenCircuitWithDenialsFirstAndOneAtATime(t *testing.T) {
	l := newTestLane(1000, 1000)
	down := UpstreamError(t, http.StatusServiceUnavailable)
	for round := range 6 {
		for i := range CircuitThreshold {
			user := fmt.Sprint(round, i)
			l.Acquire(user, Change, NoFailure)
			l.Done(user, down)
		}
		l.clock.Advance(time.Minute)
	}
	l.Acquire("probe", Change, NoFailure)
	l.Done("probe", down)
	l.woken = nil
	for _, user := range []string{"change 1", "change 2"} {
		l.Acquire(user, Change, NoFailure)
	}
	l.Acquire("denial", Denial, NoFailure)
	l.clock.Advance(DenialBackoffMax)
	l.GrantDue()
	if !slices.Equal(l.woken, []string{"denial"}) {
		t.Fatalf("woken %v, want the denial alone", l.woken)
	}
	l.Acquire("denial", Denial, NoFailure)
	l.Done("denial", nil)
	if len(l.woken) != 3 {
		t.Errorf("woken %v, want everybody once a probe succeeded", l.woken)
	}
}

func TestLaneLeavesFailingPeopleAFifthOfTheRate(t *testing.T) {
	l := newTestLane(10, 10)
	for range 10 {
		l.Acquire("x", Change, NoFailure)
		l.Done("x", nil)
	}
	for i := range 50 {
		l.Acquire(fmt.Sprint("failing ", i), Change, LastFailed)
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
		l.Acquire("x", Change, NoFailure)
		l.Done("x", nil)
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
		l.Acquire(fmt.Sprint("denial ", i), Denial, LastFailed)
		l.Acquire(fmt.Sprint("creation ", i), Creation, NoFailure)
	}
	granted := kinds(l.tick(time.Second))
	if granted["denial"] != 10 || granted["creation"] != 0 {
		t.Errorf("one second granted %v, want 10 denials and no creation", granted)
	}
}

func TestLaneForgivesThoseWhoWaitInItWhenTheCircuitCloses(t *testing.T) {
	l := newTestLane(10, 10).emptied()
	for i := range 20 {
		l.Acquire(fmt.Sprint("failed ", i), Change, LastFailed)
	}
	down := UpstreamError(t, http.StatusServiceUnavailable)
	for i := range CircuitThreshold {
		user := fmt.Sprint("failing ", i)
		l.mu.Lock()
		l.granted.Insert(user)
		l.inFlight++
		l.mu.Unlock()
		l.Done(user, down)
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
		l.Acquire(fmt.Sprint("denial ", i), Denial, KeepsFailing)
		l.Acquire(fmt.Sprint("creation ", i), Creation, NoFailure)
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
	down := UpstreamError(t, http.StatusServiceUnavailable)
	for i := range CircuitThreshold {
		user := fmt.Sprint("denial ", i)
		l.Acquire(user, Denial, NoFailure)
		l.Done(user, down)
	}
	for i := range CircuitThreshold {
		l.Acquire(fmt.Sprint("denial ", i), Denial, LastFailed)
	}
	l.Acquire("creation", Creation, NoFailure)
	l.clock.Advance(time.Minute)
	l.woken = nil
	l.GrantDue()

	if !slices.Equal(l.woken, []string{"creation"}) {
		t.Errorf("woken %v, want the creation, since the denials may fail whether LambdaTest is back or not", l.woken)
	}
}

func TestALaneCountsACallThatIsMadeWithoutATurn(t *testing.T) {
	l := newTestLane(1, 2)
	l.Acquire("first", Change, NoFailure)
	l.Charge()
	l.Done("first", nil)
	if l.Acquire("second", Change, NoFailure) {
		t.Error("three calls follow each other, and two may")
	}
	if granted := l.tick(time.Second); len(granted) != 1 {
		t.Errorf("a second later %v may call, want the one who waits", granted)
	}
}

func TestBacklogOfADenialCountsDenialsOnly(t *testing.T) {
	l := newTestLane(1, 1)
	l.Acquire("first", Change, NoFailure)
	for i := range 100 {
		l.Acquire(fmt.Sprint("change ", i), Change, NoFailure)
	}
	for i := range 10 {
		l.Acquire(fmt.Sprint("denial ", i), Denial, NoFailure)
	}
	l.Acquire("change 0", Denial, NoFailure) // the change became a denial
	l.Forget("denial 0")
	if denials, all := l.Backlog(Denial), l.Backlog(Change); denials != 10*time.Second || all != 109*time.Second {
		t.Errorf("a denial waits for %s and a change for %s, want 10s and 1m49s", denials, all)
	}
	for range 109 {
		l.tick(time.Second)
	}
	if denials, all := l.Backlog(Denial), l.Backlog(Change); denials+all != 0 {
		t.Errorf("left are %s and %s", denials, all)
	}
}
