// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"slices"
	"testing"
)

func TestAPersonWhoIsLookedAtIsOpenUntilTheLookEnds(t *testing.T) {
	for name, before := range map[string]func(*Census){
		"known before":   func(l *Census) { l.Record(ada, StandsClaimed|StandsSynced, 0) },
		"unknown before": func(*Census) {},
	} {
		t.Run(name, func(t *testing.T) {
			l := newCensus()
			before(l)

			l.Expect(ada)
			if got := l.open(); !slices.Equal(got, []string{ada}) {
				t.Errorf("open are %v while the person is looked at: a change meanwhile wakes nobody", got)
			}
			l.Record(ada, StandsClaimed|StandsSynced, 0)
			if got := l.open(); len(got) > 0 {
				t.Errorf("open are %v after the look", got)
			}
		})
	}
}

func TestALookThatChangesNothingReportsNoCounts(t *testing.T) {
	l := newCensus()
	l.Record(ada, StandsClaimed|StandsSynced, 0)
	_, before := l.Counts()

	l.Expect(ada)
	l.Record(ada, StandsClaimed|StandsSynced, 0)

	if _, after := l.Counts(); after != before {
		t.Error("the counts are reported again although nobody stands otherwise")
	}
}

func TestAStatusThatIsRecalledLateBringsNobodyBack(t *testing.T) {
	l := newCensus()
	l.recall("linus@example.com", StandsClaimed|StandsSynced)
	l.Remove(ada)

	if l.recall(ada, StandsClaimed|StandsSynced) {
		t.Error("a claim that was read before it went brings its person back")
	}
	l.recalled()

	if got, _ := l.Counts(); got != (counts{People: 1, Synced: 1}) {
		t.Errorf("counts %+v, want one person", got)
	}
}

func TestWhatAReconcileDoesNotSayStaysAsItWas(t *testing.T) {
	l := newCensus()
	l.Record(ada, StandsClaimed|StandsFailing|StandsRefused, 0)
	_, before := l.Counts()

	l.Record(ada, StandsClaimed|StandsOpen, StandsFailing|StandsRefused)

	if got, after := l.Counts(); after != before || got.Refused != 1 || got.Failing != 1 {
		t.Errorf("the counts are reported again as %+v, although a retry only waits for its turn", got)
	}
	l.Record(ada, StandsClaimed|StandsSynced, 0)
	if got, _ := l.Counts(); got != (counts{People: 1, Synced: 1}) {
		t.Errorf("after the retry the counts are %+v", got)
	}
}
