// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// scimType is the machine-readable part of a 400 or 409: RFC 7644, section 3.12, table 9, and RFC 9865, section 2.1.
type scimType string

const (
	typeInvalidFilter scimType = "invalidFilter"
	typeUniqueness    scimType = "uniqueness"
	typeMutability    scimType = "mutability"
	typeInvalidSyntax scimType = "invalidSyntax"
	typeInvalidPath   scimType = "invalidPath"
	typeNoTarget      scimType = "noTarget"
	typeInvalidValue  scimType = "invalidValue"
	typeInvalidCursor scimType = "invalidCursor"
)

// problem is the one error type of this package: what the client may read. What only the log may read is wrapped around or below it.
type problem struct {
	status int
	kind   scimType
	detail string
	header http.Header
}

func (p *problem) Error() string { return p.detail }

func newProblem(status int, kind scimType, format string, args ...any) *problem {
	return &problem{status: status, kind: kind, detail: fmt.Sprintf(format, args...)}
}

func badFilter(format string, args ...any) error {
	return newProblem(http.StatusBadRequest, typeInvalidFilter, format, args...)
}

func badPath(format string, args ...any) error {
	return newProblem(http.StatusBadRequest, typeInvalidPath, format, args...)
}

func badValue(format string, args ...any) error {
	return newProblem(http.StatusBadRequest, typeInvalidValue, format, args...)
}

func badSyntax(format string, args ...any) error {
	return newProblem(http.StatusBadRequest, typeInvalidSyntax, format, args...)
}

func badCursor(format string, args ...any) error {
	return newProblem(http.StatusBadRequest, typeInvalidCursor, format, args...)
}

func noTarget(format string, args ...any) error {
	return newProblem(http.StatusBadRequest, typeNoTarget, format, args...)
}

func immutable(format string, args ...any) error {
	return newProblem(http.StatusBadRequest, typeMutability, format, args...)
}

func taken(format string, args ...any) error {
	return newProblem(http.StatusConflict, typeUniqueness, format, args...)
}

func notFound(what, id string) error {
	return newProblem(http.StatusNotFound, "", "%s %q does not exist", what, shorten(id))
}

func staleVersion(etag string) error {
	return newProblem(http.StatusPreconditionFailed, "", "the resource has changed: its version is %s now", etag)
}

// later asks the client to come back: the request was fine, this moment is not.
func later(status int, wait time.Duration, format string, args ...any) error {
	p := newProblem(status, "", format, args...)
	// RFC 9110, section 10.2.3: whole seconds.
	seconds := max(1, int((wait+time.Second-1)/time.Second))
	p.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return p
}

func unavailable() error {
	return later(http.StatusServiceUnavailable, retryAfter, "the Kubernetes API server cannot be reached at the moment: try again")
}

// problemOf maps every error to what the client is told: the one place that knows status codes of errors that are not problems.
func problemOf(err error) *problem {
	var p *problem
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, "", "the body is larger than %d bytes", tooLarge.Limit)
	case isTooLarge(err):
		return newProblem(http.StatusRequestEntityTooLarge, "", "the resource would be larger than the Kubernetes API server stores; nothing was changed")
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return newProblem(http.StatusBadRequest, typeInvalidValue, "%s", invalidDetail(err))
	case isUnavailable(err):
		return asProblem(unavailable())
	default:
		return newProblem(http.StatusInternalServerError, "", "internal error; the operator's log has the cause under this request's id")
	}
}

func asProblem(err error) *problem {
	var p *problem
	errors.As(err, &p)
	return p
}

// isTooLarge recognises both answers of the API server: 413, and between 1.5 and 3 MiB a 500 with etcd's own words.
func isTooLarge(err error) bool {
	return apierrors.IsRequestEntityTooLargeError(err) || err != nil && strings.Contains(err.Error(), "request is too large")
}

// isUnavailable tells whether trying again may help. A namespace being deleted (403) ends by itself too: either way.
func isUnavailable(err error) bool {
	var network net.Error
	return apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsInternalError(err) || apierrors.IsUnauthorized(err) ||
		apierrors.IsForbidden(err) || apierrors.IsConflict(err) || apierrors.IsUnexpectedServerError(err) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &network) ||
		isConnectionLost(err)
}

func isConnectionLost(err error) bool {
	text := err.Error()
	return strings.Contains(text, "connection re") || strings.HasSuffix(text, "EOF") || strings.Contains(text, "http2:")
}

// invalidDetail names the fields that the API server refused, without the name of the resource.
func invalidDetail(err error) string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil || len(status.Status().Details.Causes) == 0 {
		return "the Kubernetes API server refuses a value"
	}
	var causes []string
	for _, cause := range status.Status().Details.Causes {
		causes = append(causes, strings.TrimPrefix(cause.Field, "spec.")+": "+cause.Message)
	}
	return strings.Join(causes, "; ")
}

// shorten keeps what a client sent from filling an answer or a log.
func shorten(s string) string {
	const most = 128
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
