// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// cause is something that LambdaTest refuses: one concurrency group, group provisioning, or what a single person or group wants. All
// who are refused for it share its tries: one of them asks, and once LambdaTest accepts it, all of them go on.
type cause struct {
	places map[string]struct{}
	// tries counts how often it was refused to those whose turn it was, and retryAt is when the next turn is.
	tries   int
	retryAt time.Time
	denies  bool
	// lifts counts how often LambdaTest accepted it and then refused it again, and liftAt is when that is believed next.
	lifts  int
	liftAt time.Time
}

var refusalPauses = backoff{min: refusalPauseMin, max: refusalPauseMax}

// causeGroupProvisioning is that groups are refused altogether.
const causeGroupProvisioning = "group provisioning"

func causeConcurrencyGroup(name string) string { return "concurrency group/" + name }

// displayNamePrefix begins the causes of names that other groups have.
const displayNamePrefix = "displayName/"

func causeDisplayName(name string) string { return displayNamePrefix + v1alpha1.FoldDisplayName(name) }

// causeOwn is a refusal that says nothing about anybody else.
func causeOwn(place string) string { return "own/" + place }

// refuse remembers that LambdaTest refused a wish, until it is this one's turn to try the cause again.
func (s *setbacks) refuse(place string, held setback, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before := s.byPlace[place]; before.cause != held.cause || before.wanted != held.wanted {
		s.leave(place)
	}
	c := s.causes[held.cause]
	if c == nil {
		c = &cause{places: map[string]struct{}{}}
		s.causes[held.cause] = c
	}
	if len(c.places) == 0 {
		c.tries, c.retryAt = 1, now.Add(refusalPauses.after(1))
	}
	c.places[place], c.denies = struct{}{}, held.denies
	held.due, held.situation.refused = false, true
	s.byPlace[place] = held
}

// leave takes a place out of what it was refused for.
func (s *setbacks) leave(place string) {
	name := s.byPlace[place].cause
	c := s.causes[name]
	if c == nil {
		return
	}
	delete(c.places, place)
	if len(c.places) == 0 && c.lifts == 0 {
		delete(s.causes, name)
	}
}

// grant gives a turn to as many causes as the limit, of those whose pause is over: denials first, then who has waited longest. It
// returns who is to try.
func (s *setbacks) grant(now time.Time, limit int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.causes, func(_ string, c *cause) bool { return len(c.places) == 0 && now.After(c.liftAt) })
	var over []*cause
	for _, c := range s.causes {
		if len(c.places) > 0 && !now.Before(c.retryAt) {
			over = append(over, c)
		}
	}
	slices.SortFunc(over, func(a, b *cause) int {
		if a.denies != b.denies {
			if a.denies {
				return -1
			}
			return 1
		}
		return a.retryAt.Compare(b.retryAt)
	})
	var granted []string
	for _, c := range over[:min(limit, len(over))] {
		place := c.any()
		held := s.byPlace[place]
		held.due = true
		s.byPlace[place] = held
		c.tries++
		c.retryAt = now.Add(refusalPauses.after(c.tries))
		granted = append(granted, place)
	}
	return granted
}

// any is one of those who were refused; another one each time, for what refuses the first may be something of its own.
func (c *cause) any() string {
	for place := range c.places {
		return place
	}
	return ""
}

// lift ends a refusal for all, since LambdaTest has just accepted to one what it refused to others. It returns who goes on. Where
// LambdaTest goes on refusing all the same, this is believed after pauses that grow.
func (s *setbacks) lift(name string, now time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.causes[name]
	if c == nil || len(c.places) == 0 || now.Before(c.liftAt) {
		return nil
	}
	c.lifts++
	c.liftAt = now.Add(refusalPauses.after(c.lifts))
	places := slices.Collect(maps.Keys(c.places))
	clear(c.places)
	for _, place := range places {
		delete(s.byPlace, place)
	}
	return places
}

// expedite ends the pause of causes that may be over, as a sweep can tell of some.
func (s *setbacks) expedite(over func(name string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, c := range s.causes {
		if over(name) {
			c.retryAt = time.Time{}
		}
	}
}

// retryRefusals lets refusals be tried again until ctx ends.
func (c *connection) retryRefusals(ctx context.Context) {
	ticker := time.NewTicker(refusalTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.tryRefusals()
		}
	}
}

// tryRefusals wakes those whose turn it is, while LambdaTest can be called: few, so that any number of refusals leaves the rate to others.
func (c *connection) tryRefusals() {
	set, obstacle := c.state()
	if circuit, _ := c.lane.state(); obstacle != (situation{}) || circuit != "closed" {
		return
	}
	limit := max(set.perSecond*int(refusalTick/time.Second)/refusalShare, 1)
	for _, place := range c.setbacks.grant(c.options.Now(), limit) {
		c.wake(c.ledger.urgency(place, priorityDrift), place)
	}
}

// accepted lets everybody go on whom LambdaTest refused what it has just accepted.
func (c *connection) accepted(cause string) {
	c.wake(priorityDrift, c.setbacks.lift(cause, c.options.Now())...)
}

// tryAgain ends every message about a refusal: when it is tried again, and how to ask for it now. It names no time, which would be a new
// status with every try.
func tryAgain(object conditioned) string {
	kind := "ltuser"
	if _, isGroup := object.(*v1alpha1.LambdaTestGroup); isGroup {
		kind = "ltgroup"
	}
	return fmt.Sprintf(" It is tried again by itself, within a minute at first and about every hour later. To try now: kubectl annotate %s %s -n %s %s=\"$(date -u +%%FT%%TZ)\" --overwrite",
		kind, object.GetName(), object.GetNamespace(), v1alpha1.ReconcileRequestedAtAnnotation)
}
