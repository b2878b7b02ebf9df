// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"cmp"
	"slices"
	"sync"
)

// Everybody is the Whom of a period that affects all organizations.
const Everybody = ""

// Vacancy is what a period without a leader is called.
const Vacancy = "nobody leads"

// Period is a time with a certain fault or state.
type Period struct {
	From, To Moment
	// What was so, and about whom: an organization, a replica, or Everybody.
	What, Whom string
	// ListsOnly is true for a fault that makes lists wrong, and spoils no other call.
	ListsOnly bool
}

// Overlaps reports whether the period shares a time with another one.
func (p Period) Overlaps(from, to Moment) bool { return p.From < to && from < p.To }

// Timeline is the record of all periods; all faults write to it. The zero value is ready to use.
type Timeline struct {
	mu      sync.Mutex
	periods []Period
}

// Add records a period that has ended.
func (t *Timeline) Add(p Period) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.periods = append(t.periods, p)
}

// All returns the periods in the order in which they began.
func (t *Timeline) All() []Period {
	t.mu.Lock()
	defer t.mu.Unlock()
	return sortedByStart(t.periods)
}

func sortedByStart(lists ...[]Period) []Period {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b Period) int { return cmp.Compare(a.From, b.From) })
	return all
}

// VacanciesOf are the times without a leader. A term says which replica led; its Whom is empty when none did.
func VacanciesOf(terms []Period) []Period {
	var vacant []Period
	for _, term := range terms {
		if term.Whom == "" {
			vacant = append(vacant, Period{From: term.From, To: term.To, What: Vacancy})
		}
	}
	return vacant
}

// TroubleOf returns the faults that affected an organization: its own, those of all, and those of the replica that led meanwhile.
func TroubleOf(organization string, all, terms []Period) []Period {
	return slices.DeleteFunc(slices.Clone(all), func(p Period) bool {
		ledMeanwhile := slices.ContainsFunc(terms, func(term Period) bool { return term.Whom == p.Whom && term.Overlaps(p.From, p.To) })
		return p.Whom != organization && p.Whom != Everybody && !ledMeanwhile
	})
}
