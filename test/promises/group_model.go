// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// The verbs of an identity provider's requests about one group.
const (
	GroupCreate  = "POST"
	GroupRead    = "GET"
	GroupAdd     = "PATCH add"
	GroupRemove  = "PATCH remove"
	GroupReplace = "PUT"
	GroupDelete  = "DELETE"
)

// GroupRequest is a request about one group. A group of one displayName may return under another id.
type GroupRequest struct {
	Verb    string `json:"verb"`
	ID      string `json:"id,omitempty"`
	Members string `json:"members,omitempty"` // ids, sorted, with spaces between
	// Role is given to members by a group that is created with one.
	Role string `json:"role,omitempty"`
}

// GroupAnswer is the answer to a GroupRequest.
type GroupAnswer struct {
	Unknown bool   `json:"unknown,omitempty"`
	Status  int    `json:"status,omitempty"`
	ID      string `json:"id,omitempty"`
	Members string `json:"members,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// Writes reports whether a request may change something.
func (r GroupRequest) Writes() bool { return r.Verb != GroupRead }

// Acknowledged reports whether the answer says that the request was done.
func (a GroupAnswer) Acknowledged() bool {
	return !a.Unknown && a.Status >= 200 && a.Status < 300
}

// groupState is the state of the group with one displayName. ID is empty while it is unknown.
type groupState struct {
	There   bool
	ID      string
	Members string
}

// after is the state after a request, and its answer.
func (s groupState) after(in GroupRequest) (groupState, int) {
	if in.Verb == GroupCreate {
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
	case GroupAdd:
		next.Members = union(s.Members, in.Members)
	case GroupRemove:
		next.Members = without(s.Members, in.Members)
	case GroupReplace:
		next.Members = in.Members
	case GroupDelete:
		return groupState{}, http.StatusNoContent
	}
	if in.Verb == GroupAdd || in.Verb == GroupRemove {
		return next, http.StatusNoContent
	}
	return next, http.StatusOK
}

func (s groupState) nextStates(in GroupRequest, out GroupAnswer) []any {
	next, status := s.after(in)
	anyID := s.There && s.ID == "" && in.Verb != GroupCreate
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
func (r GroupRequest) shows(next groupState, out GroupAnswer) bool {
	switch r.Verb {
	case GroupRead:
		return out.Status != http.StatusOK || out.ID == r.ID && out.Members == next.Members
	case GroupCreate:
		return out.Status != http.StatusCreated || out.Members == next.Members
	}
	return true
}

// GroupModel is a group for the linearizability checker.
func GroupModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{groupState{}} },
		Step: func(state, in, out any) []any {
			return state.(groupState).nextStates(in.(GroupRequest), out.(GroupAnswer))
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%s -> %s", Plain(in), Plain(out)) },
		DescribeState:     Plain,
	}
	return model.ToModel()
}

// SetOf spells a set of ids: sorted, with spaces between.
func SetOf(ids []string) string {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	return strings.Join(slices.Compact(sorted), " ")
}

func union(a, b string) string { return SetOf(append(strings.Fields(a), strings.Fields(b)...)) }

func without(a, b string) string {
	gone := strings.Fields(b)
	return SetOf(slices.DeleteFunc(strings.Fields(a), func(id string) bool { return slices.Contains(gone, id) }))
}
