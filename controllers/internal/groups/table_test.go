// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package groups

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAForgottenGroupWaitsForNobody(t *testing.T) {
	table := New()
	table.Change("testers", func(entry *Entry) { entry.Awaits = []string{"ada@example.com"} })

	table.Forget("testers")

	if waiting := table.Awaits("ada@example.com"); len(waiting) != 0 || len(table.resources) != 0 {
		t.Errorf("%v wait, and %d resources are remembered", waiting, len(table.resources))
	}
}

func TestGroupsWaitForAccountsByThemselves(t *testing.T) {
	table := New()
	table.Change("large", func(entry *Entry) { entry.Awaits = []string{"ada@example.com", "grace@example.com"} })
	table.Change("small", func(entry *Entry) { entry.Awaits = []string{"ada@example.com"} })

	if diff := cmp.Diff(map[string]int{"large": 2, "small": 1}, table.Awaits("ada@example.com")); diff != "" {
		t.Error(diff)
	}
}

func TestGroupsThatAreGoneAreForgottenByTheNextListing(t *testing.T) {
	table, begun := New(), time.Now()
	for i := range 100 {
		id := fmt.Sprint(i)
		table.Saw(Group{ID: id, Wish: Wish{DisplayName: id}}, begun)
		table.Lost("testers", id, begun)
	}

	table.Replace(nil, begun.Add(time.Second), true)

	if len(table.byID) != 0 {
		t.Errorf("%d ids are remembered", len(table.byID))
	}
}

func TestAListingIsOlderThanWhatWasLearnedWhileItWasRead(t *testing.T) {
	table, begun := New(), time.Now()
	group := Group{ID: "1", Wish: Wish{DisplayName: "Testers"}}
	table.Saw(group, begun)
	table.Lost("testers", "1", begun.Add(time.Second))

	table.Replace(map[string]Group{"1": group}, begun, true)

	if _, there := table.ByID("1"); there {
		t.Error("a group that was deleted while the list was read is there again")
	}
}

func TestAnIncompleteListingCountsForWhatItShows(t *testing.T) {
	table, begun := New(), time.Now()
	for _, name := range []string{"shown", "lacking"} {
		table.Saw(Group{ID: name, Wish: Wish{DisplayName: name}}, begun)
		table.Identify(name, name)
	}
	changed := Group{ID: "shown", Wish: Wish{DisplayName: "shown", Roles: []string{"Guest"}}}

	found := table.Replace(map[string]Group{"shown": changed}, begun.Add(time.Second), false)

	if seen, _ := table.ByID("shown"); !slices.Equal(found, []string{"shown"}) || !seen.equal(changed) {
		t.Errorf("changed are %v, and the group that was listed is %v", found, seen)
	}
	if _, there := table.ByID("lacking"); !there {
		t.Error("the group that was not listed is gone")
	}
}

func TestALaterResourceOfTheNameIsAnotherOne(t *testing.T) {
	table := New()
	table.Begin("testers", "one")
	table.Change("testers", func(entry *Entry) { entry.ID, entry.Met, entry.doubtful = "1", true, true })

	table.Begin("testers", "two")

	if entry := table.Get("testers"); entry.ID != "" || entry.Met || entry.doubtful {
		t.Errorf("%+v", entry)
	}
}
