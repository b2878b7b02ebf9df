// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/deletion"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// releaseLeaving releases the claims being deleted whose going needs no call:
//
//   - those that only observed;
//   - all of them when another claim stays: a hand-over;
//   - all of them when every one says Orphan;
//   - all of them when the organization is gone for good: nobody could be called any more.
//
// What is left is the last claims about a person who is to be deactivated.
func (r *Reconciler) releaseLeaving(ctx context.Context, w *work) error {
	if len(w.Leaving) == 0 {
		return nil
	}
	if err := r.guardDeparture(ctx, w); err != nil {
		return err
	}
	why, all := w.leavesWithoutCall()
	if all {
		// Without a finalizer the claim that takes over could be deleted without a deactivation of the account.
		if err := r.ensureFinalizers(ctx, w); err != nil {
			return err
		}
	}
	for _, claim := range w.Leaving {
		if !all && claims.IsFull(claim) {
			continue
		}
		if claims.IsFull(claim) {
			r.Recorder.Eventf(claim, nil, why.Kind, why.Reason, "Release", "%s", why.Text)
		}
		if err := r.release(ctx, w, claim); err != nil {
			return err
		}
	}
	r.warnOfWithdrawal(w)
	return nil
}

// leavesWithoutCall says whether all claims go without a call, and what to tell.
func (w *work) leavesWithoutCall() (status.Note, bool) {
	switch {
	case w.guarded.holding():
		return status.Note{}, false
	case len(w.Living) > 0:
		return status.Normal("HandedOver", "The account stays: "+claims.Reference(w.Living[0])+" is about the same person."), true
	case w.Desired.Fate == claims.FateLeft:
		return status.Normal("Orphaned", "The account was left as it is: deletionPolicy is Orphan."), true
	case w.organization == nil:
		return status.Warning(v1alpha1.OrganizationNotFoundReason,
			"The account was left as it is, for its organization is gone: deactivate it at LambdaTest if need be."), true
	}
	return status.Note{}, false
}

// release takes the finalizer away: the claim may go.
func (r *Reconciler) release(ctx context.Context, w *work, claim *v1alpha1.LambdaTestUser) error {
	updated := claim.DeepCopy()
	controllerutil.RemoveFinalizer(updated, v1alpha1.Finalizer)
	patch := client.MergeFromWithOptions(claim, client.MergeFromWithOptimisticLock{})
	if err := client.IgnoreNotFound(r.Client.Patch(ctx, updated, patch)); err != nil {
		return fmt.Errorf("removing finalizer: %w", err)
	}
	w.released[claim.UID] = true
	return nil
}

// releaseAll lets the claims go that waited for their account.
func (r *Reconciler) releaseAll(ctx context.Context, w *work) error {
	for _, claim := range w.Leaving {
		if err := r.release(ctx, w, claim); err != nil {
			return err
		}
	}
	return nil
}

// warnOfWithdrawal tells that somebody may sign in again because a resource that denied it was deleted.
func (r *Reconciler) warnOfWithdrawal(w *work) {
	if len(w.Living) == 0 || w.Denial != nil {
		return
	}
	for _, claim := range w.Leaving {
		if claims.IsFull(claim) && claim.IsDenial() {
			connection.DenialsWithdrawn.WithLabelValues(w.key.Namespace, w.key.Organization).Inc()
			r.Recorder.Eventf(w.Living[0], claim, corev1.EventTypeWarning, "DenialWithdrawn", "Activate",
				"%s denied this person and was deleted: the person may sign in again.", claims.Reference(claim))
		}
	}
}

// terminating tells whether the claims go because their namespace or their definition does. Then nobody asked for a deactivation.
func (r *Reconciler) terminating(ctx context.Context, w *work) (bool, error) {
	if w.Desired.Fate != claims.FateDeactivated {
		return false, nil
	}
	return r.Registry.Terminations.Any(ctx, r.Live, w.key.Namespace, deletion.UsersCRD)
}

// orphan lets everybody go without a call.
func (r *Reconciler) orphan(ctx context.Context, w *work, terminating bool) error {
	if !terminating {
		return nil
	}
	return r.releaseAll(ctx, w)
}
