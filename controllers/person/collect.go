// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestgroups,verbs=get;list;watch;update;patch

// collect removes the mark of a person whom the identity provider deleted, once the account has been off for the retention time and
// nobody else claims the person: first out of the provider's groups, then the resource. It returns when to look again; zero is never.
func (r *Reconciler) collect(ctx context.Context, w *work, now status.Outcome) (time.Duration, error) {
	if now.Readiness != status.Ready || len(w.Living) != 1 || w.Denial == nil || !w.Denial.IsMarkedDeleted() {
		return 0, nil
	}
	mark := w.Denial
	if left := offSince(mark).Add(r.MarkRetention).Sub(r.Registry.Options.Now()); left > 0 {
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

// offSince is since when the account has been off at the latest: the mark, or when the denial was carried out.
func offSince(mark *v1alpha1.LambdaTestUser) time.Time {
	since := mark.Spec.DeletedAt.Time
	if condition := status.ReadyCondition(mark); condition != nil && condition.LastTransitionTime.After(since) {
		since = condition.LastTransitionTime.Time
	}
	return since
}

// leaveGroups takes a person out of the groups that the SCIM endpoint keeps.
func (r *Reconciler) leaveGroups(ctx context.Context, w *work) error {
	var groups v1alpha1.LambdaTestGroupList
	ours := client.MatchingLabels{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
	if err := r.Client.List(ctx, &groups, client.InNamespace(w.key.Namespace), ours); err != nil {
		return fmt.Errorf("listing groups: %w", err)
	}
	for i := range groups.Items {
		group := &groups.Items[i]
		if group.Spec.OrganizationRef.Name != w.key.Organization {
			continue
		}
		without := group.DeepCopy()
		without.Spec.Members = slices.DeleteFunc(without.Spec.Members, func(member string) bool {
			return v1alpha1.FoldUserName(member) == w.user
		})
		if len(without.Spec.Members) == len(group.Spec.Members) {
			continue
		}
		patch := client.MergeFromWithOptions(group, client.MergeFromWithOptimisticLock{})
		metav1.SetMetaDataAnnotation(&without.ObjectMeta, v1alpha1.LastModifiedAnnotation, r.Registry.Options.Now().UTC().Format(time.RFC3339))
		if err := r.Client.Patch(ctx, without, patch); err != nil {
			return fmt.Errorf("leaving a group: %w", err)
		}
	}
	return nil
}

// retireImports deletes what an import created about a person whom somebody claims now.
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
