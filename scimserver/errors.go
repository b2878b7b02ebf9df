// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"

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

// isUnavailable tells whether trying again may help: also after a 403, because a namespace that is being deleted answers so until it is
// gone, and because an administrator has to be asked for a right; and when the namespace or the definition is gone.
func isUnavailable(err error) bool {
	var network net.Error
	return apierrors.IsNotFound(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsInternalError(err) || apierrors.IsUnauthorized(err) ||
		apierrors.IsForbidden(err) || apierrors.IsConflict(err) || apierrors.IsUnexpectedServerError(err) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &network) ||
		errors.Is(err, io.ErrUnexpectedEOF) || utilnet.IsProbableEOF(err) || utilnet.IsHTTP2ConnectionLost(err) ||
		utilnet.IsConnectionReset(err) || utilnet.IsConnectionRefused(err)
}

// needsRights recognises a 403 that stays until an administrator acts.
func needsRights(err error) bool {
	return apierrors.IsForbidden(err) && !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
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
