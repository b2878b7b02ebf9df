// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// readBody reads a body of limit bytes at most, step by step. The first step is free, so that a denial never waits, whether or not its
// client says how long it is; memory for each further one is reserved when it begins, so that a client holds no more than it has sent. A step
// must arrive within bodyStepTime: what a slow client holds would be missing for others.
func (r *request) readBody(limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	body, last := http.MaxBytesReader(nil, r.Body, limit), time.Now().Add(requestTimeout)
	for text := new(bytes.Buffer); ; {
		deadline := time.Now().Add(bodyStepTime)
		if deadline.After(last) {
			deadline = last
		}
		_ = r.control.SetReadDeadline(deadline) // only a connection of a test has no deadline
		_, err := io.CopyN(text, body, bodyStep)
		var tooLarge *http.MaxBytesError
		switch {
		case errors.Is(err, io.EOF):
			_ = r.control.SetReadDeadline(time.Time{}) // it would count as the end of the connection while the request is worked on
			return text.Bytes(), nil
		case errors.As(err, &tooLarge):
			return nil, err
		case err != nil:
			return nil, problem.New(http.StatusRequestTimeout, "", "the body is too slow: each %d KiB must arrive within %s", bodyStep>>10, bodyStepTime)
		}
		if err := r.reserve(min(bodyStep, maxBodiesBytes/2-r.held)); err != nil {
			return nil, err
		}
	}
}

// reserve takes memory until the request is answered.
func (r *request) reserve(size int64) error {
	waiting, cancel := context.WithTimeout(r.Context(), bodyWait)
	defer cancel()
	if !r.bodies.await(waiting, r.organizationKey(), size) {
		return problem.Later(http.StatusServiceUnavailable, retryAfter, "too many large requests at once: try again")
	}
	r.held += size
	return nil
}

func (r *request) releaseBody() {
	if r.held > 0 {
		r.bodies.give(r.organizationKey(), r.held)
	}
}
