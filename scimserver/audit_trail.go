// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"net/http"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

// outcomeOf names a change of a user by what matters most about it.
func outcomeOf(before, after v1alpha1.LambdaTestUserSpec) string {
	denied := func(spec v1alpha1.LambdaTestUserSpec) bool { return spec.Active != nil && !*spec.Active }
	switch {
	case denied(after) && !denied(before):
		return "denied"
	case denied(before) && !denied(after):
		return "reactivated"
	case before.Role != after.Role:
		return "role changed"
	}
	return "changed"
}

// auditLeftOut writes the line about a request of which only the denial was applied.
func (s *Server) auditLeftOut(r *request, user *v1alpha1.LambdaTestUser, leftOut error) {
	s.options.Audit.Write(audit.Line{
		Event: audit.DeniedInPart, Namespace: user.Namespace, Organization: r.organization().Name,
		Resource: v1alpha1.UserKind + "/" + user.Name, UID: string(user.UID),
		Reason: string(problemOf(leftOut).Kind), TokenKey: r.grant.Token.Key,
	}, user.Spec.UserName)
}

// auditToken writes the line about a token that was used, or refused, for the first time.
func (s *Server) auditToken(event audit.Event, grant *token.Grant, reason string) {
	s.options.Audit.Write(audit.Line{
		Event: event, Namespace: grant.Organization.Namespace, Organization: grant.Organization.Name,
		Resource: "Secret/" + grant.Organization.SCIMTokenSecretName(), TokenKey: grant.Token.Key, Reason: reason,
	}, "")
}

// auditRefusal writes the line about a token that is in a Secret and is refused, once for each replica, token and reason.
func (s *Server) auditRefusal(r *http.Request) {
	presented, ok := bearerToken(r)
	if !ok {
		return
	}
	grant, reason := s.tokens.FindRefused(presented)
	if grant == nil {
		return
	}
	id := string(grant.Organization.UID) + "/" + grant.Token.Key + "/" + reason
	if _, known := s.refusedTokens.LoadOrStore(id, true); !known {
		s.auditToken(audit.TokenRefused, grant, reason)
	}
}
