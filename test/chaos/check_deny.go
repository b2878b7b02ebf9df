// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"time"
)

// The promises about denied people, while LambdaTest is reachable.
const (
	// denyBound applies while a leader runs. failoverBound, the lease and ten seconds, applies from the death of a leader, and to a call of
	// that leader that takes effect late. driftBound, one sweep, applies to an activation at LambdaTest itself.
	denyBound     = 5 * time.Second
	failoverBound = 25 * time.Second
	driftBound    = 10 * time.Second
	// returnBound applies to a new leader whose election took longer than a lease, from its election.
	returnBound = 10 * time.Second
)

// exposure is a time in which a person was denied and active.
type exposure struct {
	from, to moment
	bound    time.Duration
	cause    string
}

// lateDenials returns the people who were denied and active for longer than promised. trouble are the times in which the organization's
// LambdaTest or the API server was unreachable, vacancies the times without a leader.
func lateDenials(subject string, versions []version, changes []accountChange, trouble, vacancies []period, end moment) []violation {
	var found []violation
	for _, e := range exposures(versions, changes, end) {
		if deadline := e.deadline(trouble, vacancies); e.to > deadline {
			found = append(found, violation{Check: "deny", Whom: subject, Detail: fmt.Sprintf(
				"active while denied from %s to %s (%s), which was due by %s", e.from, e.to, e.cause, deadline)})
		}
	}
	return found
}

// exposures goes through the changes of resources and accounts in the order of time.
func exposures(versions []version, changes []accountChange, end moment) []exposure {
	var found []exposure
	var open *exposure
	claims, active := map[string]bool{}, false
	for len(versions) > 0 || len(changes) > 0 {
		var at moment
		e := exposure{bound: denyBound, cause: "denied"}
		if len(changes) == 0 || len(versions) > 0 && versions[0].At <= changes[0].At {
			at = versions[0].At
			claims[versions[0].Name] = versions[0].Denies
			versions = versions[1:]
		} else {
			at, active = changes[0].At, changes[0].After.Active
			e.bound, e.cause = failoverBound, "activated by a late call"
			if !changes[0].byOperator() {
				e.bound, e.cause = driftBound, "activated at LambdaTest"
			}
			changes = changes[1:]
		}
		exposed := active && anyTrue(claims)
		switch {
		case exposed && open == nil:
			e.from = at
			open = &e
		case !exposed && open != nil:
			open.to = at
			found, open = append(found, *open), nil
		}
	}
	if open != nil {
		open.to = end
		found = append(found, *open)
	}
	return found
}

func anyTrue(values map[string]bool) bool {
	for _, value := range values {
		if value {
			return true
		}
	}
	return false
}

// deadline is when the exposure must end. The bound starts again after each time in which the operator could not act.
func (e exposure) deadline(trouble, vacancies []period) moment {
	deadline := e.from + e.bound
	for _, p := range sortedByStart(trouble, vacancies) {
		if p.To <= e.from || p.From > deadline {
			continue
		}
		if p.What == vacancy {
			deadline = max(deadline, max(p.From, e.from)+failoverBound, p.To+returnBound)
		} else {
			deadline = max(deadline, p.To+e.bound)
		}
	}
	return deadline
}

// vacancy is a time without a leader.
const vacancy = "nobody leads"

func sortedByStart(lists ...[]period) []period {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b period) int { return int(a.From - b.From) })
	return all
}

// vacanciesOf are the times without a leader.
func vacanciesOf(terms []period) []period {
	var vacant []period
	for _, term := range terms {
		if term.Whom == "" {
			vacant = append(vacant, period{From: term.From, To: term.To, What: vacancy})
		}
	}
	return vacant
}

// troubleOf returns the faults that affected an organization: its own, those of all, and those of the replica that led meanwhile.
func troubleOf(organization string, all, terms []period) []period {
	return slices.DeleteFunc(slices.Clone(all), func(p period) bool {
		ledMeanwhile := slices.ContainsFunc(terms, func(term period) bool { return term.Whom == p.Whom && term.overlaps(p.From, p.To) })
		return p.Whom != organization && p.Whom != everybody && !ledMeanwhile
	})
}
