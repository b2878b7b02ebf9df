// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
)

// lostUsers returns acknowledged writes that the final read does not show, if no other write can be the reason. check_linear.go also finds
// these; this check gives a readable message.
func lostUsers(all []userOperation) []violation {
	var found []violation
	for subject, part := range bySubject(all) {
		final, writes := lastRead(part), writesOf(part)
		if final == nil {
			continue
		}
		for _, w := range writes {
			if w.Out.acknowledged() && isLast(w, writes) && final.Call > w.Return && !showsWrite(w, final.Out) {
				found = append(found, violation{Check: "lost", Whom: subject, Detail: fmt.Sprintf("%s was acknowledged, and at the end there is %s", plain(w.In), plain(final.Out))})
			}
		}
	}
	return found
}

func lastRead(part []userOperation) *userOperation {
	var last *userOperation
	for i := range part {
		if part[i].In.Verb == userRead && (last == nil || part[i].Call > last.Call) {
			last = &part[i]
		}
	}
	return last
}

func writesOf(part []userOperation) []userOperation {
	var writes []userOperation
	for _, o := range part {
		if o.In.writes() && (o.Out.Unknown || o.Out.acknowledged()) {
			writes = append(writes, o)
		}
	}
	return writes
}

// isLast reports whether every other write had ended before this one began.
func isLast(w userOperation, writes []userOperation) bool {
	for _, other := range writes {
		if other.Return >= w.Call && other != w {
			return false
		}
	}
	return true
}

func showsWrite(w userOperation, final userAnswer) bool {
	if w.In.Verb == userDelete {
		return final.Status == http.StatusNotFound
	}
	active, setsActive := w.In.setsActive()
	return final.Status == http.StatusOK &&
		(!setsActive || active == final.Active) &&
		(w.In.Display == "" || w.In.Display == final.Display) &&
		(w.In.Role == "" || w.In.Role == final.Role)
}

// lostGroups does the same for groups: it checks their members after the last write. After a write that may take effect late, the final
// members are unknown.
func lostGroups(all []groupOperation) []violation {
	var found []violation
	for subject, part := range bySubject(all) {
		var last, final *groupOperation
		unclear := false
		for i := range part {
			o := &part[i]
			switch {
			case o.In.Verb == groupRead:
				final = o
			case o.Out.Unknown:
				unclear = true
			case last != nil && last.Return >= o.Call:
				last, final = nil, nil // the final members are unknown
			case o.Out.acknowledged():
				last = o
			}
		}
		if !unclear && last != nil && final != nil && final.Call > last.Return && !showsGroupWrite(*last, *final) {
			found = append(found, violation{Check: "lost", Whom: subject, Detail: fmt.Sprintf("%s was acknowledged, and at the end there is %s", plain(last.In), plain(final.Out))})
		}
	}
	return found
}

func showsGroupWrite(w, final groupOperation) bool {
	switch w.In.Verb {
	case groupDelete:
		return final.Out.Status == http.StatusNotFound
	case groupAdd:
		return union(final.Out.Members, w.In.Members) == final.Out.Members
	case groupRemove:
		return without(final.Out.Members, w.In.Members) == final.Out.Members
	}
	return final.Out.Members == w.In.Members
}
