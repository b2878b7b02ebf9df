// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// SetupWithManager adds the controller to the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("group").
		For(&v1alpha1.LambdaTestGroup{}, builder.WithPredicates(status.IgnoringOwnWrites(&r.written, groupChanged()))).
		Watches(&v1alpha1.LambdaTestGroup{}, r.Families(), builder.WithPredicates(groupChanged())).
		Watches(&v1alpha1.LambdaTestGroup{}, r.vanishing()).
		Watches(&v1alpha1.LambdaTestOrganization{}, handler.EnqueueRequestsFromMapFunc(r.groupsOf), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(r.Registry.Groups.Source()).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.Concurrency}).
		Complete(r)
}

// groupChanged passes what kubectl, Git and providers write, and that the operator's finalizer was removed; status is the operator's own.
func groupChanged() predicate.Predicate {
	released := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool { return status.FinalizerRemoved(e.ObjectOld, e.ObjectNew) }}
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, predicate.LabelChangedPredicate{}, released)
}

// vanishing reports groups that disappear although the operator did not release them. Nothing asked the guard before.
func (r *Reconciler) vanishing() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	report := func(ctx context.Context, gone *v1alpha1.LambdaTestGroup, unseen bool) {
		members, counted := 0, ""
		if len(gone.Spec.Roles) > 0 {
			members = len(claims.MembersOf(gone))
			counted = fmt.Sprintf(", so the guard could only count its %d members, who lose the role that it gave", members)
		}
		r.Registry.ReportVanished(ctx, connection.Vanished{
			Object: gone, Organization: types.NamespacedName{Namespace: gone.Namespace, Name: gone.Spec.OrganizationRef.Name}, People: members, Unseen: unseen,
			Note: claims.GroupReference(gone) + " disappeared because another client removed its finalizer" + counted +
				". LambdaTest's group stays as it is: let Git or the identity provider write the resource again, or delete the group at LambdaTest.",
		})
	}
	return handler.Funcs{
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, _ queue) {
			if r.releases.VanishedBy(e.ObjectOld, e.ObjectNew) {
				report(ctx, e.ObjectNew.(*v1alpha1.LambdaTestGroup), false)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, _ queue) {
			if gone := e.Object.(*v1alpha1.LambdaTestGroup); r.releases.Vanished(gone) {
				report(ctx, gone, e.DeleteStateUnknown)
			}
		},
	}
}

// Families requeues all groups that share the old or the new displayName of a group, because another of them may now be the one that is
// pushed. When a finalizer is removed it also requeues the members, which no longer see the group in the cache.
func (r *Reconciler) Families() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	enqueueFamilies := func(ctx context.Context, q queue, objects ...client.Object) {
		for _, object := range objects {
			group := object.(*v1alpha1.LambdaTestGroup)
			family, err := claims.GroupRoles{Reader: r.Client}.Family(ctx, group)
			if err != nil {
				ctrl.LoggerFrom(ctx).Error(err, "listing the groups of a displayName")
				continue
			}
			for _, other := range family {
				if !claims.SameGroup(other, group) {
					q.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(other)})
				}
			}
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) {
			if !e.IsInInitialList {
				enqueueFamilies(ctx, q, e.Object)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			before, after := e.ObjectOld.(*v1alpha1.LambdaTestGroup), e.ObjectNew.(*v1alpha1.LambdaTestGroup)
			if claims.IsGroupInForce(before) && !claims.IsGroupInForce(after) {
				r.wakeFormerMembers(after)
			}
			unchanged := before.HasMembersLeftOut() == after.HasMembersLeftOut()
			if !unchanged || claims.FamilyOf(before) != claims.FamilyOf(after) || before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() {
				enqueueFamilies(ctx, q, before, after)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			r.wakeFormerMembers(e.Object.(*v1alpha1.LambdaTestGroup))
			enqueueFamilies(ctx, q, e.Object)
		},
	}
}

// wakeFormerMembers requeues all members of a group that is gone: what it gave them, another leader may have known.
func (r *Reconciler) wakeFormerMembers(group *v1alpha1.LambdaTestGroup) {
	organization := types.NamespacedName{Namespace: group.Namespace, Name: group.Spec.OrganizationRef.Name}
	if c, open := r.Registry.Find(organization); open && len(group.Spec.Roles) > 0 {
		c.WakeMembers(claims.MembersOf(group))
	}
}

// groupsOf lists the groups of an organization.
func (r *Reconciler) groupsOf(ctx context.Context, organization client.Object) []reconcile.Request {
	requests, err := claims.GroupRequests(ctx, r.Client, client.ObjectKeyFromObject(organization))
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the groups of a changed organization")
	}
	return requests
}
