// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

// eventReasons are those of the events about the fields of status.scim.
var eventReasons = map[string]string{token.LimitsReached: "SCIMLimitReached", token.IgnoredAttributes: "SCIMAttributesIgnored"}

// report tells, once an hour for each name, of something that the administrator of the organization should mend: in its status, in an event and in
// the log.
func (s *Server) report(r *request, field, name, message string) {
	if !s.uses.NoteIn(r.grant, field, name, s.now()) {
		return
	}
	s.log.Info("SCIM organization", "namespace", r.organization().Namespace, "organization", r.organization().Name, "reason", eventReasons[field], "message", message)
	s.options.Recorder.Eventf(r.organization(), nil, corev1.EventTypeWarning, eventReasons[field], "Serve", "%s", message)
}

// reportIgnored reports what a request that succeeded says of LambdaTest's attributes under names that are not theirs.
func (s *Server) reportIgnored(r *request) {
	table := claims.UserTypeOf(r.organization())
	if strings.HasPrefix(r.route, claims.GroupType.Endpoint) {
		table = claims.GroupType
	}
	for _, name := range claims.Ignored(table, r.body, r.Method == http.MethodPost) {
		s.metrics.ignored.WithLabelValues(r.organization().Namespace, r.organization().Name).Inc()
		s.report(r, token.IgnoredAttributes, name, "The identity provider sends "+name+", which is not understood and was ignored. "+claims.MendMapping)
	}
}
