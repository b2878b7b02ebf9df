// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// The requests of an identity provider about one group.
const (
	groupCreate  = "POST"
	groupRead    = "GET"
	groupAdd     = "PATCH add"
	groupRemove  = "PATCH remove"
	groupReplace = "PUT"
	groupDelete  = "DELETE"
)

// groupRequest is a request. A group of one displayName may return under another id.
type groupRequest struct {
	Verb    string `json:"verb"`
	ID      string `json:"id,omitempty"`
	Members string `json:"members,omitempty"` // ids, sorted, with spaces between
	// Role is given to members by a group that is created with one.
	Role string `json:"role,omitempty"`
}

// groupAnswer is the answer to a request.
type groupAnswer struct {
	Unknown bool   `json:"unknown,omitempty"`
	Status  int    `json:"status,omitempty"`
	ID      string `json:"id,omitempty"`
	Members string `json:"members,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

func (r groupRequest) writes() bool { return r.Verb != groupRead }

func (a groupAnswer) acknowledged() bool {
	return !a.Unknown && a.Status >= 200 && a.Status < 300
}

// groupState is the state of the group with one displayName. ID is empty while it is unknown.
type groupState struct {
	There   bool
	ID      string
	Members string
}

// after is the state after a request, and its answer.
func (s groupState) after(in groupRequest) (groupState, int) {
	if in.Verb == groupCreate {
		if s.There {
			return s, http.StatusConflict
		}
		return groupState{There: true, Members: in.Members}, http.StatusCreated
	}
	if !s.There || s.ID != "" && s.ID != in.ID {
		return s, http.StatusNotFound
	}
	next := s
	next.ID = in.ID
	switch in.Verb {
	case groupAdd:
		next.Members = union(s.Members, in.Members)
	case groupRemove:
		next.Members = without(s.Members, in.Members)
	case groupReplace:
		next.Members = in.Members
	case groupDelete:
		return groupState{}, http.StatusNoContent
	}
	if in.Verb == groupAdd || in.Verb == groupRemove {
		return next, http.StatusNoContent
	}
	return next, http.StatusOK
}

func (s groupState) nextStates(in groupRequest, out groupAnswer) []any {
	next, status := s.after(in)
	anyID := s.There && s.ID == "" && in.Verb != groupCreate
	switch {
	case out.Unknown && anyID: // it may have been meant for another group of that name
		return []any{s, next}
	case out.Unknown:
		return []any{next}
	case anyID && out.Status == http.StatusNotFound:
		return []any{s}
	case out.Status != status:
		return nil
	case status == http.StatusCreated:
		next.ID = out.ID
	}
	if !in.shows(next, out) {
		return nil
	}
	return []any{next}
}

// shows reports whether an answer shows the group. The endpoint writes concurrent changes together, and answers each with the group after
// all of them, so the answer to a PUT may contain later changes.
func (r groupRequest) shows(next groupState, out groupAnswer) bool {
	switch r.Verb {
	case groupRead:
		return out.Status != http.StatusOK || out.ID == r.ID && out.Members == next.Members
	case groupCreate:
		return out.Status != http.StatusCreated || out.Members == next.Members
	}
	return true
}

func groupModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{groupState{}} },
		Step: func(state, in, out any) []any {
			return state.(groupState).nextStates(in.(groupRequest), out.(groupAnswer))
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%s -> %s", plain(in), plain(out)) },
		DescribeState:     plain,
	}
	return model.ToModel()
}

// setOf spells a set of ids.
func setOf(ids []string) string {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	return strings.Join(slices.Compact(sorted), " ")
}

func union(a, b string) string { return setOf(append(strings.Fields(a), strings.Fields(b)...)) }

func without(a, b string) string {
	gone := strings.Fields(b)
	return setOf(slices.DeleteFunc(strings.Fields(a), func(id string) bool { return slices.Contains(gone, id) }))
}
