// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"cmp"
	"slices"
	"time"
)

// GuardLimits are an organization's spec.deprovisionGuard.
type GuardLimits struct{ Minimum, Percent int }

// DefaultGuard are the limits without a spec.deprovisionGuard.
func DefaultGuard() GuardLimits { return GuardLimits{Minimum: 10, Percent: 20} }

// most is how many people may go in an hour: the minimum, or the share of the active ones if that is more, and never more than half of them;
// half of one is one.
func (l GuardLimits) most(active int) int {
	return min(max(l.Minimum, active*l.Percent/100), max(active/2, 1))
}

const (
	guardHour = time.Hour
	// guardSlack is how long after the guard's answer a call may be made: a call that the end of the hour overtakes counts for the next one here.
	guardSlack = 5 * time.Minute
)

// loss is a person who lost access or a role, or got access back, because a resource was deleted.
type loss struct {
	at      Moment
	subject string
	what    string
}

// OverGuardInAnHour returns the hours in which more people of an organization went because resources were deleted than its guard lets go.
// Approvals are when an annotation approved the held set: a person who was held by then does not count.
func OverGuardInAnHour(organization string, all []Evidence, limits GuardLimits, approvals []Moment) []Violation {
	var losses []loss
	var active []AccountChange
	var trouble []Period
	for _, e := range all {
		if OrganizationOf(e.Subject) == organization {
			losses = append(losses, e.losses(approvals)...)
			active = append(active, e.Changes...)
			trouble = e.Trouble
		}
	}
	slices.SortStableFunc(losses, func(a, b loss) int { return cmp.Compare(a.at, b.at) })
	slices.SortStableFunc(active, func(a, b AccountChange) int { return cmp.Compare(a.At, b.At) })
	var found []Violation
	for i, first := range losses {
		// The guard's hour begins with the first loss after a pause. Any other time of an hour may share two hours of the guard, and so may the
		// time after an outage, in which those are carried out who were let go before.
		begins := i == 0 || first.at-losses[i-1].at > guardHour
		delayed := slices.ContainsFunc(trouble, func(p Period) bool { return p.Overlaps(first.at-guardSlack, first.at) })
		most, lasts := 2*limits.most(mostActive(active, first.at)), Moment(guardHour)
		if begins && !delayed {
			most, lasts = most/2, guardHour-guardSlack
		}
		gone := 0
		for _, l := range losses[i:] {
			if l.at < first.at+lasts {
				gone++
			}
		}
		if gone > most {
			found = append(found, violationf("guard", organization,
				"within %s from %s, %d people lost access or a role, or got access back, because resources were deleted, and the guard lets %d go (first, %s %s)",
				lasts, first.at, gone, most, first.subject, first.what))
			break // the rest follows from it
		}
	}
	return found
}

// losses are the calls about a person that follow from the deletion of a resource, and not from what a claim says.
func (e Evidence) losses(approvals []Moment) []loss {
	var found []loss
	wishes := e.wishes()
	for _, c := range e.Changes {
		if !c.ByOperator() || e.isApproved(c.At, approvals) {
			continue
		}
		from, to := recent(wishes, c.At, e.Bounds.staleness())
		for i := to - 1; i > max(from-1, 0); i-- {
			if wishes[i].isMetBy(c) {
				if what := lossBetween(wishes[i-1], wishes[i], c); what != "" {
					found = append(found, loss{c.At, e.Subject, what})
				}
				break
			}
		}
	}
	return found
}

// isMetBy reports whether a call does what is wished. A person who left the last group with a role is User.
func (w wish) isMetBy(c AccountChange) bool {
	return c.After.Active == w.On() && (!w.On() || cmp.Or(w.Role, "User") == c.After.Role)
}

// lossBetween says what a person lost with a call that carries out the step from one wish to the next; empty when the step was no deletion.
func lossBetween(before, after wish, c AccountChange) string {
	isLower := rank(c.After.Role) < rank(c.Before.Role) && c.Before.Role == before.Role
	switch {
	case !after.cause.Deleting && !after.cause.Gone:
	case c.turnsOff() && before.On() && !after.Claimed:
		return "lost access"
	case c.turnsOn() && before.Denied && after.On():
		return "got access back"
	case after.cause.Source != sourceSCIM && c.Before.Active && c.After.Active && isLower:
		return "lost the role " + c.Before.Role
	}
	return ""
}

// isApproved reports whether the person was held, and approved, by then.
func (e Evidence) isApproved(at Moment, approvals []Moment) bool {
	held := e.heldFrom()
	return slices.ContainsFunc(approvals, func(approval Moment) bool { return held <= approval && approval <= at })
}

// mostActive is the largest number of accounts that were active from an hour before that time until an hour after it.
func mostActive(changes []AccountChange, at Moment) int {
	active, most := 0, 0
	for _, c := range changes {
		if c.At > at-guardHour {
			most = max(most, active)
		}
		if c.At > at+guardHour {
			break
		}
		switch {
		case c.turnsOn():
			active++
		case c.turnsOff():
			active--
		}
	}
	return max(most, active)
}
