// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"slices"
	"time"
)

// exposure is a time in which a person was denied and active.
type exposure struct {
	from, to Moment
	bound    time.Duration
	cause    string
}

// LateDenials returns the times in which a person was denied and active for longer than promised.
func LateDenials(e Evidence) []Violation {
	var found []Violation
	for _, x := range exposures(e) {
		if deadline := e.Bounds.deadline(x, e.Trouble, VacanciesOf(e.Terms)); x.to > deadline {
			found = append(found, violationf("deny", e.Subject,
				"active while denied from %s to %s (%s), which was due by %s", x.from, x.to, x.cause, deadline))
		}
	}
	return found
}

// exposures goes through the changes of resources and accounts in the order of time.
func exposures(e Evidence) []exposure {
	var found []exposure
	var open *exposure
	claims, active := map[string]bool{}, false
	versions, changes := denials(e), e.Changes
	for len(versions) > 0 || len(changes) > 0 {
		var at Moment
		next := exposure{bound: e.Bounds.Deny, cause: "denied"}
		if len(changes) == 0 || len(versions) > 0 && versions[0].At <= changes[0].At {
			at = versions[0].At
			claims[versions[0].Name] = versions[0].Denies
			versions = versions[1:]
		} else {
			at, active = changes[0].At, changes[0].After.Active
			next.bound, next.cause = e.Bounds.Failover, "activated by a late call"
			if !changes[0].ByOperator() {
				next.bound, next.cause = e.Bounds.Sweep, "activated at LambdaTest"
			}
			changes = changes[1:]
		}
		exposed := active && anyTrue(claims)
		switch {
		case exposed && open == nil:
			next.from = at
			open = &next
		case !exposed && open != nil:
			open.to = at
			found, open = append(found, *open), nil
		}
	}
	if open != nil {
		open.to = e.End
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

// deadline is when an exposure must end. The bound starts again after each time in which the operator could not act.
func (b Bounds) deadline(x exposure, trouble, vacancies []Period) Moment {
	deadline := x.from + x.bound
	for _, p := range sortedByStart(trouble, vacancies) {
		if p.To <= x.from || p.From > deadline {
			continue
		}
		if p.What == Vacancy {
			deadline = max(deadline, max(p.From, x.from)+b.Failover, p.To+b.Return)
		} else {
			deadline = max(deadline, p.To+x.bound)
		}
	}
	return deadline
}

// denials are the versions of the claims, and what the provider said, as a claim of its own: from the answer to a denial, also if no
// resource says so.
func denials(e Evidence) []Version {
	said := SaidByProvider(e.Operations, e.Versions)
	all := slices.Concat(e.Versions, said)
	slices.SortStableFunc(all, func(a, b Version) int { return int(a.At - b.At) })
	return all
}
