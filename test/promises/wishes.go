// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// wish is what the claims about a person ask for from a moment on, and the version of a claim or group that made it so.
type wish struct {
	Desired
	at    Moment
	cause Version
}

// staleness is how old the wish may be that a call carries out: a call may be in flight while its leader dies and another one takes over.
func (b Bounds) staleness() Moment { return b.Failover + InFlight }

// wishes are the wishes about a person in the order of time. The first one is that of a person whom nothing claims.
func (e Evidence) wishes() []wish {
	claims, groups := map[string]Version{}, map[string]Version{}
	all := []wish{{}}
	last := func() *wish { return &all[len(all)-1] }
	for people, members := e.Versions, e.GroupVersions; len(people) > 0 || len(members) > 0; {
		var v Version
		if len(members) == 0 || len(people) > 0 && people[0].At <= members[0].At {
			v, people = people[0], people[1:]
			claims[v.Name] = v
		} else {
			v, members = members[0], members[1:]
			groups[v.Name] = v
		}
		desired := Merge(e.Subject, slices.Collect(maps.Values(claims)), slices.Collect(maps.Values(groups)))
		if desired != last().Desired {
			all = append(all, wish{Desired: desired, at: v.At, cause: v})
		}
	}
	return all
}

// lateness is how much later than the operator the record of versions may see one.
const lateness = InFlight

// recent are the wishes that a call at that time may carry out: from the first index, below the second.
func recent(wishes []wish, at, staleness Moment) (from, to int) {
	for to < len(wishes) && (to == 0 || wishes[to].at <= at+lateness) {
		if wishes[to].at <= at-staleness {
			from = to
		}
		to++
	}
	return from, to
}

// heldFrom is when the guard first held something about the person. What it held may stay in force without a claim from then on, when
// a person rejected the change.
func (e Evidence) heldFrom() Moment {
	first := Forever
	for _, v := range slices.Concat(e.Versions, e.GroupVersions) {
		if isHeld(v.Ready.Reason) {
			first = min(first, v.At)
		}
	}
	return first
}

// Unasked returns the calls that did what no claim or group asked for: an account was switched on or off, or got a role, although at no time
// shortly before the call the claims asked for that.
func Unasked(e Evidence) []Violation {
	var found []Violation
	wishes, held := e.wishes(), e.heldFrom()
	for _, c := range e.Changes {
		if !c.ByOperator() || c.At >= held {
			continue
		}
		from, to := recent(wishes, c.At, e.Bounds.staleness())
		asked := wishes[from:to]
		wants := func(on bool) bool { return slices.ContainsFunc(asked, func(w wish) bool { return w.On() == on }) }
		unasked := ""
		switch {
		case c.turnsOn() && !wants(true):
			unasked = "switched the account on"
		case c.turnsOff() && !wants(false):
			unasked = "switched the account off"
		case c.Before.Role != c.After.Role && !c.IsCreation() && !e.mayGive(c, asked, wishes):
			unasked = "gave the role " + c.After.Role + " in place of " + c.Before.Role
		}
		if unasked != "" {
			found = append(found, violationf("asked", e.Subject, "%s at %s %s, and no claim or group asked for that", c.Call, c.At, unasked))
		}
	}
	return found
}

func (c AccountChange) turnsOn() bool  { return !c.Before.Active && c.After.Active }
func (c AccountChange) turnsOff() bool { return c.Before.Active && !c.After.Active }

// mayGive reports whether a change of the role was asked for. LambdaTest computes roles as well: the one of a group that it has, and User for
// a person who left the last group with a role, or who is switched on.
func (e Evidence) mayGive(c AccountChange, asked, wishes []wish) bool {
	leftGroups := slices.ContainsFunc(wishes, func(w wish) bool { return w.FromGroup && w.at <= c.At })
	if c.After.Role == "User" && (leftGroups || c.turnsOn()) {
		return true
	}
	isAsked := slices.ContainsFunc(asked, func(w wish) bool { return w.Role == c.After.Role })
	return isAsked || slices.ContainsFunc(e.GroupVersions, func(v Version) bool {
		return v.At <= c.At && slices.Contains(strings.Fields(v.Roles), c.After.Role)
	})
}

// Misled returns the times in which a claim said Synced for longer than promised while the account was on and the claims asked for the
// opposite, or the other way round.
func Misled(e Evidence) []Violation {
	var found []Violation
	for _, x := range e.lies() {
		if deadline := e.Bounds.deadline(x, e.Trouble, VacanciesOf(e.Terms)); x.to > deadline {
			found = append(found, violationf("conditions", e.Subject,
				"%s says Synced from %s to %s, and the account was not as the claims ask for; that was due by %s", x.cause, x.from, x.to, deadline))
		}
	}
	return found
}

// lies are the times in which a condition was wrong, with the name of the resource as their cause. A sweep has to see an edit at LambdaTest
// before a condition can follow.
func (e Evidence) lies() []exposure {
	type event struct {
		at     Moment
		happen func()
	}
	says, active := map[string]bool{}, false
	var desired Desired
	var events []event
	for _, v := range e.Versions {
		events = append(events, event{v.At, func() { says[v.Name] = v.Counts && v.Current && v.Ready.Reason == v1alpha1.SyncedReason }})
	}
	for _, w := range e.wishes() {
		events = append(events, event{w.at, func() { desired = w.Desired }})
	}
	for _, c := range e.Changes {
		events = append(events, event{c.At, func() { active = c.After.Active }})
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	held := e.heldFrom()
	var found []exposure
	open := map[string]Moment{}
	end := func(name string, at Moment) {
		if from, lying := open[name]; lying {
			found = append(found, exposure{from: from, to: at, bound: e.Bounds.Sweep + e.Bounds.Failover, cause: name})
			delete(open, name)
		}
	}
	for _, ev := range events {
		ev.happen()
		for _, name := range slices.Sorted(maps.Keys(says)) {
			if _, lying := open[name]; says[name] && active != desired.On() && ev.at < held {
				if !lying {
					open[name] = ev.at
				}
				continue
			}
			end(name, ev.at)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(open)) {
		end(name, e.End)
	}
	return found
}
