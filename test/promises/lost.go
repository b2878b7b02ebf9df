// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"net/http"
)

// LostUsers returns acknowledged writes that the final read does not show, if no other write can be the reason. Linearizable also finds
// these; this check gives a readable message.
func LostUsers(all []UserOperation) []Violation {
	var found []Violation
	for subject, part := range BySubject(all) {
		final, writes := lastRead(part), writesOf(part)
		if final == nil {
			continue
		}
		for _, w := range writes {
			if w.Out.Acknowledged() && isLast(w, writes) && final.Call > w.Return && !showsWrite(w, final.Out) {
				found = append(found, violationf("lost", subject, "%s was acknowledged, and at the end there is %s", Plain(w.In), Plain(final.Out)))
			}
		}
	}
	return found
}

func lastRead(part []UserOperation) *UserOperation {
	var last *UserOperation
	for i := range part {
		if part[i].In.Verb == UserRead && (last == nil || part[i].Call > last.Call) {
			last = &part[i]
		}
	}
	return last
}

func writesOf(part []UserOperation) []UserOperation {
	var writes []UserOperation
	for _, o := range part {
		if o.In.Writes() && (o.Out.Unknown || o.Out.Acknowledged()) {
			writes = append(writes, o)
		}
	}
	return writes
}

// isLast reports whether every other write had ended before this one began.
func isLast(w UserOperation, writes []UserOperation) bool {
	for _, other := range writes {
		if other.Return >= w.Call && other != w {
			return false
		}
	}
	return true
}

func showsWrite(w UserOperation, final UserAnswer) bool {
	if w.In.Verb == UserDelete {
		return final.Status == http.StatusNotFound
	}
	active, setsActive := w.In.SetsActive()
	return final.Status == http.StatusOK &&
		(!setsActive || active == final.Active) &&
		(w.In.Display == "" || w.In.Display == final.Display) &&
		(w.In.Role == "" || w.In.Role == final.Role)
}

// LostGroups does the same for groups: it checks their members after the last write. After a write that may take effect late, the final
// members are unknown.
func LostGroups(all []GroupOperation) []Violation {
	var found []Violation
	for subject, part := range BySubject(all) {
		var last, final *GroupOperation
		unclear := false
		for i := range part {
			o := &part[i]
			switch {
			case o.In.Verb == GroupRead:
				final = o
			case o.Out.Unknown:
				unclear = true
			case last != nil && last.Return >= o.Call:
				last, final = nil, nil // the final members are unknown
			case o.Out.Acknowledged():
				last = o
			}
		}
		if !unclear && last != nil && final != nil && final.Call > last.Return && !showsGroupWrite(*last, *final) {
			found = append(found, violationf("lost", subject, "%s was acknowledged, and at the end there is %s", Plain(last.In), Plain(final.Out)))
		}
	}
	return found
}

func showsGroupWrite(w, final GroupOperation) bool {
	switch w.In.Verb {
	case GroupDelete:
		return final.Out.Status == http.StatusNotFound
	case GroupAdd:
		return union(final.Out.Members, w.In.Members) == final.Out.Members
	case GroupRemove:
		return without(final.Out.Members, w.In.Members) == final.Out.Members
	}
	return final.Out.Members == w.In.Members
}
