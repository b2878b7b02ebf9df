// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"math"
	"net/http"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// shares bounds something that all organizations share. An organization may have at most so much of it for each, and at most as much as is still
// free: alone half of all, two a third each. So however many organizations take much, some is left for the next one.
type shares struct {
	all, each int64

	mu    sync.Mutex
	taken int64
	by    map[types.NamespacedName]int64
	// freed is closed, and replaced, whenever something becomes free.
	freed chan struct{}
}

func newShares(all, each int64) *shares {
	return &shares{all: all, each: each, by: map[types.NamespacedName]int64{}, freed: make(chan struct{})}
}

// take takes so much, unless it is too much. It returns what to wait for then.
func (s *shares) take(organization types.NamespacedName, size int64) (taken bool, freed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[organization]+size > min(s.each, s.all-s.taken-size) {
		return false, s.freed
	}
	s.by[organization] += size
	s.taken += size
	return true, nil
}

func (s *shares) give(organization types.NamespacedName, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken -= size
	if s.by[organization] -= size; s.by[organization] == 0 {
		delete(s.by, organization)
	}
	close(s.freed)
	s.freed = make(chan struct{})
}

// await takes so much as soon as there is enough, and tells whether there was before ctx was done.
func (s *shares) await(ctx context.Context, organization types.NamespacedName, size int64) bool {
	for {
		taken, freed := s.take(organization, size)
		if taken {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-freed:
		}
	}
}

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
