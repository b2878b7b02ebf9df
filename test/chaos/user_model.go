// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/anishathalye/porcupine"
)

// The requests of an identity provider about one user.
const (
	userCreate      = "POST"
	userRead        = "GET"
	userActivate    = "PATCH active"
	userRename      = "PATCH displayName"
	userRenameIf    = "PATCH displayName If-Match"
	userReplace     = "PUT"
	userDenyOddly   = "PUT of a denial and another userName"
	userDenyAndRole = "PATCH of a denial and no role"
	userDelete      = "DELETE"
)

// userRequest is a request. Display is unique, so that a read shows which write it sees.
type userRequest struct {
	Verb     string `json:"verb"`
	Active   bool   `json:"active,omitempty"`
	Display  string `json:"display,omitempty"`
	Role     string `json:"role,omitempty"`
	External string `json:"external,omitempty"`
	Tag      string `json:"tag,omitempty"`
}

// writes reports whether a request may change something.
func (r userRequest) writes() bool { return r.Verb != userRead }

// setsActive returns the value of active in a request, and whether the request sets it.
func (r userRequest) setsActive() (active, sets bool) {
	switch r.Verb {
	case userCreate:
		return true, true
	case userActivate, userReplace:
		return r.Active, true
	case userDenyOddly, userDenyAndRole, userDelete:
		return false, true
	}
	return false, false
}

// userAnswer is the answer to a request. Unknown means no answer, or an answer from which the outcome is not known.
type userAnswer struct {
	Unknown  bool   `json:"unknown,omitempty"`
	Status   int    `json:"status,omitempty"`
	Active   bool   `json:"active,omitempty"`
	Display  string `json:"display,omitempty"`
	Role     string `json:"role,omitempty"`
	External string `json:"external,omitempty"`
	Tag      string `json:"tag,omitempty"`
	Detail   string `json:"detail,omitempty"`
}

// acknowledged reports whether the answer says that the request was done.
func (a userAnswer) acknowledged() bool {
	return !a.Unknown && a.Status >= 200 && a.Status < 300
}

// userState is a user as the identity provider knows it. Tag is empty when it is unknown.
type userState struct {
	There    bool
	Active   bool
	Display  string
	Role     string
	External string
	Tag      string
}

// after is the state after a request, and its answer. It does not change the tag.
func (s userState) after(in userRequest) (userState, int) {
	if in.Verb == userCreate {
		if s.There && s.Active {
			return s, http.StatusConflict
		}
		return userState{There: true, Active: true, Display: in.Display, Role: in.Role, External: in.External, Tag: s.Tag}, http.StatusCreated
	}
	if !s.There {
		return s, http.StatusNotFound
	}
	next := s
	switch in.Verb {
	case userActivate:
		next.Active = in.Active
	case userRename, userRenameIf:
		next.Display = in.Display
	case userReplace:
		next.Active, next.Display, next.Role = in.Active, in.Display, in.Role
	case userDenyOddly, userDenyAndRole:
		next.Active = false
	case userDelete:
		return userState{}, http.StatusNoContent
	}
	return next, http.StatusOK
}

// nextStates are the possible states after a request with that answer; none means that the answer is impossible.
func (s userState) nextStates(in userRequest, out userAnswer) []any {
	next, status := s.after(in)
	if next != s {
		next.Tag = out.Tag
	}
	if out.Unknown {
		if in.Verb == userRenameIf && s.Tag != in.Tag {
			if s.Tag != "" {
				return []any{s}
			}
			return []any{s, next}
		}
		return []any{next}
	}
	if in.Verb == userRenameIf && s.There {
		switch {
		case out.Status == http.StatusPreconditionFailed && (s.Tag == "" || s.Tag != in.Tag):
			return []any{s}
		case s.Tag != "" && s.Tag != in.Tag:
			return nil
		}
	}
	if out.Status != status {
		return nil
	}
	if status != http.StatusOK && status != http.StatusCreated {
		return []any{next}
	}
	return s.shown(next, out)
}

// shown compares the state after a request with the one that was answered.
func (s userState) shown(next userState, out userAnswer) []any {
	answered := userState{There: true, Active: out.Active, Display: out.Display, Role: out.Role, External: out.External, Tag: out.Tag}
	changed := next
	changed.Tag = s.Tag
	switch {
	case changed != s && out.Tag == s.Tag: // a new version has a new tag
		return nil
	case changed == s && s.Tag != "" && out.Tag != s.Tag: // nothing changed, so nothing was to be written
		return nil
	}
	next.Tag = out.Tag
	if next != answered {
		return nil
	}
	return []any{next}
}

// userModel is a user for the linearizability checker.
func userModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{userState{}} },
		Step: func(state, in, out any) []any {
			return state.(userState).nextStates(in.(userRequest), out.(userAnswer))
		},
		DescribeOperation: func(in, out any) string {
			return fmt.Sprintf("%s -> %s", plain(in), plain(out))
		},
		DescribeState: plain,
	}
	return model.ToModel()
}

// plain shows a struct without its zero fields.
func plain(value any) string {
	text := fmt.Sprintf("%+v", value)
	words := strings.Fields(strings.Trim(text, "{}"))
	kept := words[:0]
	for _, word := range words {
		if !strings.HasSuffix(word, ":") && !strings.HasSuffix(word, ":false") && !strings.HasSuffix(word, ":0") {
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ")
}
