// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"net/http"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// audit is what the one line about a write says besides who asked. It holds no address and no value: ids and names of attributes only.
type audit struct {
	resource string   // kind and id
	fields   []string // attributes that changed; none: nothing was written
	outcome  string   // created, revived, changed, unchanged, denied, deleted
	leftOut  error    // why only the denial of a request was carried out
}

func isWrite(r *request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return !strings.HasSuffix(r.route, ".search")
	default:
		return false
	}
}

// logWrite writes the line. A refused write has the status and kind of the error, whose detail may hold what the client sent.
func (s *Server) logWrite(r *request, status int, p *problem.Problem) {
	fields := []any{
		"requestID", r.id, "method", r.Method, "route", r.route, "status", status,
		"namespace", r.organization().Namespace, "organization", r.organization().Name, "tokenKey", r.grant.Token.Key,
		"client", clientAddress(r.Request),
	}
	if forwarded := r.Header.Get("X-Forwarded-For"); forwarded != "" {
		fields = append(fields, "forwardedFor", problem.Shorten(forwarded))
	}
	resource := r.audit.resource
	if resource == "" {
		resource = r.segment
	}
	fields = append(fields, "resource", problem.Shorten(resource))
	if p != nil {
		s.log.Info("SCIM write", append(fields, "outcome", "refused", "scimType", p.Kind)...)
		return
	}
	fields = append(fields, "outcome", r.audit.outcome, "fields", strings.Join(r.audit.fields, ","))
	if r.audit.leftOut != nil {
		fields = append(fields, "leftOut", problemOf(r.audit.leftOut).Kind)
	}
	s.log.Info("SCIM write", fields...)
}
