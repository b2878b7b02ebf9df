// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

// tokensChanged reports what is wrong with tokens: in a metric while it lasts, in a log line and an event when it begins. Every replica has
// metric and log; the leader alone writes the event. The controllers set the condition of the organization.
func (s *Server) tokensChanged(notices []token.Notice, table *token.Table) {
	s.metrics.tokensChanged(notices, table)
	s.logged = news(notices, s.logged, func(n token.Notice) {
		s.log.Info("SCIM token", "namespace", n.Organization.Namespace, "organization", n.Organization.Name, "reason", n.Reason, "message", n.Message)
	})
	if !s.leads() {
		return
	}
	s.told = news(notices, s.told, func(n token.Notice) {
		s.options.Recorder.Eventf(n.Organization, nil, corev1.EventTypeWarning, n.Reason, "LoadTokens", "%s", n.Message)
	})
}

// news visits the notices that are not known yet, and returns those that are now.
func news(notices []token.Notice, known map[string]bool, visit func(token.Notice)) map[string]bool {
	current := make(map[string]bool, len(notices))
	for _, n := range notices {
		id := string(n.Organization.UID) + "/" + n.Key + "/" + n.Message
		if !known[id] && !current[id] {
			visit(n)
		}
		current[id] = true
	}
	return current
}

func (s *Server) leads() bool {
	if s.options.Elected == nil {
		return true
	}
	select {
	case <-s.options.Elected:
		return true
	default:
		return false
	}
}

// reloadOnceLeading loads the tokens again when this replica takes the lead: it wrote no event about what it saw before.
func (s *Server) reloadOnceLeading(ctx context.Context) {
	if s.leads() {
		return
	}
	select {
	case <-ctx.Done():
	case <-s.options.Elected:
		s.tokens.Reload()
	}
}
