// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import corev1 "k8s.io/api/core/v1"

// tokensChanged tells people what is wrong with tokens: a metric as long as it is so, a log line and an event when it becomes so. The
// controllers set the organization's condition.
func (s *Server) tokensChanged(notices []tokenNotice, table tokenTable) {
	s.metrics.tokensChanged(notices, table)
	current := make(map[string]bool, len(notices))
	for _, n := range notices {
		id := string(n.organization.UID) + "/" + n.key + "/" + n.message
		current[id] = true
		if s.told[id] {
			continue
		}
		s.log.Info("SCIM token", "namespace", n.organization.Namespace, "organization", n.organization.Name, "reason", n.reason, "message", n.message)
		s.options.Recorder.Eventf(n.organization, nil, corev1.EventTypeWarning, n.reason, "LoadTokens", "%s", n.message)
	}
	s.told = current
}
