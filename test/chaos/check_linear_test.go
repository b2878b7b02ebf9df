// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"testing"
)

// ask is an operation for tests; a return of 0 is a lost answer.
func asked(from, to moment, in userRequest, out userAnswer) userOperation {
	o := userOperation{Subject: "org/ada", Call: from, Return: to, In: in, Out: out}
	if to == 0 {
		o.Return, o.Out.Unknown = forever, true
	}
	return o
}

var (
	create  = userRequest{Verb: userCreate, Display: "v1", Role: "User"}
	created = userAnswer{Status: http.StatusCreated, Active: true, Display: "v1", Role: "User", Tag: "1"}
	deny    = userRequest{Verb: userActivate}
	denied  = userAnswer{Status: http.StatusOK, Display: "v1", Role: "User", Tag: "2"}
	read    = userRequest{Verb: userRead}
	seen    = func(answer userAnswer) userAnswer { answer.Status = http.StatusOK; return answer }
)

func TestAHistoryIsLinearizableWhenEachReadShowsTheLastWrite(t *testing.T) {
	rename := userRequest{Verb: userRename, Display: "v2"}
	renameIf := userRequest{Verb: userRenameIf, Display: "v2", Tag: "1"}
	renamed := userAnswer{Status: http.StatusOK, Active: true, Display: "v2", Role: "User", Tag: "2"}
	both := userAnswer{Status: http.StatusOK, Display: "v2", Role: "User", Tag: "3"}
	gone := userAnswer{Status: http.StatusNotFound}
	cases := map[string]struct {
		history []userOperation
		broken  bool
	}{
		"one after the other":                {history: []userOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(5, 6, read, denied)}},
		"a read of what was before":          {history: []userOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(5, 6, read, seen(created))}, broken: true},
		"a read beside the write":            {history: []userOperation{asked(1, 2, create, created), asked(3, 6, deny, denied), asked(4, 5, read, seen(created))}},
		"a write that is lost by another":    {history: []userOperation{asked(1, 2, create, created), asked(3, 6, deny, denied), asked(4, 5, rename, renamed), asked(7, 8, read, seen(denied))}, broken: true},
		"two writes side by side":            {history: []userOperation{asked(1, 2, create, created), asked(3, 6, deny, userAnswer(both)), asked(4, 5, rename, renamed), asked(7, 8, read, both)}},
		"a lost answer that took effect":     {history: []userOperation{asked(1, 2, create, created), asked(3, 0, deny, userAnswer{}), asked(5, 6, read, denied)}},
		"a lost answer that did not":         {history: []userOperation{asked(1, 2, create, created), asked(3, 0, deny, userAnswer{}), asked(5, 6, read, seen(created))}},
		"a lost answer that is taken back":   {history: []userOperation{asked(1, 2, create, created), asked(3, 0, deny, userAnswer{}), asked(5, 6, read, denied), asked(7, 8, read, seen(created))}, broken: true},
		"an acknowledged user who is absent": {history: []userOperation{asked(1, 2, create, created), asked(3, 4, read, gone)}, broken: true},
		"two who both create":                {history: []userOperation{asked(1, 4, create, created), asked(2, 3, create, created)}, broken: true},
		"an old version is refused":          {history: []userOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(5, 6, renameIf, userAnswer{Status: http.StatusPreconditionFailed})}},
		"an old version is taken":            {history: []userOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(5, 6, renameIf, both)}, broken: true},
		"a denial that is refused":           {history: []userOperation{asked(1, 2, create, created), asked(3, 4, userRequest{Verb: userDenyOddly}, userAnswer{Status: http.StatusBadRequest})}, broken: true},
		"a new tag for no change":            {history: []userOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(5, 6, deny, both)}, broken: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := linearizable("user", c.history, userModel(), t.TempDir())
			if broken := len(found) > 0; broken != c.broken {
				t.Errorf("found %v, want broken %v", found, c.broken)
			}
		})
	}
}

func TestAGroupIsLinearizableUnderOneNameAndSeveralIDs(t *testing.T) {
	ask := func(from, to moment, in groupRequest, out groupAnswer) groupOperation {
		o := groupOperation{Subject: "org/QA", Call: from, Return: to, In: in, Out: out}
		if to == 0 {
			o.Return, o.Out.Unknown = forever, true
		}
		return o
	}
	founded := ask(1, 2, groupRequest{Verb: groupCreate, Members: "a b"}, groupAnswer{Status: http.StatusCreated, ID: "1", Members: "a b"})
	removed := ask(3, 4, groupRequest{Verb: groupDelete, ID: "1"}, groupAnswer{Status: http.StatusNoContent})
	added := ask(3, 4, groupRequest{Verb: groupAdd, ID: "1", Members: "c"}, groupAnswer{Status: http.StatusNoContent})
	cases := map[string]struct {
		history []groupOperation
		broken  bool
	}{
		"members that were added are shown": {history: []groupOperation{founded, added, ask(5, 6, groupRequest{Verb: groupRead, ID: "1"}, groupAnswer{Status: 200, ID: "1", Members: "a b c"})}},
		"members that were added are not":   {history: []groupOperation{founded, added, ask(5, 6, groupRequest{Verb: groupRead, ID: "1"}, groupAnswer{Status: 200, ID: "1", Members: "a b"})}, broken: true},
		"it comes back under another id":    {history: []groupOperation{founded, removed, ask(5, 6, groupRequest{Verb: groupCreate}, groupAnswer{Status: 201, ID: "2"}), ask(7, 8, groupRequest{Verb: groupRead, ID: "1"}, groupAnswer{Status: 404})}},
		"it may not come back":              {history: []groupOperation{founded, removed, ask(5, 6, groupRequest{Verb: groupCreate}, groupAnswer{Status: 409})}, broken: true},
		"its creation is lost":              {history: []groupOperation{ask(1, 0, groupRequest{Verb: groupCreate, Members: "a"}, groupAnswer{}), ask(3, 4, groupRequest{Verb: groupRead, ID: "1"}, groupAnswer{Status: 200, ID: "1", Members: "a"})}},
		"it is there twice":                 {history: []groupOperation{founded, ask(3, 4, groupRequest{Verb: groupCreate}, groupAnswer{Status: 201, ID: "2"})}, broken: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := linearizable("group", c.history, groupModel(), t.TempDir())
			if broken := len(found) > 0; broken != c.broken {
				t.Errorf("found %v, want broken %v", found, c.broken)
			}
		})
	}
}
