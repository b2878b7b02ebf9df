// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/deletion"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// releaseLeaving releases the claims being deleted that need no call:
//
//   - those that only observe;
//   - all of them when another claim stays: a hand-over;
//   - all of them when every one says Orphan;
//   - all of them when the organization is gone for good: no call is possible any more.
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
		switch {
		case !claims.IsFull(claim):
		case !all:
			continue
		default:
			r.Recorder.Eventf(claim, nil, why.Kind, why.Reason, "Release", "%s", why.Text)
		}
		if err := r.release(ctx, w, claim); err != nil {
			return err
		}
	}
	r.warnOfWithdrawal(w)
	return nil
}

// leavesWithoutCall says whether all claims being deleted need no call, and the event that says why.
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
			"The account was left as it is, because its organization is gone: deactivate it at LambdaTest if need be."), true
	}
	return status.Note{}, false
}

func (r *Reconciler) release(ctx context.Context, w *work, claim *v1alpha1.LambdaTestUser) error {
	_, err := status.Release(ctx, r.Client, &r.releases, claim)
	if err == nil && !w.released.Has(claim.UID) {
		w.released.Insert(claim.UID)
		r.auditEnd(w, claim, "Deleted")
	}
	return err
}

// warnOfWithdrawal records that a person may sign in again because a resource that denied them was deleted.
func (r *Reconciler) warnOfWithdrawal(w *work) {
	if len(w.Living) == 0 || w.Denial != nil {
		return
	}
	for _, claim := range w.Leaving {
		if claims.IsFull(claim) && claim.IsDenial() {
			r.denialWithdrawn(w.Living[0], claim)
		}
	}
}

func (r *Reconciler) denialWithdrawn(living, denial *v1alpha1.LambdaTestUser) {
	key := claims.KeyOf(denial)
	connection.DenialsWithdrawn.WithLabelValues(key.Namespace, key.Organization).Inc()
	r.Recorder.Eventf(living, denial, corev1.EventTypeWarning, "DenialWithdrawn", "Activate",
		"%s denied this person and was deleted: the person may sign in again.", claims.Reference(denial))
}

// reportVanished reports a claim that disappeared although the operator did not release it. Nothing asked the guard before.
func (r *Reconciler) reportVanished(ctx context.Context, gone *v1alpha1.LambdaTestUser, unseen bool) {
	if !claims.IsFull(gone) {
		return
	}
	key := claims.KeyOf(gone)
	reported := r.Registry.ReportVanished(ctx, connection.Vanished{
		Object: gone, Organization: key.OrganizationKey(), People: 1, Unseen: unseen,
		Note: claims.Reference(gone) + " disappeared because another client removed its finalizer, so the guard could only count this person. " +
			"If no other resource claims the person, LambdaTest's account stays as it is: let Git or the identity provider write the resource again, or deactivate the account at LambdaTest.",
	})
	if !reported || !gone.IsDenial() {
		return
	}
	others, err := claims.About(ctx, r.Client, key)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "No event about a denial that disappeared", "user", gone.Name)
		return
	}
	others = slices.DeleteFunc(others, func(claim *v1alpha1.LambdaTestUser) bool { return claim.UID == gone.UID })
	if left := claims.Merge(others, claims.GroupRole{}, ""); len(left.Living) > 0 && left.Denial == nil {
		r.denialWithdrawn(left.Living[0], gone)
	}
}

// terminating tells whether the claims are deleted with their namespace or their definition. Then no user asked for a deactivation.
func (r *Reconciler) terminating(ctx context.Context, w *work) (bool, error) {
	if w.Desired.Fate != claims.FateDeactivated {
		return false, nil
	}
	return r.Registry.Terminations.Any(ctx, r.Live, w.key.Namespace, deletion.UsersCRD)
}

// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestgroups,verbs=get;list;watch;update;patch

// collect deletes the mark of a person whom the identity provider deleted, once the account has been off for the retention time and no
// other claim is there: first it leaves the provider's groups, then it deletes the resource. It returns when to try again; zero is never.
func (r *Reconciler) collect(ctx context.Context, w *work, now status.Outcome) (time.Duration, error) {
	if now.Readiness != status.Ready || len(w.Living) != 1 || w.Denial == nil || !w.Denial.IsMarkedDeleted() {
		return 0, nil
	}
	mark := w.Denial
	// The account has been off since the mark, or since the denial was carried out.
	since := mark.Spec.DeletedAt.Time
	if condition := status.ReadyCondition(mark); condition != nil && condition.LastTransitionTime.After(since) {
		since = condition.LastTransitionTime.Time
	}
	if left := since.Add(r.MarkRetention).Sub(r.Registry.Options.Now()); left > 0 {
		return left, nil
	}
	if err := r.leaveGroups(ctx, w); err != nil {
		return 0, err
	}
	// If the provider revives the person meanwhile, the resource has changed and the deletion fails: the revival wins.
	unchanged := client.Preconditions{UID: &mark.UID, ResourceVersion: &mark.ResourceVersion}
	if err := client.IgnoreNotFound(r.Client.Delete(ctx, mark, unchanged)); err != nil {
		return 0, fmt.Errorf("deleting a mark: %w", err)
	}
	return 0, nil
}

// leaveGroups removes a person from the groups that the SCIM endpoint keeps.
func (r *Reconciler) leaveGroups(ctx context.Context, w *work) error {
	var groups v1alpha1.LambdaTestGroupList
	ours := client.MatchingLabels{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
	if err := r.Client.List(ctx, &groups, client.InNamespace(w.key.Namespace), ours); err != nil {
		return fmt.Errorf("listing groups: %w", err)
	}
	isPerson := func(member string) bool { return v1alpha1.FoldUserName(member) == w.user }
	for i := range groups.Items {
		group := &groups.Items[i]
		if group.Spec.OrganizationRef.Name != w.key.Organization || !slices.ContainsFunc(group.Spec.Members, isPerson) {
			continue
		}
		without := group.DeepCopy()
		without.Spec.Members = slices.DeleteFunc(without.Spec.Members, isPerson)
		metav1.SetMetaDataAnnotation(&without.ObjectMeta, v1alpha1.LastModifiedAnnotation, r.Registry.Options.Now().UTC().Format(time.RFC3339))
		if err := r.Client.Patch(ctx, without, client.MergeFromWithOptions(group, client.MergeFromWithOptimisticLock{})); err != nil {
			return fmt.Errorf("leaving a group: %w", err)
		}
	}
	return nil
}

// retireImports deletes what an import created about a person who has another claim now.
func (r *Reconciler) retireImports(ctx context.Context, w *work) error {
	if len(w.Living) == 0 {
		return nil
	}
	for _, claim := range w.Claims {
		if v1alpha1.IsImported(claim) && !claims.IsFull(claim) {
			if err := claims.DeleteImported(ctx, r.Client, claim); err != nil {
				return err
			}
		}
	}
	return nil
}
