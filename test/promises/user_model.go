// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/anishathalye/porcupine"
)

// The verbs of an identity provider's requests about one user.
const (
	UserCreate      = "POST"
	UserRead        = "GET"
	UserActivate    = "PATCH active"
	UserRename      = "PATCH displayName"
	UserRenameIf    = "PATCH displayName If-Match"
	UserReplace     = "PUT"
	UserDenyOddly   = "PUT of a denial and another userName"
	UserDenyAndRole = "PATCH of a denial and no role"
	UserDelete      = "DELETE"
)

// UserRequest is a request about one user. Display is unique, so that a read shows which write it sees.
type UserRequest struct {
	Verb     string `json:"verb"`
	Active   bool   `json:"active,omitempty"`
	Display  string `json:"display,omitempty"`
	Role     string `json:"role,omitempty"`
	External string `json:"external,omitempty"`
	Tag      string `json:"tag,omitempty"`
}

// Writes reports whether a request may change something.
func (r UserRequest) Writes() bool { return r.Verb != UserRead }

// SetsActive returns the value of active in a request, and whether the request sets it.
func (r UserRequest) SetsActive() (active, sets bool) {
	switch r.Verb {
	case UserCreate:
		return true, true
	case UserActivate, UserReplace:
		return r.Active, true
	case UserDenyOddly, UserDenyAndRole, UserDelete:
		return false, true
	}
	return false, false
}

// UserAnswer is the answer to a request. Unknown means no answer, or an answer from which the outcome is not known.
type UserAnswer struct {
	Unknown  bool   `json:"unknown,omitempty"`
	Status   int    `json:"status,omitempty"`
	Active   bool   `json:"active,omitempty"`
	Display  string `json:"display,omitempty"`
	Role     string `json:"role,omitempty"`
	External string `json:"external,omitempty"`
	Tag      string `json:"tag,omitempty"`
	Detail   string `json:"detail,omitempty"`
}

// Acknowledged reports whether the answer says that the request was done.
func (a UserAnswer) Acknowledged() bool {
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
func (s userState) after(in UserRequest) (userState, int) {
	if in.Verb == UserCreate {
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
	case UserActivate:
		next.Active = in.Active
	case UserRename, UserRenameIf:
		next.Display = in.Display
	case UserReplace:
		next.Active, next.Display, next.Role = in.Active, in.Display, in.Role
	case UserDenyOddly, UserDenyAndRole:
		next.Active = false
	case UserDelete:
		return userState{}, http.StatusNoContent
	}
	return next, http.StatusOK
}

// nextStates are the possible states after a request with that answer; none means that the answer is impossible.
func (s userState) nextStates(in UserRequest, out UserAnswer) []any {
	next, status := s.after(in)
	if next != s {
		next.Tag = out.Tag
	}
	if out.Unknown {
		if in.Verb == UserRenameIf && s.Tag != in.Tag {
			if s.Tag != "" {
				return []any{s}
			}
			return []any{s, next}
		}
		return []any{next}
	}
	if in.Verb == UserRenameIf && s.There {
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
func (s userState) shown(next userState, out UserAnswer) []any {
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

// UserModel is a user for the linearizability checker.
func UserModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{userState{}} },
		Step: func(state, in, out any) []any {
			return state.(userState).nextStates(in.(UserRequest), out.(UserAnswer))
		},
		DescribeOperation: func(in, out any) string {
			return fmt.Sprintf("%s -> %s", Plain(in), Plain(out))
		},
		DescribeState: Plain,
	}
	return model.ToModel()
}

// Plain shows a struct without its zero fields.
func Plain(value any) string {
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
