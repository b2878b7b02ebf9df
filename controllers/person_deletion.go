// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// letGo releases the claims being deleted whose going needs no call:
//
//   - those that only observed;
//   - all of them when another claim stays: a hand-over;
//   - all of them when every one says Orphan;
//   - all of them when the organization is gone for good: nobody could be called any more.
//
// What is left is the last claims about a person who is to be deactivated.
func (r *PersonReconciler) letGo(ctx context.Context, w *personWork) error {
	if len(w.leaving) == 0 {
		return nil
	}
	if err := r.guardDeparture(ctx, w); err != nil {
		return err
	}
	why, all := w.farewell()
	if all {
		// Without a finalizer, the claim that takes over could go without the account being deactivated.
		if err := r.ensureFinalizers(ctx, w); err != nil {
			return err
		}
	}
	for _, claim := range w.leaving {
		if !all && isFull(claim) {
			continue
		}
		if isFull(claim) {
			r.recorder.Eventf(claim, nil, why.kind, why.reason, "Release", "%s", why.note)
		}
		if err := r.release(ctx, w, claim); err != nil {
			return err
		}
	}
	r.warnOfWithdrawal(w)
	return nil
}

// note is an event about a claim that goes.
type note struct{ kind, reason, note string }

// farewell says whether all claims go without a call, and what to tell.
func (w *personWork) farewell() (note, bool) {
	switch {
	case w.guarded.holding():
		return note{}, false
	case len(w.living) > 0:
		return note{corev1.EventTypeNormal, "HandedOver", "The account stays: " + claimReference(w.living[0]) + " is about the same person."}, true
	case w.desired.fate == fateLeft:
		return note{corev1.EventTypeNormal, "Orphaned", "The account was left as it is: deletionPolicy is Orphan."}, true
	case w.organization == nil:
		return note{
			corev1.EventTypeWarning, v1alpha1.OrganizationNotFoundReason,
			"The account was left as it is, for its organization is gone: deactivate it at LambdaTest if need be.",
		}, true
	}
	return note{}, false
}

// release takes the finalizer away: the claim may go.
func (r *PersonReconciler) release(ctx context.Context, w *personWork, claim *v1alpha1.LambdaTestUser) error {
	updated := claim.DeepCopy()
	controllerutil.RemoveFinalizer(updated, v1alpha1.Finalizer)
	patch := client.MergeFromWithOptions(claim, client.MergeFromWithOptimisticLock{})
	if err := client.IgnoreNotFound(r.client.Patch(ctx, updated, patch)); err != nil {
		return fmt.Errorf("removing finalizer: %w", err)
	}
	w.released[claim.UID] = true
	return nil
}

// releaseAll lets the claims go that waited for their account.
func (r *PersonReconciler) releaseAll(ctx context.Context, w *personWork) error {
	for _, claim := range w.leaving {
		if err := r.release(ctx, w, claim); err != nil {
			return err
		}
	}
	return nil
}

// warnOfWithdrawal tells that somebody may sign in again because a resource that denied it was deleted.
func (r *PersonReconciler) warnOfWithdrawal(w *personWork) {
	if len(w.living) == 0 || w.denial != nil {
		return
	}
	for _, claim := range w.leaving {
		if isFull(claim) && claim.IsDenial() {
			denialsWithdrawn.WithLabelValues(w.key.Namespace, w.key.Organization).Inc()
			r.recorder.Eventf(w.living[0], claim, corev1.EventTypeWarning, "DenialWithdrawn", "Activate",
				"%s denied this person and was deleted: the person may sign in again.", claimReference(claim))
		}
	}
}

// terminating tells whether the claims go because their namespace or their definition does. Then nobody asked for a deactivation.
func (r *PersonReconciler) terminating(ctx context.Context, w *personWork) (bool, error) {
	if w.desired.fate != fateDeactivated {
		return false, nil
	}
	return r.connections.terminations.any(ctx, r.live, w.key.Namespace, usersCRD)
}

// orphan lets everybody go without a call.
func (r *PersonReconciler) orphan(ctx context.Context, w *personWork, terminating bool) error {
	if !terminating {
		return nil
	}
	return r.releaseAll(ctx, w)
}
