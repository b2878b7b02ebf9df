// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"testing"
)

func TestAPersonWhoIsLookedAtIsOpenUntilTheLookEnds(t *testing.T) {
	for name, before := range map[string]func(*ledger){
		"known before":   func(l *ledger) { l.enter(ada, standsClaimed|standsSynced) },
		"unknown before": func(*ledger) {},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			before(l)

			l.expect(ada)
			if got := l.open(); !slices.Equal(got, []string{ada}) {
				t.Errorf("open are %v while the person is looked at: a change meanwhile wakes nobody", got)
			}
			l.enter(ada, standsClaimed|standsSynced)
			if got := l.open(); len(got) > 0 {
				t.Errorf("open are %v after the look", got)
			}
		})
	}
}

func TestALookThatChangesNothingReportsNoCounts(t *testing.T) {
	l := newLedger()
	l.enter(ada, standsClaimed|standsSynced)
	_, before := l.counts()

	l.expect(ada)
	l.enter(ada, standsClaimed|standsSynced)

	if _, after := l.counts(); after != before {
		t.Error("the counts are reported again although nobody stands otherwise")
	}
}

func TestAStatusThatIsRecalledLateBringsNobodyBack(t *testing.T) {
	l := newLedger()
	l.recall("linus@example.com", standsClaimed|standsSynced)
	l.strike(ada)

	if l.recall(ada, standsClaimed|standsSynced) {
		t.Error("a claim that was read before it went brings its person back")
	}
	l.recalled()

	if got, _ := l.counts(); got != (counts{people: 1, synced: 1}) {
		t.Errorf("counts %+v, want one person", got)
	}
}
