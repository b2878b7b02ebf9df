// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"errors"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
)

// auditLine is a line about the person, whose resource is the claim.
func (w *work) auditLine(event audit.Event, claim *v1alpha1.LambdaTestUser) audit.Line {
	return audit.Line{
		Event: event, Namespace: w.key.Namespace, Organization: w.key.Organization,
		Resource: claims.Reference(claim), UID: string(claim.UID), Account: w.accountID(),
	}
}

// audit writes a line about the person.
func (r *Reconciler) audit(w *work, line audit.Line) {
	r.Registry.Options.Audit.Write(line, w.spelled())
}

// auditCall writes the line about the call that was made. One that was not made has none.
func (r *Reconciler) auditCall(w *work, err error) {
	if !w.next.mutates() || errors.Is(err, connection.ErrNotCalled) {
		return
	}
	claim := w.speaker()
	line := w.auditLine(audit.Called, claim)
	if w.next.id != "" {
		line.Account = w.next.id
	}
	line.Call, line.Changes, line.Because = w.next.callName(), w.next.changes(), w.because()
	line.Outcome = connection.AuditOutcome(err)
	line.Sent, line.Done = audit.At(w.calledAt), audit.At(w.connection.Options.Now())
	line.Decided = audit.At(w.decidedAt(claim))
	if w.given.settled {
		line.Reason = v1alpha1.DriftedReason // what is set back was changed at LambdaTest
	}
	r.audit(w, line)
}

// callName is the call that a change makes, as metrics name it.
func (c change) callName() string {
	switch c.step {
	case stepCreate:
		return "CreateUser"
	case stepUpdate:
		return "UpdateUser"
	case stepDeactivate:
		return "DeactivateUser"
	case stepProve:
		return "GetUser"
	case stepNone, stepAwait, stepLookUp:
	}
	return "FindUser"
}

// changes are what a change sets, for the audit log, without an address.
func (c change) changes() []audit.Change {
	var changes []audit.Change
	set := func(attribute, to string) {
		if to != "" {
			changes = append(changes, audit.Change{Attribute: attribute, To: to})
		}
	}
	switch c.step {
	case stepCreate:
		set("active", strconv.FormatBool(c.create.Active))
		set("role", c.create.Role)
		set("concurrencyGroup", c.create.ConcurrencyGroup)
	case stepUpdate:
		for _, difference := range c.differences {
			if c.sets(difference.Attribute) {
				changes = append(changes, audit.Change(difference))
			}
		}
	case stepDeactivate:
		changes = []audit.Change{{Attribute: "active", From: "true", To: "false"}}
	case stepNone, stepAwait, stepLookUp, stepProve:
	}
	return changes
}

// sets tells whether an update sets an attribute. It may leave out what LambdaTest refused together with a denial.
func (c change) sets(attribute string) bool {
	switch attribute {
	case "active":
		return c.update.Active != nil
	case "role":
		return c.update.Role != nil
	}
	return c.update.ConcurrencyGroup != nil
}

// because names the resources that decided the planned change.
func (w *work) because() []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	effective, next := w.Desired.Effective, w.next
	switch {
	case next.step == stepDeactivate:
		for _, claim := range w.Leaving {
			add(claims.Reference(claim))
		}
		return names
	case next.step == stepCreate, next.update.Active != nil && *next.update.Active:
		add(claims.Reference(w.speaker()))
	case next.update.Active != nil:
		add(effective.ActiveFrom)
	}
	if next.update.Role != nil || next.create.Role != "" {
		add(effective.RoleFrom)
	}
	if next.concurrencyGroup() != "" {
		add(effective.ConcurrencyGroupFrom)
	}
	return names
}

// speaker is the claim that events about the person's account are recorded on: the one that denies, or the first one.
func (w *work) speaker() *v1alpha1.LambdaTestUser {
	switch {
	case w.Denial != nil:
		return w.Denial
	case len(w.Living) > 0:
		return w.Living[0]
	}
	return w.Claims[0]
}

// decidedAt is when a claim came to say what it says, as far as that is known: zero otherwise.
func (w *work) decidedAt(claim *v1alpha1.LambdaTestUser) time.Time {
	written, err := time.Parse(time.RFC3339, claim.Annotations[v1alpha1.LastModifiedAnnotation])
	switch {
	case !claim.DeletionTimestamp.IsZero():
		return claim.DeletionTimestamp.Time
	case claim == w.Denial:
		return w.deniedAt()
	case v1alpha1.IsSCIM(claim) && err == nil:
		return written
	case claim.Generation == 1:
		return claim.CreationTimestamp.Time
	}
	return time.Time{}
}

// auditStatus writes the lines about what the status of a claim says since it was written: a denial, its completion, its end.
func (r *Reconciler) auditStatus(w *work, before, after *v1alpha1.LambdaTestUser) {
	was, is := before.Status, after.Status
	if was.DeniedAt == nil && is.DeniedAt != nil {
		line := w.auditLine(audit.Denied, after)
		line.Decided = at(is.DeniedAt)
		r.audit(w, line)
	}
	if was.OffAt == nil && is.OffAt != nil {
		line := w.auditLine(audit.DenialDone, after)
		line.Decided, line.Done = at(is.DeniedAt), at(is.OffAt)
		r.audit(w, line)
	}
	if was.DeniedAt != nil && is.DeniedAt == nil {
		r.auditEnd(w, before, "")
	}
}

// auditEnd writes the line about a claim that denied, and does not deny any more or is gone.
func (r *Reconciler) auditEnd(w *work, claim *v1alpha1.LambdaTestUser, reason string) {
	if claim.Status.DeniedAt == nil {
		return
	}
	line := w.auditLine(audit.DenialEnded, claim)
	line.Decided, line.Reason = at(claim.Status.DeniedAt), reason
	r.audit(w, line)
}

func at(stored *metav1.Time) *time.Time {
	if stored == nil {
		return nil
	}
	return audit.At(stored.Time)
}
