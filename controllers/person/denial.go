// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// deniedSince is since when a claim has denied. status.deniedAt keeps the first answer, so that later changes of the claim do not move it:
//
//   - for a claim of the SCIM endpoint the time of its last write, which is the denial when the operator first sees it;
//   - for a declared claim that never changed the time of its creation;
//   - for a claim that denied before status had this field the time at which the operator last reported something new about it;
//   - otherwise now, when the operator sees the change.
func deniedSince(claim *v1alpha1.LambdaTestUser, now time.Time) time.Time {
	if claim.Status.DeniedAt != nil {
		return claim.Status.DeniedAt.Time
	}
	written, err := time.Parse(time.RFC3339, claim.Annotations[v1alpha1.LastModifiedAnnotation])
	ready := status.ReadyCondition(claim)
	switch {
	case v1alpha1.IsSCIM(claim) && err == nil:
		now = written
	case claim.IsMarkedDeleted():
		now = claim.Spec.DeletedAt.Time
	case claim.Generation == 1:
		now = claim.CreationTimestamp.Time
	case ready != nil && claim.Status.ObservedGeneration == claim.Generation:
		now = ready.LastTransitionTime.Time
	}
	return now.UTC().Truncate(time.Second)
}

// noteDenial keeps in the status of a claim since when it denies, and when the person was first found without an active account after that.
// Both are written once for each denial, and removed when the claim does not deny any more.
func (w *work) noteDenial(claim *v1alpha1.LambdaTestUser) {
	into := &claim.Status
	if !claims.IsFull(claim) || !claim.IsDenial() {
		into.DeniedAt, into.OffAt = nil, nil
		return
	}
	if into.DeniedAt == nil {
		into.DeniedAt = new(metav1.NewTime(deniedSince(claim, w.now)))
	}
	if into.OffAt == nil && w.isOff() {
		into.OffAt = new(metav1.NewTime(w.now.UTC().Truncate(time.Second)))
		if into.OffAt.Before(into.DeniedAt) { // the clocks of the replicas differ
			into.OffAt = into.DeniedAt.DeepCopy()
		}
	}
}

// isOff tells whether LambdaTest has shown that the person, who is to have no access, has none.
func (w *work) isOff() bool {
	_, known := w.observedAccount()
	return known && w.Desired.Denies() && w.next.step == stepNone && !w.isActive()
}

// isActive tells whether an account of the person was on when LambdaTest showed it last.
func (w *work) isActive() bool {
	account, _ := w.observedAccount()
	return account != nil && account.Active || w.connection != nil && w.connection.Accounts.IsActive(w.user)
}

// isPending tells whether the person is to lose access, and LambdaTest has not confirmed that.
func (w *work) isPending() bool {
	account, _ := w.observedAccount()
	return w.Desired.Denies() && !w.guarded.implicit() && w.next.step != stepNone && (w.isActive() || account == nil)
}

// deniedButActive is the outcome for a person who is denied and can still sign in, or may be able to, whatever keeps the denial from being
// carried out. Other outcomes stay as they are.
func (w *work) deniedButActive(because status.Outcome) status.Outcome {
	trouble := because.Readiness == status.Progressing || because.Readiness == status.Stalled
	pending := w.isPending() || w.organization == nil && w.Desired.Denies() && w.mayBeActive()
	if w.Desired.Fate != claims.FateKept || !trouble || !pending || w.guarded.waits() {
		return because
	}
	account, can := "the person", "may still be able to"
	if w.isActive() {
		can = "can still"
	}
	if id := w.accountID(); id != "" {
		account = "account " + id
		if role := w.role(); role != "" {
			account += " (" + role + ")"
		}
	}
	by := "This person is denied"
	if w.Denial != nil {
		by = fmt.Sprintf("%s has denied this person since %s", claims.Reference(w.Denial), shownTime(w.deniedAt()))
	}
	because.Message = fmt.Sprintf("%s, and %s %s sign in: %s", by, account, can, because.Message)
	if because.Reason != v1alpha1.DeniedButActiveReason {
		because.Message += " If the denial cannot wait, deactivate the person by hand at LambdaTest."
	}
	w.trouble, because.Reason = because.Reason, v1alpha1.DeniedButActiveReason
	return because
}

// role is the role of the account as LambdaTest last showed it.
func (w *work) role() string {
	if account, _ := w.observedAccount(); account != nil {
		return status.ShownValue(account.Role)
	}
	for _, claim := range w.Claims {
		if claim.Status.Account != nil {
			return claim.Status.Account.Role
		}
	}
	return ""
}

// deniedAt is since when the claim that decides has denied.
func (w *work) deniedAt() time.Time {
	if w.Denial == nil {
		return w.now
	}
	return deniedSince(w.Denial, w.now)
}

func shownTime(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// warnOfPending records an event, once for each denial, when it has been pending for connection.DenialOverdue. It returns when that will be.
func (r *Reconciler) warnOfPending(w *work, now status.Outcome) time.Duration {
	if now.Reason != v1alpha1.DeniedButActiveReason || w.connection == nil || w.Denial == nil {
		return 0
	}
	if left := w.deniedAt().Add(connection.DenialOverdue).Sub(w.now); left > 0 {
		return left
	}
	if w.connection.Census.Warn(w.user) {
		r.Recorder.Eventf(w.Denial, nil, corev1.EventTypeWarning, v1alpha1.DeniedButActiveReason, "Deny", "%s", now.Message)
		line := w.auditLine(audit.DenialOverdue, w.Denial)
		line.Decided, line.Reason = audit.At(w.deniedAt()), w.trouble
		r.audit(w, line)
	}
	return 0
}
