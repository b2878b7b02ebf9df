// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Error describes a call that did not succeed. Every error of this package's
// calls is an *Error or wraps one. It contains no token, no header and no URL,
// so it may be logged and shown.
type Error struct {
	// Call is method and route, as in "PATCH /Users/{id}".
	Call string
	// Status is the HTTP status, 0 when no answer arrived or no call was made.
	Status int
	// ScimType is LambdaTest's detail error keyword (RFC 7644, table 9), if any.
	ScimType string
	// Detail is LambdaTest's explanation, shortened, or says what was wrong with its answer.
	Detail string
	// RetryAfter is how long LambdaTest asked to wait, at most MaxRetryAfter.
	RetryAfter time.Duration
	// HasRetryAfter is true when LambdaTest gave a RetryAfter, which may be 0.
	HasRetryAfter bool

	cause          error
	kind           kind
	outcomeUnknown bool
	foreign        bool
	contradiction  bool
	otherName      bool
}

// kind is the class of an Error; most have a function IsX below.
type kind int

const (
	abandoned kind = iota // the caller gave up
	unauthorized
	rejected
	forbidden
	notFound
	conflict
	rateLimited
	unavailable
)

// Error returns a text such as "PATCH /Users/{id}: 429 Too Many Requests: slow down".
func (e *Error) Error() string {
	if why := e.Explanation(); why != "" {
		return e.Call + ": " + why
	}
	return e.Call
}

// Explanation returns the text without the call, such as "429 Too Many Requests: slow
// down". It is the same for all calls that fail in the same way, so a condition that
// shows it is written once.
func (e *Error) Explanation() string {
	var parts []string
	if e.Status != 0 {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))))
	}
	if e.Detail != "" {
		parts = append(parts, e.Detail)
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause, so that errors.Is finds context and network errors.
func (e *Error) Unwrap() error {
	return e.cause
}

// IsUnauthorized reports that LambdaTest does not accept the token: no call will
// succeed until it is replaced.
func IsUnauthorized(err error) bool { return is(err, unauthorized) }

// IsRejected reports that LambdaTest refuses this request and will refuse it
// again: a person must change something. It does not include IsConflict,
// IsNotFound and IsForbidden.
func IsRejected(err error) bool { return is(err, rejected) }

// IsForbidden reports that group provisioning is switched off in this organization.
func IsForbidden(err error) bool { return is(err, forbidden) }

// IsNotFound reports that LambdaTest itself has no such user or group. A 404
// that may be from something in between, such as a proxy's HTML page, is
// IsUnavailable; see Refusal.
func IsNotFound(err error) bool { return is(err, notFound) }

// IsConflict reports that the name of the group is taken.
func IsConflict(err error) bool { return is(err, conflict) }

// IsRateLimited reports that LambdaTest asks for fewer calls; see RetryAfter.
func IsRateLimited(err error) bool { return is(err, rateLimited) }

// IsUnavailable reports that no trustworthy answer came, and that the request is
// not the reason: 5xx, network, timeout, redirect, an unreadable answer or a
// contradiction. The same request may succeed later. A call that its caller
// cancelled is not IsUnavailable.
func IsUnavailable(err error) bool { return is(err, unavailable) }

// IsForeign reports that something other than LambdaTest's SCIM API answered,
// such as a web server without that path: the address may be wrong. The error is
// also IsUnavailable, because the reason may be a proxy with a problem.
func IsForeign(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.foreign
}

// Refusal returns what a foreign answer says if LambdaTest has given it, and
// whether it says anything: a redirect does not. LambdaTest may refuse calls with
// a page of HTML, as a proxy does. The caller must know that it was LambdaTest:
// because a read right after the call was answered as only LambdaTest does.
func Refusal(err error) (refused error, says bool) {
	var e *Error
	if !errors.As(err, &e) || !e.foreign || e.Status < http.StatusBadRequest {
		return nil, false
	}
	refusal := *e
	refusal.kind, refusal.foreign, refusal.outcomeUnknown = kindOfStatus(e.Status, true), false, false
	refusal.Detail = ""
	return &refusal, true
}

// IsContradiction reports that LambdaTest answered with a list that contradicts
// itself or the request: a wrong total, the wrong page, more items than were
// asked for. The error is also IsUnavailable: the next answer may be right.
func IsContradiction(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.contradiction
}

// IsOtherName reports that LambdaTest answered with the account or group of
// another name than was asked for, which it takes for the same. The error is
// also IsUnavailable.
func IsOtherName(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.otherName
}

// IsOutcomeUnknown reports that a change may or may not have been made: the
// request was sent, and no trustworthy answer came back. Read before writing
// again. A read never has an unknown outcome.
func IsOutcomeUnknown(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.outcomeUnknown
}

// IgnoreNotFound returns nil when IsNotFound, and err otherwise.
func IgnoreNotFound(err error) error {
	if IsNotFound(err) {
		return nil
	}
	return err
}

// RetryAfter returns how long LambdaTest asked to wait, and whether it asked.
func RetryAfter(err error) (time.Duration, bool) {
	var e *Error
	if !errors.As(err, &e) {
		return 0, false
	}
	return e.RetryAfter, e.HasRetryAfter
}

func is(err error, k kind) bool {
	var e *Error
	return errors.As(err, &e) && e.kind == k
}

// invalid is the error of invalid arguments. No call was made.
func invalid(call, detail string) *Error {
	return &Error{Call: call, Detail: detail, kind: rejected}
}

// kindOfTransport distinguishes a caller that gave up from a network that failed.
// An exceeded deadline counts as a network failure.
func kindOfTransport(err error) kind {
	if errors.Is(err, context.Canceled) {
		return abandoned
	}
	return unavailable
}

// kindOfStatus classifies an answer that is not a success. A 4xx counts as
// LambdaTest's only if the body shows that: a page may be a proxy's.
func kindOfStatus(status int, genuine bool) kind {
	switch {
	case status == http.StatusUnauthorized:
		return unauthorized
	case status == http.StatusTooManyRequests:
		return rateLimited
	case status < 400 || status >= 500 || !genuine || status == http.StatusRequestTimeout:
		return unavailable
	case status == http.StatusForbidden:
		return forbidden
	case status == http.StatusNotFound:
		return notFound
	case status == http.StatusConflict:
		return conflict
	}
	return rejected
}
