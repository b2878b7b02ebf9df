// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// ServeHTTP answers one request. The answer is SCIM JSON, also to a request that fails. (net/http refuses a few requests before: docs/scim.md.)
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := s.now()
	q := &request{Request: r, id: requestID(r), bodies: s.bodies, reading: s.reading, answers: s.answers, control: http.NewResponseController(w)}
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
	result, release := q.admit(result) //nolint:contextcheck // q has the context of r
	defer release()
	answer(w, result)
	s.metrics.answered(q, result.status, s.now().Sub(started))
	s.logRequest(q, result.status, p)
}

// logCause logs what the client is not told.
func (s *Server) logCause(q *request, p *problem.Problem, err error) {
	switch p.Status {
	case http.StatusServiceUnavailable:
		if needsRights(err) {
			s.log.Error(err, "SCIM request put off: the operator lacks a right, or a quota is used up", "requestID", q.id, "method", q.Method, "route", q.route)
			return
		}
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
	if len(q.Host) > maxHostBytes { // it is in every location, and so in every member of a group
		return reply{}, problem.BadValue("the Host header is longer than %d bytes", maxHostBytes)
	}
	if q.grant, err = s.gate.admit(q.Request); err != nil {
		if q.grant == nil && problemOf(err).Status == http.StatusUnauthorized {
			s.auditRefusal(q.Request)
		}
		return reply{}, err
	}
	s.metrics.used(q.grant, s.now())
	if s.uses.Note(q.grant, s.now()) {
		s.auditToken(audit.TokenUsed, q.grant, "")
	}
	handle, err := s.router.find(q)
	if err != nil {
		return reply{}, err
	}
	q.base = s.baseURL(q.Request)
	result, err = handle(q)
	if err == nil && isWrite(q) {
		s.reportIgnored(q)
	}
	return result, err
}

func panicError(cause any) error { return fmt.Errorf("panic: %v\n%s", cause, debug.Stack()) }
