// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Error is what came of a call that did not succeed. Every error of this
// package's calls is one, or wraps one. It repeats no token, no header and no
// URL, so it may be logged and shown.
type Error struct {
	// Call is method and route, as in "PATCH /Users/{id}".
	Call string
	// Status is the HTTP status, 0 when no answer arrived or no call was made.
	Status int
	// ScimType is LambdaTest's detail error keyword (RFC 7644, table 9), if any.
	ScimType string
	// Detail is LambdaTest's explanation, shortened, or what was wrong with its answer.
	Detail string
	// RetryAfter is how long LambdaTest asked to wait, at most MaxRetryAfter.
	RetryAfter time.Duration
	// HasRetryAfter tells "now" from "LambdaTest did not say".
	HasRetryAfter bool

	cause          error
	kind           kind
	outcomeUnknown bool
	foreign        bool
}

// kind is the class of an Error; each has a question below.
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

// Error reads as the end of a path: "PATCH /Users/{id}: 429 Too Many Requests: slow down".
func (e *Error) Error() string {
	text := e.Call
	if e.Status != 0 {
		text += fmt.Sprintf(": %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Unwrap gives the cause, so that context and network errors can be recognised.
func (e *Error) Unwrap() error {
	return e.cause
}

// IsUnauthorized says that LambdaTest does not accept the token: no call will
// succeed until it is replaced.
func IsUnauthorized(err error) bool { return is(err, unauthorized) }

// IsRejected says that LambdaTest refuses this request and will refuse it
// again: a person must change something. Conflicts, missing things and
// forbidden ones have questions of their own.
func IsRejected(err error) bool { return is(err, rejected) }

// IsForbidden says that group provisioning is switched off in this organization.
func IsForbidden(err error) bool { return is(err, forbidden) }

// IsNotFound says that LambdaTest itself knows no such user or group. A 404 of
// something in between, such as a proxy's HTML page, is IsUnavailable.
func IsNotFound(err error) bool { return is(err, notFound) }

// IsConflict says that the name of the group is taken.
func IsConflict(err error) bool { return is(err, conflict) }

// IsRateLimited says that LambdaTest wants fewer calls; see RetryAfter.
func IsRateLimited(err error) bool { return is(err, rateLimited) }

// IsUnavailable says that no trustworthy answer came, through no fault of the
// request: 5xx, network, time out, redirect, garbage, contradictions. The same
// request may succeed later. A call that its caller cancelled is not this.
func IsUnavailable(err error) bool { return is(err, unavailable) }

// IsForeign says that something other than LambdaTest's SCIM API answered, such
// as a web server that knows no such path: the address may be wrong. It is
// IsUnavailable as well, because a proxy that is in trouble may be the reason.
func IsForeign(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.foreign
}

// IsOutcomeUnknown says that a change may or may not have been made: it left,
// and no answer that can be trusted came back. Read before writing again. A
// read never has an unknown outcome.
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

// RetryAfter says how long LambdaTest asked to wait, and whether it did.
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

// invalid is the error of arguments that no call can carry. No call was made.
func invalid(call, detail string) *Error {
	return &Error{Call: call, Detail: detail, kind: rejected}
}

// kindOfTransport tells a caller who gave up from a network that failed. A
// deadline is the network's fault: it was given enough time.
func kindOfTransport(err error) kind {
	if errors.Is(err, context.Canceled) {
		return abandoned
	}
	return unavailable
}

// kindOfStatus classifies an answer that is not a success. A client error is
// LambdaTest's own word only when the body can be: a proxy's page is not.
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
