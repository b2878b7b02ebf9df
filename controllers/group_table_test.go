// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAForgottenGroupWaitsForNobody(t *testing.T) {
	table := newGroups()
	table.change("testers", func(entry *groupEntry) { entry.awaits = []string{"ada@example.com"} })

	table.forget("testers")

	if waiting := table.awaits("ada@example.com"); len(waiting) != 0 || len(table.resources) != 0 {
		t.Errorf("%v wait, and %d resources are remembered", waiting, len(table.resources))
	}
}

func TestGroupsWaitForAccountsByThemselves(t *testing.T) {
	table := newGroups()
	table.change("large", func(entry *groupEntry) { entry.awaits = []string{"ada@example.com", "grace@example.com"} })
	table.change("small", func(entry *groupEntry) { entry.awaits = []string{"ada@example.com"} })

	if diff := cmp.Diff(map[string]int{"large": 2, "small": 1}, table.awaits("ada@example.com")); diff != "" {
		t.Error(diff)
	}
}

func TestGroupsThatAreGoneAreForgottenByTheNextListing(t *testing.T) {
	table, begun := newGroups(), time.Now()
	for i := range 100 {
		id := fmt.Sprint(i)
		table.saw(upstreamGroup{id: id, groupWish: groupWish{displayName: id}}, begun)
		table.lost("testers", id, begun)
	}

	table.replace(nil, begun.Add(time.Second))

	if len(table.byID) != 0 {
		t.Errorf("%d ids are remembered", len(table.byID))
	}
}

func TestAListingIsOlderThanWhatWasLearnedWhileItWasRead(t *testing.T) {
	table, begun := newGroups(), time.Now()
	group := upstreamGroup{id: "1", groupWish: groupWish{displayName: "Testers"}}
	table.saw(group, begun)
	table.lost("testers", "1", begun.Add(time.Second))

	table.replace(map[string]upstreamGroup{"1": group}, begun)

	if _, there := table.get("1"); there {
		t.Error("a group that was deleted while the list was read is there again")
	}
}

func TestALaterResourceOfTheNameIsAnotherOne(t *testing.T) {
	table := newGroups()
	table.begin("testers", "one")
	table.change("testers", func(entry *groupEntry) { entry.id, entry.met, entry.doubtful = "1", true, true })

	table.begin("testers", "two")

	if entry := table.look("testers"); entry.id != "" || entry.met || entry.doubtful {
		t.Errorf("%+v", entry)
	}
}
