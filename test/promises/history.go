// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Moment is a time since the start of the run.
type Moment = time.Duration

// Forever is later than anything that happens in a run.
const Forever = Moment(1<<63 - 1)

// Operation is a request about one person or group, and its answer.
type Operation[In, Out any] struct {
	// Subject is the organization and the person or group.
	Subject string `json:"subject"`
	Client  int    `json:"client"`
	Call    Moment `json:"call"`
	// Return is Forever when the answer was lost: then it may take effect at any later time, or never.
	Return Moment `json:"return"`
	In     In     `json:"in"`
	Out    Out    `json:"out"`
}

// History is the record of all operations; all clients write to it concurrently. The zero value is ready to use.
type History[In, Out any] struct {
	mu         sync.Mutex
	operations []Operation[In, Out]
}

// Add records an operation that has ended.
func (h *History[In, Out]) Add(o Operation[In, Out]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, o)
}

// All returns the operations in the order in which they began.
func (h *History[In, Out]) All() []Operation[In, Out] {
	h.mu.Lock()
	defer h.mu.Unlock()
	sorted := slices.Clone(h.operations)
	slices.SortStableFunc(sorted, func(a, b Operation[In, Out]) int { return cmp.Compare(a.Call, b.Call) })
	return sorted
}

// BySubject splits a history by subject.
func BySubject[In, Out any](all []Operation[In, Out]) map[string][]Operation[In, Out] {
	parts := map[string][]Operation[In, Out]{}
	for _, o := range all {
		parts[o.Subject] = append(parts[o.Subject], o)
	}
	return parts
}

type (
	// UserOperation is a request about one user, and its answer.
	UserOperation = Operation[UserRequest, UserAnswer]
	// GroupOperation is a request about one group, and its answer.
	GroupOperation = Operation[GroupRequest, GroupAnswer]
)

// Violation is a broken promise.
type Violation struct {
	Check  string `json:"check"`
	Whom   string `json:"whom"`
	Detail string `json:"detail"`
}

func violationf(check, whom, format string, args ...any) Violation {
	return Violation{Check: check, Whom: whom, Detail: fmt.Sprintf(format, args...)}
}

// OrganizationOf is the first part of a subject: the name of its organization.
func OrganizationOf(subject string) string {
	organization, _, _ := strings.Cut(subject, "/")
	return organization
}
