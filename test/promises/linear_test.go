// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"net/http"
	"testing"
)

// ask is an operation for tests; a return of 0 is a lost answer.
func asked(from, to Moment, in UserRequest, out UserAnswer) UserOperation {
	o := UserOperation{Subject: "org/ada", Call: from, Return: to, In: in, Out: out}
	if to == 0 {
		o.Return, o.Out.Unknown = Forever, true
	}
	return o
}

var (
	create  = UserRequest{Verb: UserCreate, Display: "v1", Role: "User"}
	created = UserAnswer{Status: http.StatusCreated, Active: true, Display: "v1", Role: "User", Tag: "1"}
	deny    = UserRequest{Verb: UserActivate}
	denied  = UserAnswer{Status: http.StatusOK, Display: "v1", Role: "User", Tag: "2"}
	read    = UserRequest{Verb: UserRead}
	seen    = func(answer UserAnswer) UserAnswer { answer.Status = http.StatusOK; return answer }
)

func TestAHistoryIsLinearizableWhenEachReadShowsTheLastWrite(t *testing.T) {
	rename := UserRequest{Verb: UserRename, Display: "v2"}
	renameIf := UserRequest{Verb: UserRenameIf, Display: "v2", Tag: "1"}
	renamed := UserAnswer{Status: http.StatusOK, Active: true, Display: "v2", Role: "User", Tag: "2"}
	both := UserAnswer{Status: http.StatusOK, Display: "v2", Role: "User", Tag: "3"}
	gone := UserAnswer{Status: http.StatusNotFound}
	cases := map[string]struct {
		history []UserOperation
		broken  bool
	}{
		"one after the other":                {history: []UserOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(5, 6, read, denied)}},
		"a read of what was before":          {history: []UserOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(5, 6, read, seen(created))}, broken: true},
		"a read beside the write":            {history: []UserOperation{asked(1, 2, create, created), asked(3, 6, deny, denied), asked(4, 5, read, seen(created))}},
		"a write that is lost by another":    {history: []UserOperation{asked(1, 2, create, created), asked(3, 6, deny, denied), asked(4, 5, rename, renamed), asked(7, 8, read, seen(denied))}, broken: true},
		"two writes side by side":            {history: []UserOperation{asked(1, 2, create, created), asked(3, 6, deny, UserAnswer(both)), asked(4, 5, rename, renamed), asked(7, 8, read, both)}},
		"a lost answer that took effect":     {history: []UserOperation{asked(1, 2, create, created), asked(3, 0, deny, UserAnswer{}), asked(5, 6, read, denied)}},
		"a lost answer that did not":         {history: []UserOperation{asked(1, 2, create, created), asked(3, 0, deny, UserAnswer{}), asked(5, 6, read, seen(created))}},
		"a lost answer that is taken back":   {history: []UserOperation{asked(1, 2, create, created), asked(3, 0, deny, UserAnswer{}), asked(5, 6, read, denied), asked(7, 8, read, seen(created))}, broken: true},
		"an acknowledged user who is absent": {history: []UserOperation{asked(1, 2, create, created), asked(3, 4, read, gone)}, broken: true},
		"two who both create":                {history: []UserOperation{asked(1, 4, create, created), asked(2, 3, create, created)}, broken: true},
		"an old version is refused":          {history: []UserOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(5, 6, renameIf, UserAnswer{Status: http.StatusPreconditionFailed})}},
		"an old version is taken":            {history: []UserOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(5, 6, renameIf, both)}, broken: true},
		"a denial that is refused":           {history: []UserOperation{asked(1, 2, create, created), asked(3, 4, UserRequest{Verb: UserDenyOddly}, UserAnswer{Status: http.StatusBadRequest})}, broken: true},
		"a new tag for no change":            {history: []UserOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(5, 6, deny, both)}, broken: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := Linearizable("user", c.history, UserModel(), t.TempDir()+"/")
			if broken := len(found) > 0; broken != c.broken {
				t.Errorf("found %v, want broken %v", found, c.broken)
			}
		})
	}
}

func TestAGroupIsLinearizableUnderOneNameAndSeveralIDs(t *testing.T) {
	ask := func(from, to Moment, in GroupRequest, out GroupAnswer) GroupOperation {
		o := GroupOperation{Subject: "org/QA", Call: from, Return: to, In: in, Out: out}
		if to == 0 {
			o.Return, o.Out.Unknown = Forever, true
		}
		return o
	}
	founded := ask(1, 2, GroupRequest{Verb: GroupCreate, Members: "a b"}, GroupAnswer{Status: http.StatusCreated, ID: "1", Members: "a b"})
	removed := ask(3, 4, GroupRequest{Verb: GroupDelete, ID: "1"}, GroupAnswer{Status: http.StatusNoContent})
	added := ask(3, 4, GroupRequest{Verb: GroupAdd, ID: "1", Members: "c"}, GroupAnswer{Status: http.StatusNoContent})
	cases := map[string]struct {
		history []GroupOperation
		broken  bool
	}{
		"members that were added are shown": {history: []GroupOperation{founded, added, ask(5, 6, GroupRequest{Verb: GroupRead, ID: "1"}, GroupAnswer{Status: 200, ID: "1", Members: "a b c"})}},
		"members that were added are not":   {history: []GroupOperation{founded, added, ask(5, 6, GroupRequest{Verb: GroupRead, ID: "1"}, GroupAnswer{Status: 200, ID: "1", Members: "a b"})}, broken: true},
		"it comes back under another id":    {history: []GroupOperation{founded, removed, ask(5, 6, GroupRequest{Verb: GroupCreate}, GroupAnswer{Status: 201, ID: "2"}), ask(7, 8, GroupRequest{Verb: GroupRead, ID: "1"}, GroupAnswer{Status: 404})}},
		"it may not come back":              {history: []GroupOperation{founded, removed, ask(5, 6, GroupRequest{Verb: GroupCreate}, GroupAnswer{Status: 409})}, broken: true},
		"its creation is lost":              {history: []GroupOperation{ask(1, 0, GroupRequest{Verb: GroupCreate, Members: "a"}, GroupAnswer{}), ask(3, 4, GroupRequest{Verb: GroupRead, ID: "1"}, GroupAnswer{Status: 200, ID: "1", Members: "a"})}},
		"it is there twice":                 {history: []GroupOperation{founded, ask(3, 4, GroupRequest{Verb: GroupCreate}, GroupAnswer{Status: 201, ID: "2"})}, broken: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := Linearizable("group", c.history, GroupModel(), t.TempDir()+"/")
			if broken := len(found) > 0; broken != c.broken {
				t.Errorf("found %v, want broken %v", found, c.broken)
			}
		})
	}
}
