// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"math"
	"net/http"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// answers bounds what answers cost: the memory of those that are not read yet, and the turns to make a large one, of which each organization has one.
type answers struct{ memory, turns *shares }

func newAnswers() answers {
	return answers{memory: newShares(maxAnswersBytes, maxAnswersBytes/2), turns: newShares(math.MaxInt64, 1)}
}

// takeTurnFor takes a turn for an answer of about so many bytes, if that is many.
func (r *request) takeTurnFor(size int) error {
	if size <= turnBytes {
		return nil
	}
	return r.takeTurn()
}

// takeTurn waits until no other request of the organization scans or makes a large answer. The request has the turn until its answer is ready and has
// its memory: so each organization takes one processor at most, and makes one large answer at a time.
func (r *request) takeTurn() error {
	if r.hasTurn {
		return nil
	}
	waiting, cancel := context.WithTimeout(r.Context(), answerWait)
	defer cancel()
	if r.hasTurn = r.answers.turns.await(waiting, r.organizationKey(), 1); !r.hasTurn {
		return problem.Later(http.StatusServiceUnavailable, retryAfter, "too many large requests of this organization at once: try again")
	}
	return nil
}

func (r *request) endTurn() {
	if r.hasTurn {
		r.answers.turns.give(r.organizationKey(), 1)
		r.hasTurn = false
	}
}

// admit reserves the memory of an answer until release, because the client may read it slowly or never. A small answer needs no reservation. A
// request with a turn waits for memory for a while; others do not, because they may be many. Without memory the answer is 503 or, when the request
// created something, 201 without a body (RFC 7644, section 3.3): the client would repeat the request.
func (r *request) admit(a reply) (admitted reply, release func()) {
	defer r.endTurn()
	size := min(int64(len(a.body)), maxAnswersBytes/2)
	if size <= smallAnswerBytes {
		return a, func() {}
	}
	waiting, cancel := context.WithTimeout(r.Context(), answerWait)
	defer cancel()
	if !r.hasTurn {
		cancel()
	}
	organization := r.organizationKey()
	switch {
	case r.answers.memory.await(waiting, organization, size):
		return a, func() { r.answers.memory.give(organization, size) }
	case a.status == http.StatusCreated:
		return reply{status: a.status, header: a.header}, func() {}
	default:
		tooMany := problem.Later(http.StatusServiceUnavailable, retryAfter, "too many large answers of this organization are not read yet: try again")
		return errorReply(problem.As(tooMany)), func() {}
	}
}
