// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"errors"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Faults are what the server does wrong, each with a probability from 0 to 1. The zero value is none. They are fair: whatever the server
// answers is what a real one may answer, and an error says that nothing was written, except LostAnswer and Timeout.
type Faults struct {
	// Conflict answers 409 to an update or a patch that names a resourceVersion, as if another writer had been faster.
	Conflict float64
	// TooMany answers 429 with Retry-After: 1.
	TooMany float64
	// Internal answers 500, Unavailable 503.
	Internal, Unavailable float64
	// Timeout answers 504; half of the requests that it hits were carried out.
	Timeout float64
	// LostRequest cuts the connection before the request is carried out, LostAnswer after it was.
	LostRequest, LostAnswer float64
	// Slow delays a request by Delay before it is carried out.
	Slow float64
	// WatchCut cuts the connection of a watch in place of an event, WatchSlow delays an event by Delay, WatchGone answers 410 to the begin of a
	// watch from a revision.
	WatchCut, WatchSlow, WatchGone float64
	// PageGone answers 410 to a request for a further page.
	PageGone float64
	// Delay is that of Slow and WatchSlow.
	Delay time.Duration
	// Only says which requests may be hit. All may if it is nil. It must return at once.
	Only func(*http.Request) bool
}

// Faults are those that the server has.
func (s *Server) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// SetFaults replaces the faults.
func (s *Server) SetFaults(faults Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
}

// trouble is what goes wrong with one request.
type trouble struct {
	delay                   time.Duration
	loseRequest, loseAnswer bool
	// refusal is the answer to a request that is not carried out, lateRefusal to one that is.
	refusal, lateRefusal error
}

// draw decides what goes wrong with a request.
func (s *Server) draw(req *request) (t trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults
	if f.Only != nil && !f.Only(req.Request) {
		return trouble{}
	}
	if s.hits(f.Slow) {
		t.delay = f.Delay
	}
	t.loseRequest = s.hits(f.LostRequest)
	t.loseAnswer = s.hits(f.LostAnswer) && req.verb != "watch"
	switch {
	case s.hits(f.Unavailable):
		t.refusal = apierrors.NewServiceUnavailable("the server is currently unable to handle the request")
	case s.hits(f.TooMany):
		t.refusal = apierrors.NewTooManyRequests("the server has received too many requests and has asked us to try again later", 1)
	case s.hits(f.Internal):
		t.refusal = apierrors.NewInternalError(errors.New("injected"))
	case s.hits(f.Conflict) && req.namesRevision():
		t.refusal = apierrors.NewConflict(req.kind.group(), req.name, errors.New(optimisticLock))
	case s.hits(f.Timeout) && req.verb != "watch":
		timeout := apierrors.NewTimeoutError("request did not complete within the allotted timeout", 0)
		if s.hits(0.5) {
			t.lateRefusal = timeout
		} else {
			t.refusal = timeout
		}
	case req.verb == "list" && req.query.Get("continue") != "" && s.hits(f.PageGone):
		t.refusal = apierrors.NewResourceExpired("The provided continue parameter is too old to display a consistent list result.")
	case req.isFollowUp() && s.hits(f.WatchGone):
		t.refusal = apierrors.NewResourceExpired("too old resource version")
	}
	return t
}

// hits draws one fault. It needs the lock.
func (s *Server) hits(probability float64) bool {
	return probability > 0 && s.rand.Float64() < probability
}

func (r *request) namesRevision() bool {
	return r.verb == "update" || r.verb == "patch" && bytes.Contains(r.body, []byte(`"resourceVersion"`))
}

// isFollowUp says whether a watch begins where a list or another watch ended.
func (r *request) isFollowUp() bool {
	from := r.query.Get("resourceVersion")
	return r.verb == "watch" && from != "" && from != "0" && !r.query.Has("sendInitialEvents")
}

func (t trouble) before(req *request) {
	if t.delay > 0 {
		sleep(req.Context(), t.delay)
	}
	if t.loseRequest {
		panic(http.ErrAbortHandler) // closes the connection
	}
}

func (t trouble) after() {
	if t.loseAnswer {
		panic(http.ErrAbortHandler) // closes the connection
	}
}

// troubleEvent delays an event or cuts the watch; it returns false if the client is gone.
func (s *Server) troubleEvent(req *request) bool {
	s.mu.Lock()
	f := s.faults
	if f.Only != nil && !f.Only(req.Request) {
		f = Faults{}
	}
	cut, slow := s.hits(f.WatchCut), s.hits(f.WatchSlow)
	s.mu.Unlock()
	if cut {
		panic(http.ErrAbortHandler) // closes the connection
	}
	return !slow || sleep(req.Context(), f.Delay)
}
