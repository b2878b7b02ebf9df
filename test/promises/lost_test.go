// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"net/http"
	"testing"
)

func TestAnAcknowledgedWriteThatIsNotThereInTheEndIsLost(t *testing.T) {
	remove, gone := UserRequest{Verb: UserDelete}, UserAnswer{Status: http.StatusNotFound}
	cases := map[string]struct {
		history []UserOperation
		lost    int
	}{
		"it is there":                     {history: []UserOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(9, 10, read, denied)}},
		"it is not":                       {history: []UserOperation{asked(1, 2, create, created), asked(3, 4, deny, denied), asked(9, 10, read, seen(created))}, lost: 1},
		"nobody is there":                 {history: []UserOperation{asked(1, 2, create, created), asked(9, 10, read, gone)}, lost: 1},
		"a deletion is undone":            {history: []UserOperation{asked(1, 2, create, created), asked(3, 4, remove, UserAnswer{Status: http.StatusNoContent}), asked(9, 10, read, seen(created))}, lost: 1},
		"nobody looked since":             {history: []UserOperation{asked(1, 2, create, created), asked(3, 4, read, seen(created)), asked(5, 6, deny, denied)}},
		"another write may be the reason": {history: []UserOperation{asked(1, 2, create, created), asked(3, 0, deny, UserAnswer{}), asked(4, 5, UserRequest{Verb: UserActivate, Active: true}, created), asked(9, 10, read, denied)}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if found := LostUsers(c.history); len(found) != c.lost {
				t.Errorf("found %v, want %d", found, c.lost)
			}
		})
	}
}

func TestAGroupWithoutWhatWasAcknowledgedLastIsLost(t *testing.T) {
	did := func(from, to Moment, in GroupRequest, out GroupAnswer) GroupOperation {
		return GroupOperation{Subject: "org/qa", Call: from, Return: to, In: in, Out: out}
	}
	added := did(1, 2, GroupRequest{Verb: GroupAdd, ID: "1", Members: "a"}, GroupAnswer{Status: http.StatusNoContent})
	there := did(3, 4, GroupRequest{Verb: GroupRead, ID: "1"}, GroupAnswer{Status: http.StatusOK, ID: "1", Members: "a b"})
	absent := did(3, 4, GroupRequest{Verb: GroupRead, ID: "1"}, GroupAnswer{Status: http.StatusOK, ID: "1", Members: "b"})

	if found := LostGroups([]GroupOperation{added, there}); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	late := did(0, Forever, GroupRequest{Verb: GroupReplace, ID: "1"}, GroupAnswer{Unknown: true})
	if found := LostGroups([]GroupOperation{late, added, absent}); len(found) != 0 {
		t.Errorf("where another write may have come late: found %v", found)
	}
	if found := LostGroups([]GroupOperation{added, absent}); len(found) != 1 {
		t.Errorf("found %v, want the member who was added", found)
	}
}
