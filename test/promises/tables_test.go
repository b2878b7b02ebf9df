// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"container/list"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type leaf struct{ byName map[string]*int }

type branch struct {
	leaves []*leaf
	queue  *list.List
	self   *branch
	any    any
	inbox  chan int
	bytes  []byte
}

func TestTablesAreCountedByTheirFields(t *testing.T) {
	one := 1
	b := &branch{
		leaves: []*leaf{{byName: map[string]*int{"a": &one, "b": &one}}, {byName: map[string]*int{"c": &one}}},
		queue:  list.New(), inbox: make(chan int, 4), any: map[int]leaf{7: {byName: map[string]*int{"d": nil}}}, bytes: make([]byte, 100),
	}
	b.self = b
	b.queue.PushBack("x")
	b.queue.PushBack(leaf{byName: map[string]*int{"e": nil, "f": nil}})
	b.inbox <- 1

	got := Tables(b)

	want := map[string]int{
		"promises.branch.leaves": 2, "promises.leaf.byName": 6, "promises.branch.queue": 2, "promises.branch.any": 1, "promises.branch.inbox": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if left := Tables(b, "github.com/lambdatest-operator"); len(left) != 0 {
		t.Errorf("got %v of what is left out", left)
	}
}

func TestATableThatGrowsWithTimeIsTold(t *testing.T) {
	tables := map[string]int{"accounts.Table.byUser": 100, "lane.queue.byUser": entriesAtRest + 100*entriesPerPerson + 1}
	if found := Overgrown("operator-1", tables, 100); len(found) != 1 {
		t.Errorf("found %v, want the queue", found)
	}
	if found := Overgrown("operator-1", tables, 101); len(found) != 0 {
		t.Errorf("found %v", found)
	}
}
