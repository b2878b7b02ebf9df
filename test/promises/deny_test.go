// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func TestADenialIsLateWhenItTakesLongerThanPromised(t *testing.T) {
	const second = time.Second
	says := func(at Moment, denies bool) Version {
		return Version{At: at, Name: "ns/scim-ada", Counts: true, Denies: denies}
	}
	turned := func(at Moment, active bool, call string) AccountChange {
		return AccountChange{At: at, Call: call, After: simulator.Account{ID: "1", Active: active}}
	}
	const call = "PATCH /Users/{id}"
	on := turned(1*second, true, "POST /Users")
	broken := []Period{{From: 9 * second, To: 20 * second, What: "LambdaTest answers 5xx", Whom: "org"}}
	vacant := []Period{{From: 9 * second, To: 26 * second}}
	cases := map[string]struct {
		versions  []Version
		changes   []AccountChange
		trouble   []Period
		vacancies []Period
		late      bool
	}{
		"carried out in time":                     {versions: []Version{says(10*second, true)}, changes: []AccountChange{on, turned(14*second, false, call)}},
		"carried out too late":                    {versions: []Version{says(10*second, true)}, changes: []AccountChange{on, turned(16*second, false, call)}, late: true},
		"never carried out":                       {versions: []Version{says(10*second, true)}, changes: []AccountChange{on}, late: true},
		"taken back before":                       {versions: []Version{says(10*second, true), says(12*second, false)}, changes: []AccountChange{on}},
		"another claim denies still":              {versions: []Version{says(10*second, true), {At: 10 * second, Name: "ns/git-ada", Denies: true}, says(12*second, false)}, changes: []AccountChange{on}, late: true},
		"LambdaTest was away, then in time":       {versions: []Version{says(10*second, true)}, changes: []AccountChange{on, turned(24*second, false, call)}, trouble: broken},
		"LambdaTest was away, then too late":      {versions: []Version{says(10*second, true)}, changes: []AccountChange{on, turned(26*second, false, call)}, trouble: broken, late: true},
		"the leader died, then in time":           {versions: []Version{says(10*second, true)}, changes: []AccountChange{on, turned(34*second, false, call)}, vacancies: vacant},
		"the leader died, then too late":          {versions: []Version{says(10*second, true)}, changes: []AccountChange{on, turned(37*second, false, call)}, vacancies: vacant, late: true},
		"activated at LambdaTest, for a sweep":    {versions: []Version{says(10*second, true)}, changes: []AccountChange{turned(20*second, true, ""), turned(29*second, false, call)}},
		"activated at LambdaTest, for longer":     {versions: []Version{says(10*second, true)}, changes: []AccountChange{turned(20*second, true, ""), turned(31*second, false, call)}, late: true},
		"activated by a late call, and read back": {versions: []Version{says(10*second, true)}, changes: []AccountChange{turned(20*second, true, call), turned(44*second, false, call)}},
		"activated by a late call, for good":      {versions: []Version{says(10*second, true)}, changes: []AccountChange{turned(20*second, true, call)}, late: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := LateDenials(Evidence{
				Subject: "org/ada", Versions: c.versions, Changes: c.changes, Trouble: c.trouble, Terms: c.vacancies, End: 100 * second,
				Bounds: Promised(10 * second),
			})
			if late := len(found) > 0; late != c.late {
				t.Errorf("found %v, want late %v", found, c.late)
			}
		})
	}
}

func TestTroubleIsThatOfTheOrganizationOrOfWhoeverLed(t *testing.T) {
	all := []Period{
		{From: 1, To: 5, Whom: "org"}, {From: 2, To: 5, Whom: "other"}, {From: 3, To: 5, Whom: Everybody},
		{From: 4, To: 6, Whom: "operator-1"}, {From: 11, To: 12, Whom: "operator-1"},
	}
	terms := []Period{{From: 0, To: 10, Whom: "operator-1"}, {From: 10, To: 20, Whom: "operator-2"}}

	got := TroubleOf("org", all, terms)

	if len(got) != 3 || got[0].From != 1 || got[1].From != 3 || got[2].From != 4 {
		t.Errorf("got %v", got)
	}
}
