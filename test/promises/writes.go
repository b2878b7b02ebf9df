// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

// NeedlessWrites returns people with more writes at LambdaTest than can be explained by changes of resources, edits at LambdaTest and calls
// of unknown outcome. reasons are the times of changes about the person that the operator did not make.
func NeedlessWrites(e Evidence, reasons []Moment) []Violation {
	written, explained, edits := 0, 0, 0
	for _, c := range e.Changes {
		switch {
		case !c.ByOperator():
			edits++
		case c.Lost || e.unclear(c.At):
			written++
			explained++
		default:
			written++
		}
	}
	if most := len(reasons) + edits + explained; written > most {
		return []Violation{violationf("writes", e.Subject,
			"%d calls changed the account, and %d changes, %d edits at LambdaTest and %d calls of unknown outcome explain %d",
			written, len(reasons), edits, explained, most)}
	}
	return nil
}

// IdleWrites are calls that changed nothing although the operator had no reason to make them. Reasons are: an earlier call of unknown
// outcome; a recent edit at LambdaTest that no sweep has seen yet; a role that LambdaTest itself computed after a change of a group.
func IdleWrites(e Evidence) []Violation {
	var found []Violation
	edited := -Forever
	for i, c := range e.Changes {
		if !c.ByOperator() {
			edited = c.At
		}
		computed := i > 0 && e.Changes[i-1].After.Role != c.Before.Role
		if c.ByOperator() && c.Before == c.After && !computed && c.At > edited+e.Bounds.Sweep && !e.unclear(c.At) {
			found = append(found, violationf("writes", e.Subject, "%s at %s changed nothing", c.Call, c.At))
		}
	}
	return found
}

// unclear reports whether the outcome of a call at that time, or of the one before it, may be unknown, because its answer was lost or its
// leader died.
func (e Evidence) unclear(at Moment) bool {
	for _, p := range e.Trouble {
		if !p.ListsOnly && p.Overlaps(at-InFlight, at+InFlight) {
			return true
		}
	}
	for _, term := range e.Terms {
		if end := term.To; end >= at-InFlight && end <= at+InFlight {
			return true
		}
	}
	return false
}

// ReasonsOf returns, for each person, the times when resources changed: new generations, deletions, and changes by groups.
func ReasonsOf(people, groups []Version) map[string][]Moment {
	reasons := map[string][]Moment{}
	before := map[string]Version{}
	for _, v := range people {
		last := before[v.Name]
		for range max(v.Generation-last.Generation, 0) {
			reasons[v.Subject] = append(reasons[v.Subject], v.At)
		}
		if last.Counts != v.Counts || last.Gone != v.Gone {
			reasons[v.Subject] = append(reasons[v.Subject], v.At)
		}
		before[v.Name] = v
	}
	for _, v := range groups {
		for userName := range touched(before[v.Name].Members, v.Members, before[v.Name].Roles != v.Roles) {
			subject := OrganizationOf(v.Subject) + "/" + userName
			reasons[subject] = append(reasons[subject], v.At)
		}
		before[v.Name] = v
	}
	return reasons
}

// touched are the people whose membership began or ended; all members, if the roles changed.
func touched(before, after map[string]bool, all bool) map[string]bool {
	found := map[string]bool{}
	for name := range before {
		if all || !after[name] {
			found[name] = true
		}
	}
	for name := range after {
		if all || !before[name] {
			found[name] = true
		}
	}
	return found
}
