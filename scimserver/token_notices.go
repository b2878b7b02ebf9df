// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"

	corev1 "k8s.io/api/core/v1"
)

// tokensChanged tells people what is wrong with tokens: a metric as long as it is so, a log line and an event when it becomes so. Every
// replica has metric and log, the leader alone writes the event. The controllers set the organization's condition.
func (s *Server) tokensChanged(notices []tokenNotice, table tokenTable) {
	s.metrics.tokensChanged(notices, table)
	s.logged = news(notices, s.logged, func(n tokenNotice) {
		s.log.Info("SCIM token", "namespace", n.organization.Namespace, "organization", n.organization.Name, "reason", n.reason, "message", n.message)
	})
	if !s.leads() {
		return
	}
	s.told = news(notices, s.told, func(n tokenNotice) {
		s.options.Recorder.Eventf(n.organization, nil, corev1.EventTypeWarning, n.reason, "LoadTokens", "%s", n.message)
	})
}

// news visits the notices that are not known yet, and returns those that are now.
func news(notices []tokenNotice, known map[string]bool, visit func(tokenNotice)) map[string]bool {
	current := make(map[string]bool, len(notices))
	for _, n := range notices {
		id := string(n.organization.UID) + "/" + n.key + "/" + n.message
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

// tellOnceLeading loads the tokens again when this replica takes the lead: what it saw before was told by the leader before, or by none.
func (s *Server) tellOnceLeading(ctx context.Context) {
	if s.leads() {
		return
	}
	select {
	case <-ctx.Done():
	case <-s.options.Elected:
		s.tokens.awaken()
	}
}
