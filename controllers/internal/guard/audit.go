// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"bytes"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// line is a line about the guard of the organization.
func (g *Guard) line(event audit.Event, entries []string) audit.Line {
	line := audit.Line{
		Event: event, Namespace: g.organization.Namespace, Organization: g.organization.Name,
		Resource: v1alpha1.OrganizationKind + "/" + g.organization.Name, Entries: entries,
	}
	line.People = int(newList(entries...).people())
	return line
}

// auditVerdict writes the line about a request that was held, or admitted within the limit.
func (g *Guard) auditVerdict(question answered) {
	switch question.verdict {
	case Held:
		g.Audit.Write(g.line(audit.GuardHeld, question.Entries), "")
	case Admitted:
		g.Audit.Write(g.line(audit.GuardAdmitted, question.Entries), "")
	case Rejected, Deferred, Pending:
	}
}

// auditDecision writes the line about an approval or a rejection.
func (g *Guard) auditDecision(proposal proposal, made settlement) {
	event := audit.GuardApproved
	switch {
	case made.decision != decided:
		event = audit.GuardRefused
	case proposal.annotation == v1alpha1.RejectDeprovisionAnnotation:
		event = audit.GuardRejected
	}
	line := g.line(event, made.entries)
	line.Token, line.By, line.Reason = status.Shorten(status.MaxToken, proposal.asked().Token), made.by, made.reason()
	g.Audit.Write(line, "")
}

// fieldManager names the client that wrote an annotation, if it is still there.
func fieldManager(organization *v1alpha1.LambdaTestOrganization, annotation string) string {
	for _, entry := range organization.ManagedFields {
		if entry.FieldsV1 != nil && bytes.Contains(entry.FieldsV1.GetRawBytes(), []byte(`"f:`+annotation+`"`)) {
			return "field manager " + entry.Manager
		}
	}
	return "unknown"
}
