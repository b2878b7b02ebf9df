// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// page is the content of a list answer; of its items only the ids.
type page struct {
	Total, Start, PerPage int
	IDs                   []string
}

func listed(t *testing.T, sim *simulator.Server, query string) page {
	t.Helper()
	got := ask(t, sim, "GET /Users?"+query, "")
	if got.status != 200 {
		t.Fatalf("GET /Users?%s: status %d", query, got.status)
	}
	var body struct {
		TotalResults, StartIndex, ItemsPerPage int
		Resources                              []struct{ ID string }
	}
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Fatal(err)
	}
	result := page{body.TotalResults, body.StartIndex, body.ItemsPerPage, nil}
	for _, resource := range body.Resources {
		result.IDs = append(result.IDs, resource.ID)
	}
	return result
}

// ids are those of the simulator's population, from the nth to the mth account.
func ids(n, m int) []string {
	var result []string
	for i := n; i <= m; i++ {
		result = append(result, fmt.Sprint(23000+i))
	}
	return result
}

func TestPagesAreSmallAndCountedFromOne(t *testing.T) {
	sim := started(t, simulator.Population(150))
	for query, want := range map[string]page{
		"":                         {150, 1, 20, ids(1, 20)},
		"startIndex=21":            {150, 21, 20, ids(21, 40)},
		"startIndex=145":           {150, 145, 20, ids(145, 150)},
		"startIndex=3&count=2":     {150, 3, 2, ids(3, 4)},
		"count=1000":               {150, 1, 100, ids(1, 100)},
		"startIndex=0&count=2":     {150, 1, 2, ids(1, 2)},
		"startIndex=-5&count=2":    {150, 1, 2, ids(1, 2)},
		"startIndex=151":           {150, 151, 20, nil},
		"count=0":                  {150, 1, 0, nil},
		"count=-1":                 {150, 1, 0, nil},
		"count=2&unknown=whatever": {150, 1, 2, ids(1, 2)},
	} {
		if diff := cmp.Diff(want, listed(t, sim, query)); diff != "" {
			t.Errorf("?%s: unexpected page (-want +got):\n%s", query, diff)
		}
	}
	play(t, sim, step{"GET /Users?startIndex=first", "", 400, ""}, step{"GET /Users?count=1.5", "", 400, ""})
}

func TestPageSizesAreSwitches(t *testing.T) {
	sim := started(t, simulator.Population(9), simulator.With(simulator.Switches{PageSize: 2, MaxPageSize: 3}))
	for query, want := range map[string]page{
		"":        {9, 1, 2, ids(1, 2)},
		"count=9": {9, 1, 3, ids(1, 3)},
	} {
		if diff := cmp.Diff(want, listed(t, sim, query)); diff != "" {
			t.Errorf("?%s: unexpected page (-want +got):\n%s", query, diff)
		}
	}
}

func TestListsLieAsToldAndStopWhenTold(t *testing.T) {
	const query = "startIndex=4&count=3"
	for name, test := range map[string]struct {
		lie  simulator.Switches
		want page
	}{
		"truncated":                     {simulator.Switches{TruncateLists: 5}, page{5, 4, 3, ids(4, 5)}},
		"gaps":                          {simulator.Switches{GapsInPages: 1}, page{9, 4, 3, ids(4, 5)}},
		"repeated":                      {simulator.Switches{RepeatPages: true}, page{9, 4, 3, ids(1, 3)}},
		"too many":                      {simulator.Switches{WrongTotals: 3}, page{12, 4, 3, ids(4, 6)}},
		"too few":                       {simulator.Switches{WrongTotals: -20}, page{0, 4, 3, ids(4, 6)}},
		"without ids":                   {simulator.Switches{MissingIDs: true}, page{9, 4, 3, []string{"", "", ""}}},
		"gaps all over":                 {simulator.Switches{GapsInPages: 5}, page{9, 4, 3, nil}},
		"no switch":                     {simulator.Switches{}, page{9, 4, 3, ids(4, 6)}},
		"wrong ids do not affect lists": {simulator.Switches{WrongIDs: true}, page{9, 4, 3, ids(4, 6)}},
	} {
		t.Run(name, func(t *testing.T) {
			sim := started(t, simulator.Population(9))
			sim.Switch(func(s *simulator.Switches) { *s = test.lie })
			if diff := cmp.Diff(test.want, listed(t, sim, query)); diff != "" {
				t.Errorf("unexpected page (-want +got):\n%s", diff)
			}
			sim.Switch(func(s *simulator.Switches) { *s = simulator.Switches{} })
			if diff := cmp.Diff(page{9, 4, 3, ids(4, 6)}, listed(t, sim, query)); diff != "" {
				t.Errorf("the list is still wrong after the switch is off (-want +got):\n%s", diff)
			}
		})
	}
}

func TestShuffledListsFollowTheSeed(t *testing.T) {
	order := func(seed uint64) page {
		sim := started(t, simulator.Population(50), simulator.Seed(seed), simulator.Reads(simulator.Settings{"order-of-lists": "another-at-each-call"}))
		return listed(t, sim, "count=50")
	}
	first := order(7)
	if diff := cmp.Diff(first, order(7)); diff != "" {
		t.Errorf("the same seed gives another order:\n%s", diff)
	}
	if cmp.Equal(first, order(8)) || cmp.Equal(first.IDs, ids(1, 50)) {
		t.Error("another seed gives the same order, or nothing is shuffled")
	}
}

func BenchmarkLastPageOfAHundredThousand(b *testing.B) {
	benchmarkPage(b, 100_000)
}

func BenchmarkLastPageOfAHundred(b *testing.B) {
	benchmarkPage(b, 100)
}
