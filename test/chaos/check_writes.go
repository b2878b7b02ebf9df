// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"
)

// inFlight is how long a call may be in flight after its caller died or its answer was lost, and how long a healed link may still delay
// answers.
const inFlight = 10 * time.Second

// needlessWrites returns people with more writes at LambdaTest than can be explained by changes of resources, edits at LambdaTest and calls
// of unknown outcome. reasons are the times of changes about the person that the operator did not make.
func needlessWrites(subject string, reasons []moment, changes []accountChange, trouble, terms []period) []violation {
	written, explained, edits := 0, 0, 0
	for _, c := range changes {
		switch {
		case !c.byOperator():
			edits++
		case c.Lost || unclear(c.At, trouble, terms):
			written++
			explained++
		default:
			written++
		}
	}
	if most := len(reasons) + edits + explained; written > most {
		return []violation{{Check: "writes", Whom: subject, Detail: fmt.Sprintf(
			"%d calls changed the account, and %d changes, %d edits at LambdaTest and %d calls of unknown outcome explain %d",
			written, len(reasons), edits, explained, most)}}
	}
	return nil
}

// idleWrites are calls that changed nothing although the operator had no reason to make them. Reasons are: an earlier call of unknown
// outcome; a recent edit at LambdaTest that no sweep has seen yet; a role that LambdaTest itself computed after a change of a group.
func idleWrites(subject string, changes []accountChange, trouble, terms []period) []violation {
	var found []violation
	edited := -forever
	for i, c := range changes {
		if !c.byOperator() {
			edited = c.At
		}
		computed := i > 0 && changes[i-1].After.Role != c.Before.Role
		if c.byOperator() && c.Before == c.After && !computed && c.At > edited+driftBound && !unclear(c.At, trouble, terms) {
			found = append(found, violation{Check: "writes", Whom: subject, Detail: fmt.Sprintf("%s at %s changed nothing", c.Call, c.At)})
		}
	}
	return found
}

// unclear reports whether the outcome of a call at that time, or of the one before it, may be unknown, because its answer was lost or its
// leader died.
func unclear(at moment, trouble, terms []period) bool {
	for _, p := range trouble {
		lies := p.What == string(upstreamTruncate) || p.What == string(upstreamShuffle) // which spoil no call
		if !lies && p.overlaps(at-inFlight, at+inFlight) {
			return true
		}
	}
	for _, term := range terms {
		if end := term.To; end >= at-inFlight && end <= at+inFlight {
			return true
		}
	}
	return false
}

// reasonsOf returns, for each person, the times when resources changed: new generations, deletions, and changes by groups.
func reasonsOf(people, groups []version) map[string][]moment {
	reasons := map[string][]moment{}
	before := map[string]version{}
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
			reasons[v.Subject+"/"+userName] = append(reasons[v.Subject+"/"+userName], v.At)
		}
		before[v.Name] = v
	}
	return reasons
}

// touched are the people whose membership began or ended; all members, if the roles changed.
func touched(before, after map[string]bool, everybody bool) map[string]bool {
	found := map[string]bool{}
	for name := range before {
		if everybody || !after[name] {
			found[name] = true
		}
	}
	for name := range after {
		if everybody || !before[name] {
			found[name] = true
		}
	}
	return found
}
