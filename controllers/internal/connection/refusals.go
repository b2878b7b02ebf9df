// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
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

var refusalPauses = lane.Backoff{Min: RefusalPauseMin, Max: RefusalPauseMax}

// CauseGroupProvisioning is that groups are refused altogether.
const CauseGroupProvisioning = "group provisioning"

// CauseConcurrencyGroup is that a concurrency group is refused.
func CauseConcurrencyGroup(name string) string { return "concurrency group/" + name }

// displayNamePrefix begins the causes of names that other groups have.
const displayNamePrefix = "displayName/"

// CauseDisplayName is that a displayName is refused, because another group has it.
func CauseDisplayName(name string) string { return displayNamePrefix + v1alpha1.FoldDisplayName(name) }

// CauseOwn is a refusal that says nothing about anybody else.
func CauseOwn(place string) string { return "own/" + place }

// Refuse remembers that LambdaTest refused a wish, until it is this one's turn to try the cause again.
func (s *Holdoffs) Refuse(place string, held Holdoff, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before := s.byPlace[place]; before.Cause != held.Cause || before.Fingerprint != held.Fingerprint {
		s.leave(place)
	}
	c := s.causes[held.Cause]
	if c == nil {
		c = &cause{places: map[string]struct{}{}}
		s.causes[held.Cause] = c
	}
	if len(c.places) == 0 {
		c.tries, c.retryAt = 1, now.Add(refusalPauses.After(1))
	}
	c.places[place], c.denies = struct{}{}, held.Denies
	held.due, held.Outcome.Refused = false, true
	s.byPlace[place] = held
}

// leave takes a place out of what it was refused for.
func (s *Holdoffs) leave(place string) {
	name := s.byPlace[place].Cause
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
		c.retryAt = now.Add(refusalPauses.After(c.tries))
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
func (s *Holdoffs) lift(name string, now time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.causes[name]
	if c == nil || len(c.places) == 0 || now.Before(c.liftAt) {
		return nil
	}
	c.lifts++
	c.liftAt = now.Add(refusalPauses.After(c.lifts))
	places := slices.Collect(maps.Keys(c.places))
	clear(c.places)
	for _, place := range places {
		delete(s.byPlace, place)
	}
	return places
}

// expedite ends the pause of causes that may be over, as a sweep can tell of some.
func (s *Holdoffs) expedite(over func(name string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, c := range s.causes {
		if over(name) {
			c.retryAt = time.Time{}
		}
	}
}

// retryRefusals lets refusals be tried again until ctx ends.
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

// TryRefusals wakes those whose turn it is, while LambdaTest can be called: few, so that any number of refusals leaves the rate to others.
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

// Accepted lets everybody go on whom LambdaTest refused what it has just accepted.
func (c *Connection) Accepted(cause string) {
	c.Wake(lane.Drift, c.Holdoffs.lift(cause, c.Options.Now())...)
}

// RefusalReasons are those of people of whom LambdaTest refuses something.
var RefusalReasons = []string{v1alpha1.OwnedByAnotherOrganizationReason, v1alpha1.ConcurrencyGroupNotFoundReason, v1alpha1.UpstreamRejectedReason}

// RateLimited is the outcome while LambdaTest asks to slow down.
func RateLimited() status.Outcome {
	return status.Progressingf(v1alpha1.RateLimitedReason, "LambdaTest asks to slow down. The call is repeated by itself; nothing needs to be done.")
}
