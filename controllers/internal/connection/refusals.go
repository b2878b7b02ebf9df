// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// cause is something that LambdaTest refuses: one concurrency group, group provisioning, or what a single person or group wants. All
// places that are refused for it share its tries: one of them calls, and once LambdaTest accepts the call, all of them go on.
type cause struct {
	places sets.Set[string]
	// tries counts how often LambdaTest refused it, and retryAt is when the next try is due.
	tries   int
	retryAt time.Time
	denies  bool
	// lifts counts how often LambdaTest accepted it and then refused it again, and liftAt is when that is believed next.
	lifts  int
	liftAt time.Time
}

var refusalPauses = lane.Backoff{Min: RefusalPauseMin, Max: RefusalPauseMax}

// CauseGroupProvisioning is that LambdaTest refuses all groups.
const CauseGroupProvisioning = "group provisioning"

// CauseConcurrencyGroup is that a concurrency group is refused.
func CauseConcurrencyGroup(name string) string { return "concurrency group/" + name }

// displayNamePrefix begins the causes of names that other groups have.
const displayNamePrefix = "displayName/"

// CauseDisplayName is that a displayName is refused, because another group has it.
func CauseDisplayName(name string) string { return displayNamePrefix + v1alpha1.FoldDisplayName(name) }

// CauseOwn is a refusal that says nothing about other places.
func CauseOwn(place string) string { return "own/" + place }

// Refuse remembers that LambdaTest refused a call of a place, until that place is to try the cause again.
func (s *Holdoffs) Refuse(place string, held Holdoff, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before := s.byPlace[place]; before.Cause != held.Cause || before.Fingerprint != held.Fingerprint {
		s.leave(place)
	}
	c := s.causes[held.Cause]
	if c == nil {
		c = &cause{places: sets.New[string]()}
		s.causes[held.Cause] = c
	}
	if len(c.places) == 0 {
		c.tries, c.retryAt = 1, now.Add(refusalPauses.After(1))
	}
	c.places.Insert(place)
	c.denies = held.Denies
	held.due, held.Outcome.Refused = false, true
	s.byPlace[place] = held
}

// leave takes a place out of the cause that it was refused for.
func (s *Holdoffs) leave(place string) {
	name := s.byPlace[place].Cause
	c := s.causes[name]
	if c == nil {
		return
	}
	c.places.Delete(place)
	if len(c.places) == 0 && c.lifts == 0 {
		delete(s.causes, name)
	}
}

// grant makes up to limit causes due whose pause is over, denials first, then the one that has waited longest. It returns the place of
// each that is to try it.
func (s *Holdoffs) grant(now time.Time, limit int) []string {
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
		switch {
		case a.denies == b.denies:
			return a.retryAt.Compare(b.retryAt)
		case a.denies:
			return -1
		}
		return 1
	})
	var granted []string
	for _, c := range over[:min(limit, len(over))] {
		place := c.any()
		held := s.byPlace[place]
		held.due = true
		s.byPlace[place] = held
		c.tries++
		c.retryAt = now.Add(refusalPauses.After(c.tries))
		granted = append(granted, place)
	}
	return granted
}

// any is one of the places, another one each time: what is refused of the first may be something of its own.
func (c *cause) any() string {
	for place := range c.places {
		return place
	}
	return ""
}

// lift ends a refusal for all places, since LambdaTest has just accepted from one what it refused to others. It returns the places that go
// on. If LambdaTest refuses it again, the next acceptance is believed only after a pause, and the pauses grow.
func (s *Holdoffs) lift(name string, now time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.causes[name]
	if c == nil || len(c.places) == 0 || now.Before(c.liftAt) {
		return nil
	}
	c.lifts++
	c.liftAt = now.Add(refusalPauses.After(c.lifts))
	places := c.places.UnsortedList()
	clear(c.places)
	for _, place := range places {
		delete(s.byPlace, place)
	}
	return places
}

// expedite ends the pause of the causes that a sweep found to be over.
func (s *Holdoffs) expedite(over func(name string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, c := range s.causes {
		if over(name) {
			c.retryAt = time.Time{}
		}
	}
}

// retryRefusals calls TryRefusals regularly until ctx ends.
func (c *Connection) retryRefusals(ctx context.Context) {
	ticker := time.NewTicker(refusalTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.TryRefusals()
		}
	}
}

// TryRefusals requeues the places that are to try a refusal again, while LambdaTest can be called: few at a time, so that refusals never
// use up the rate.
func (c *Connection) TryRefusals() {
	set, obstacle := c.State()
	if circuit, _ := c.Lane.State(); obstacle != (status.Outcome{}) || circuit != "closed" {
		return
	}
	limit := max(set.perSecond*int(refusalTick/time.Second)/refusalShare, 1)
	for _, place := range c.Holdoffs.grant(c.Options.Now(), limit) {
		c.Wake(c.Census.urgency(place, lane.Drift), place)
	}
}

// Accepted requeues the places that LambdaTest refused what it has just accepted.
func (c *Connection) Accepted(cause string) {
	c.Wake(lane.Drift, c.Holdoffs.lift(cause, c.Options.Now())...)
}

// RefusalReasons are the reasons of Ready of people for whom LambdaTest refuses something.
var RefusalReasons = []string{v1alpha1.OwnedByAnotherOrganizationReason, v1alpha1.AccountMovedReason, v1alpha1.ConcurrencyGroupNotFoundReason, v1alpha1.UpstreamRejectedReason}
