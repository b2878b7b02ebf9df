// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

func staleVersion(etag string) error {
	return problem.New(http.StatusPreconditionFailed, "", "the resource has changed: its version is %s now", etag)
}

func unavailable() error {
	return problem.Later(http.StatusServiceUnavailable, retryAfter, "the Kubernetes API server cannot be reached at the moment: try again")
}

// problemOf maps every error to what the client is told: the one place that knows status codes of errors that are not problems.
func problemOf(err error) *problem.Problem {
	var p *problem.Problem
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooLarge):
		return problem.New(http.StatusRequestEntityTooLarge, "", "the body is larger than %d bytes", tooLarge.Limit)
	case isTooLarge(err):
		return problem.New(http.StatusRequestEntityTooLarge, "", "the resource would be larger than the Kubernetes API server stores; nothing was changed")
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return problem.New(http.StatusBadRequest, problem.KindInvalidValue, "%s", invalidDetail(err))
	case isUnavailable(err):
		return problem.As(unavailable())
	default:
		return problem.New(http.StatusInternalServerError, "", "internal error; the operator's log has the cause under this request's id")
	}
}

// isTooLarge recognises both answers of the API server: 413, and between 1.5 and 3 MiB a 500 with etcd's own words.
func isTooLarge(err error) bool {
	return apierrors.IsRequestEntityTooLargeError(err) || err != nil && strings.Contains(err.Error(), "request is too large")
}

// isUnavailable tells whether trying again may help. So does waiting for a namespace that is being
// deleted: it answers 403 until it is gone.
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
