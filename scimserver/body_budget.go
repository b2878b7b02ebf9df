// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"net/http"

	"golang.org/x/sync/semaphore"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// bodyBudget bounds the memory that large bodies take, whoever sends them: otherwise one tenant could fill it for all. Bodies that say they
// are small, as denials are, never wait.
type bodyBudget struct{ *semaphore.Weighted }

func newBodyBudget() bodyBudget { return bodyBudget{semaphore.NewWeighted(maxBodiesBytes)} }

// awaitBudget takes the size of the body from the budget until the request is answered; one that does not tell its size is taken for
// as large as may be.
func (r *request) awaitBudget(limit int64) error {
	size := r.ContentLength
	switch {
	case size > limit:
		return &http.MaxBytesError{Limit: limit}
	case size < 0:
		size = limit
	}
	if size <= smallBodyBytes {
		return nil
	}
	size = min(size, maxBodiesBytes)
	waiting, cancel := context.WithTimeout(r.Context(), bodyWait)
	defer cancel()
	if err := r.budget.Acquire(waiting, size); err != nil {
		return problem.Later(http.StatusServiceUnavailable, retryAfter, "too many large requests at once: try again")
	}
	r.held = size
	return nil
}

func (r *request) releaseBudget() {
	if r.held > 0 {
		r.budget.Release(r.held)
	}
}
