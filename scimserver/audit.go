// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// written is what the one line about a write says besides who asked. It holds no address and no value: ids and names of attributes only.
type written struct {
	resource string   // kind and id
	fields   []string // attributes that changed; none: nothing was written
	outcome  string   // created, revived, changed, role changed, reactivated, denied, deleted, unchanged
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

// logRequest writes the line about a request: one for each write; of what is refused before it is carried out, and of reads, only a sample, so
// that no client can fill the log.
func (s *Server) logRequest(r *request, status int, p *problem.Problem) {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusTooManyRequests:
		s.logSample("SCIM request refused", s.refusals, like(r, status), r, status)
	case r.grant == nil: // another path, such as that of a probe, or the operator is starting
	case isWrite(r):
		s.logWrite(r, status, p)
	default:
		s.logSample("SCIM read", s.reads, string(r.grant.Token.Digest[:])+clientNetwork(r.Request), r, status)
	}
}

// like names the requests that are refused for the same reason: those with a token do not hide behind those without one.
func like(r *request, status int) string {
	if r.grant == nil {
		return strconv.Itoa(status)
	}
	return strconv.Itoa(status) + " " + r.organizationKey().String()
}

// logSample writes a line unless there were too many like it, and says how many were left out before.
func (s *Server) logSample(line string, samples *limiters, name string, r *request, status int) {
	if leftOut, ok := samples.sample(name, s.now()); ok {
		s.log.Info(line, append(whoAsked(r, status), "leftOut", leftOut)...)
	}
}

// whoAsked are the fields of each line. Without a valid token there is no organization.
func whoAsked(r *request, status int) []any {
	fields := []any{"requestID", r.id, "method", methodLabel(r.Method), "route", r.route, "status", status}
	if r.grant != nil {
		fields = append(fields, "namespace", r.organization().Namespace, "organization", r.organization().Name, "tokenKey", r.grant.Token.Key)
	}
	fields = append(fields, "client", clientAddress(r.Request))
	if forwarded := r.Header.Get("X-Forwarded-For"); forwarded != "" {
		fields = append(fields, "forwardedFor", problem.Shorten(forwarded))
	}
	return fields
}

// logWrite writes the line about a write. A refused write has the status and kind of the error, whose detail may hold what the client sent.
func (s *Server) logWrite(r *request, status int, p *problem.Problem) {
	resource := r.audit.resource
	if resource == "" && idForm.MatchString(r.segment) { // what else a client sends there may be an address
		resource = r.segment
	}
	fields := append(whoAsked(r, status), "resource", resource)
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
