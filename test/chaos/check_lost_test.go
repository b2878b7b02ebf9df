// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"testing"
)

func TestAnAcknowledgedWriteThatIsNotThereInTheEndIsLost(t *testing.T) {
	remove, gone := userRequest{Verb: userDelete}, userAnswer{Status: http.StatusNotFound}
	cases := map[string]struct {
		history []userOperation
		lost    int
	}{
		"it is there":                     {history: []userOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(9, 10, read, denied)}},
		"it is not":                       {history: []userOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(9, 10, read, seen(created))}, lost: 1},
		"nobody is there":                 {history: []userOperation{asked(1, 2, create, created), asked(9, 10, read, gone)}, lost: 1},
		"a deletion is undone":            {history: []userOperation{asked(1, 2, create, created), asked(3, 4, remove, userAnswer{Status: http.StatusNoContent}), asked(9, 10, read, seen(created))}, lost: 1},
		"nobody looked since":             {history: []userOperation{asked(1, 2, create, created), asked(3, 4, read, seen(created)), asked(5, 6, deny, denied)}},
		"another write may be the reason": {history: []userOperation{asked(1, 2, create, created), asked(3, 0, deny, userAnswer{}), asked(4, 5, userRequest{Verb: userActivate, Active: true}, created), asked(9, 10, read, denied)}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if found := lostUsers(c.history); len(found) != c.lost {
				t.Errorf("found %v, want %d", found, c.lost)
			}
		})
	}
}

func TestAGroupWithoutWhatWasAcknowledgedLastIsLost(t *testing.T) {
	did := func(from, to moment, in groupRequest, out groupAnswer) groupOperation {
		return groupOperation{Subject: "org/qa", Call: from, Return: to, In: in, Out: out}
	}
	added := did(1, 2, groupRequest{Verb: groupAdd, ID: "1", Members: "a"}, groupAnswer{Status: http.StatusNoContent})
	there := did(3, 4, groupRequest{Verb: groupRead, ID: "1"}, groupAnswer{Status: http.StatusOK, ID: "1", Members: "a b"})
	absent := did(3, 4, groupRequest{Verb: groupRead, ID: "1"}, groupAnswer{Status: http.StatusOK, ID: "1", Members: "b"})

	if found := lostGroups([]groupOperation{added, there}); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	late := did(0, forever, groupRequest{Verb: groupReplace, ID: "1"}, groupAnswer{Unknown: true})
	if found := lostGroups([]groupOperation{late, added, absent}); len(found) != 0 {
		t.Errorf("where another write may have come late: found %v", found)
	}
	if found := lostGroups([]groupOperation{added, absent}); len(found) != 1 {
		t.Errorf("found %v, want the member who was added", found)
	}
}
