// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
)

// reportAdmin records an event and an audit line when the account of a person has become an active Admin since a status was written: by which
// resource, or at LambdaTest.
func (r *Reconciler) reportAdmin(w *work, before, after *v1alpha1.LambdaTestUser) {
	isAdmin := func(account *v1alpha1.AccountState) bool {
		return account != nil && account.Active && account.Role == string(v1alpha1.RoleAdmin)
	}
	was := before.Status.Account
	if after.UID != w.speaker().UID || !isAdmin(after.Status.Account) || isAdmin(was) || was == nil && !w.created {
		return
	}
	line, effective := w.auditLine(audit.BecameAdmin, after), w.Desired.Effective
	switch effective.Role {
	case v1alpha1.RoleAdmin:
		line.Because = []string{effective.RoleFrom}
		r.Recorder.Eventf(after, nil, corev1.EventTypeNormal, "BecameAdmin", "Reconcile", "The person is an active Admin now: the role is by %s.", effective.RoleFrom)
	case "":
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, "BecameAdmin", "Reconcile",
			"The person was made Admin at LambdaTest. No resource decides the role, so it stays: to change it, set spec.role.")
	default:
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, "BecameAdmin", "Reconcile",
			"The person was made Admin at LambdaTest, while %s says %s.", effective.RoleFrom, effective.Role)
	}
	r.audit(w, line)
}

// reportActivation records an event and an audit line when the account of a denied person, which had been off, was switched on at LambdaTest. It is
// called when the operator has switched it off again.
func (r *Reconciler) reportActivation(w *work, claim *v1alpha1.LambdaTestUser) {
	if !w.given.settled || !w.Desired.Denies() || w.next.update.Active == nil {
		return
	}
	r.Recorder.Eventf(claim, nil, corev1.EventTypeWarning, string(audit.ActivatedAtLambdaTest), "Update",
		"The account of this denied person was switched on at LambdaTest, not by the operator. The operator has switched it off again. The audit log of LambdaTest may say who did it.")
	line := w.auditLine(audit.ActivatedAtLambdaTest, claim)
	line.Because = []string{claims.Reference(claim)}
	r.audit(w, line)
}

// overruled ends the message of a claim whose role does not count, because another resource decides it.
func (w *work) overruled(claim *v1alpha1.LambdaTestUser) string {
	says, is := claim.Spec.Role, w.Desired.Effective
	if says == "" || says == is.Role || is.RoleFrom == "" || is.RoleFrom == claims.Reference(claim) || w.Desired.Denies() {
		return ""
	}
	return fmt.Sprintf(" The role is %s by %s; this resource says %s.", is.Role, is.RoleFrom, says)
}
