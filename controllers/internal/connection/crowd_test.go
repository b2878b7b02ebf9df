// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// crowd are people of one connection, whose calls end as the spec says. Whoever fails waits as long as a setback says.
type crowd struct {
	*lane.Lane
	clock    *Clock
	woken    []string
	setbacks *Holdoffs
	due      map[string]time.Time
	urgency  func(user string) int
	outcome  func(user string) error
	made     map[string]int
}

func TestDenialsThatAlwaysFailStarveNobody(t *testing.T) {
	down := UpstreamError(t, http.StatusServiceUnavailable)
	c := &crowd{
		clock: NewClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), setbacks: newHoldoffs(), due: map[string]time.Time{}, made: map[string]int{},
		urgency: func(user string) int {
			if strings.HasPrefix(user, "denial") {
				return lane.Denial
			}
			return lane.Creation
		},
		outcome: func(user string) error {
			if strings.HasPrefix(user, "denial") {
				return down
			}
			return nil
		},
	}
	c.Lane = lane.New(c.clock.Now, lane.Backoff{Min: time.Second, Max: 30 * time.Second}, func(user string, _ int) { c.woken = append(c.woken, user) }, func() {})
	c.Limit(10, 20)
	for i := range 30 {
		c.try(fmt.Sprint("denial ", i))
	}
	for i := range 1000 {
		c.try(fmt.Sprint("creation ", i))
	}
	for range 6000 {
		c.step()
	}
	if got := len(c.made); got != 1000 {
		t.Errorf("%d of 1000 creations were done in ten minutes, at 10 calls a second", got)
	}
}

func TestAnOutageCostsNoDenialItsPlace(t *testing.T) {
	s, now := newHoldoffs(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	bounds := lane.Backoff{Min: time.Second, Max: lane.DenialBackoffMax}
	for range 100 {
		s.Failed(ada, "off", 7, now, bounds, status.Outcome{})
	}
	if got := s.History(ada, "off"); got != lane.LastFailed {
		t.Errorf("history %d after failures while LambdaTest answered nobody, want %d", got, lane.LastFailed)
	}
	s.forgiveOutage()
	if got := s.History(ada, "off"); got != lane.NoFailure {
		t.Errorf("history %d after the outage, want %d", got, lane.NoFailure)
	}
}

func TestCallsThatFailWhileLambdaTestAnswersOthersKeepFailing(t *testing.T) {
	s, now := newHoldoffs(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	bounds := lane.Backoff{Min: time.Second, Max: lane.DenialBackoffMax}
	for answered := range uint64(maxStrikes + 1) {
		if got := s.History(ada, "off"); got == lane.KeepsFailing {
			t.Fatalf("believed after %d failures", answered)
		}
		s.Failed(ada, "off", answered, now, bounds, status.Outcome{})
		s.forgiveOutage()
	}
	if got := s.History(ada, "off"); got != lane.KeepsFailing {
		t.Errorf("history %d, want %d", got, lane.KeepsFailing)
	}
	if got := s.History(ada, "on"); got != lane.NoFailure {
		t.Errorf("another wish has history %d, want %d", got, lane.NoFailure)
	}
	s.forgiveAll()
	if got := s.History(ada, "off"); got != lane.NoFailure {
		t.Errorf("history %d although all is forgiven, want %d", got, lane.NoFailure)
	}
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
	c.GrantDue()
	for len(c.woken) > 0 {
		user := c.woken[0]
		c.woken = c.woken[1:]
		c.try(user)
	}
}

func (c *crowd) try(user string) {
	if !c.Acquire(user, c.urgency(user), c.setbacks.History(user, "off")) {
		return
	}
	before, _ := c.State()
	err := c.outcome(user)
	c.Done(user, err)
	if err == nil {
		c.setbacks.Clear(user)
		c.made[user]++
	} else {
		bounds := lane.Backoff{Min: time.Second, Max: lane.DenialBackoffMax}
		told := c.setbacks.Failed(user, "off", c.Answers(), c.clock.Now(), bounds, status.Outcome{})
		c.due[user] = c.clock.Now().Add(told.RetryAfter)
	}
	if after, _ := c.State(); before == "open" && after == "closed" {
		c.setbacks.forgiveOutage()
	}
}
