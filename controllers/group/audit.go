// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
)

// auditCall writes the line about a call that was to turn a group at LambdaTest from what it was into what it should be. A call that was not
// made has none.
func (r *Reconciler) auditCall(w *work, call string, sent time.Time, from, to groups.Wish, err error) {
	if errors.Is(err, connection.ErrNotCalled) {
		return
	}
	line := audit.Line{
		Event: audit.Called, Namespace: w.group.Namespace, Organization: w.group.Spec.OrganizationRef.Name,
		Resource: claims.GroupReference(w.group), UID: string(w.group.UID), Group: w.id,
		Call: call, Changes: changesBetween(from, to), Outcome: connection.AuditOutcome(err), Because: []string{claims.GroupReference(w.group)},
		Sent: audit.At(sent), Done: audit.At(r.Registry.Options.Now()),
	}
	if w.next.id != "" {
		line.Group = w.next.id
	}
	if deleted := w.group.DeletionTimestamp; deleted != nil {
		line.Decided = audit.At(deleted.Time)
	}
	r.Registry.Options.Audit.Write(line, "")
}

// maxAuditedMembers is how many ids of accounts a line about a group names.
const maxAuditedMembers = 100

// changesBetween are the differences between two states of a group; members are ids of accounts.
func changesBetween(from, to groups.Wish) []audit.Change {
	var changes []audit.Change
	if from.DisplayName != to.DisplayName {
		changes = append(changes, audit.Change{Attribute: "displayName", From: from.DisplayName, To: to.DisplayName})
	}
	if !slices.Equal(from.Roles, to.Roles) {
		changes = append(changes, audit.Change{Attribute: "roles", From: joined(from.Roles), To: joined(to.Roles)})
	}
	removed, added := groups.Missing(from.Members, to.Members), groups.Missing(to.Members, from.Members)
	if len(removed)+len(added) > 0 {
		changes = append(changes, audit.Change{Attribute: "members", From: listed(removed), To: listed(added)})
	}
	return changes
}

// listed names the first accounts of a list.
func listed(ids []string) string {
	if more := len(ids) - maxAuditedMembers; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(ids[:maxAuditedMembers], ","), more)
	}
	return strings.Join(ids, ",")
}
