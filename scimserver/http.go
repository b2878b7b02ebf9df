// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// ServeHTTP answers one request. Whatever happens, the answer is SCIM JSON.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := s.now()
	q := &request{Request: r, id: requestID(r), bodies: s.bodies, reading: s.reading, control: http.NewResponseController(w)}
	defer q.releaseBody()
	end := s.connections.begin(r.Context())
	defer func() { end(q.grant != nil) }()
	w.Header().Set("X-Request-Id", q.id)
	if s.draining.Load() {
		w.Header().Set("Connection", "close") // the next request goes to a replica that stays
	}
	result, err := s.dispatch(q)
	var p *problem.Problem
	if err != nil {
		p = problemOf(err)
		result = errorReply(p)
		s.logCause(q, p, err)
	}
	answer(w, result)
	s.metrics.answered(q, result.status, s.now().Sub(started))
	if q.grant != nil && isWrite(q) {
		s.logWrite(q, result.status, p)
	}
}

// logCause logs what the client is not told.
func (s *Server) logCause(q *request, p *problem.Problem, err error) {
	switch p.Status {
	case http.StatusServiceUnavailable:
		s.log.Info("SCIM request put off", "requestID", q.id, "method", q.Method, "route", q.route, "cause", err.Error())
	case http.StatusInternalServerError:
		s.log.Error(err, "SCIM request failed", "requestID", q.id, "method", q.Method, "route", q.route)
	}
}

// dispatch admits the request and runs its operation. A panic ends the request and not the process.
func (s *Server) dispatch(q *request) (result reply, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = panicError(cause)
		}
	}()
	if path := q.URL.EscapedPath(); path != BasePath && !strings.HasPrefix(path, BasePath+"/") {
		return reply{}, noSuchPath()
	}
	if !s.started.Load() {
		return reply{}, problem.Later(http.StatusServiceUnavailable, retryAfter, "the operator is starting: try again")
	}
	if q.grant, err = s.gate.admit(q.Request); err != nil {
		return reply{}, err
	}
	s.metrics.used(q.grant, s.now())
	s.uses.Note(q.grant, s.now())
	handle, err := s.router.find(q)
	if err != nil {
		return reply{}, err
	}
	q.base = s.baseURL(q.Request)
	return handle(q)
}

func panicError(cause any) error { return fmt.Errorf("panic: %v\n%s", cause, debug.Stack()) }
