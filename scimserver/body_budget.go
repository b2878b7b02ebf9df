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
// must arrive within bodyStepTime: what a slow client holds would be missing for others. Large bodies of one organization are read one after the
// other, because several that each hold a part could all wait for the rest.
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
		if r.held == 0 {
			if err := r.wait(r.reading, 1); err != nil {
				return nil, err
			}
			defer r.reading.give(r.organizationKey(), 1)
		}
		size := min(bodyStep, maxBodiesBytes/2-r.held)
		if err := r.wait(r.bodies, size); err != nil {
			return nil, err
		}
		r.held += size // until the request is answered
	}
}

// wait takes a share, or fails after bodyWait.
func (r *request) wait(of *shares, size int64) error {
	waiting, cancel := context.WithTimeout(r.Context(), bodyWait)
	defer cancel()
	if !of.await(waiting, r.organizationKey(), size) {
		return problem.Later(http.StatusServiceUnavailable, retryAfter, "too many large requests at once: try again")
	}
	return nil
}

func (r *request) releaseBody() {
	if r.held > 0 {
		r.bodies.give(r.organizationKey(), r.held)
	}
}
