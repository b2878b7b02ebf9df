// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package problem

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Kind is the machine-readable part of a 400 or 409: RFC 7644, section 3.12, table 9, and RFC 9865, section 2.1.
type Kind string

// The kinds that this endpoint answers with.
const (
	KindInvalidFilter Kind = "invalidFilter"
	KindUniqueness    Kind = "uniqueness"
	KindMutability    Kind = "mutability"
	KindInvalidSyntax Kind = "invalidSyntax"
	KindInvalidPath   Kind = "invalidPath"
	KindNoTarget      Kind = "noTarget"
	KindInvalidValue  Kind = "invalidValue"
	KindInvalidCursor Kind = "invalidCursor"
	KindInvalidCount  Kind = "invalidCount"
)

// Problem is what the client may read of an error. What only the log may read is wrapped around it.
type Problem struct {
	Status int
	Kind   Kind // "" where the RFCs have none
	Detail string
	Header http.Header
}

func (p *Problem) Error() string { return p.Detail }

// New returns a problem with any status.
func New(status int, kind Kind, format string, args ...any) *Problem {
	return &Problem{Status: status, Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// BadFilter is a 400: the filter is not understood.
func BadFilter(format string, args ...any) error {
	return New(http.StatusBadRequest, KindInvalidFilter, format, args...)
}

// BadPath is a 400: the path of a PATCH operation is not understood.
func BadPath(format string, args ...any) error {
	return New(http.StatusBadRequest, KindInvalidPath, format, args...)
}

// BadValue is a 400: a value is missing, has the wrong type or is not allowed.
func BadValue(format string, args ...any) error {
	return New(http.StatusBadRequest, KindInvalidValue, format, args...)
}

// BadSyntax is a 400: the body is no JSON object, or no PatchOp.
func BadSyntax(format string, args ...any) error {
	return New(http.StatusBadRequest, KindInvalidSyntax, format, args...)
}

// BadCursor is a 400: the cursor was not made for this list.
func BadCursor(format string, args ...any) error {
	return New(http.StatusBadRequest, KindInvalidCursor, format, args...)
}

// NoTarget is a 400: the path of a PATCH operation selects nothing.
func NoTarget(format string, args ...any) error {
	return New(http.StatusBadRequest, KindNoTarget, format, args...)
}

// Immutable is a 400: the attribute cannot change, or cannot be removed.
func Immutable(format string, args ...any) error {
	return New(http.StatusBadRequest, KindMutability, format, args...)
}

// Taken is a 409: another resource has a value that must be unique.
func Taken(format string, args ...any) error {
	return New(http.StatusConflict, KindUniqueness, format, args...)
}

// NotFound is a 404: there is no such resource.
func NotFound(what, id string) error {
	return New(http.StatusNotFound, "", "%s %q does not exist", what, Shorten(id))
}

// Later asks the client to send the same request again after wait: 429 or 503.
func Later(status int, wait time.Duration, format string, args ...any) error {
	p := New(status, "", format, args...)
	// RFC 9110, section 10.2.3: whole seconds.
	seconds := max(1, int((wait+time.Second-1)/time.Second))
	p.Header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return p
}

// As returns the problem in an error, or nil.
func As(err error) *Problem {
	var p *Problem
	errors.As(err, &p)
	return p
}

// Shorten keeps what a client sent from filling an answer or a log.
func Shorten(s string) string {
	const most = 128
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
