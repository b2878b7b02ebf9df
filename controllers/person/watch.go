// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"context"

	"github.com/go-logr/logr"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// SetupWithManager adds the controller to the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	passes := status.IgnoringOwnWrites(&r.Written, claimChanged())
	// This spaces the repetitions after an error of the API server; those after an error of LambdaTest have pauses of their own.
	bounds := r.Registry.Options.Backoff
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[claims.PersonKey](bounds.Min/4, bounds.Max)
	return builder.TypedControllerManagedBy[claims.PersonKey](mgr).
		Named("person").
		WatchesRawSource(source.TypedKind(mgr.GetCache(), &v1alpha1.LambdaTestUser{}, r.claimEvents(), passes)).
		WatchesRawSource(r.Registry.People.Source()).
		WithOptions(controller.TypedOptions[claims.PersonKey]{MaxConcurrentReconciles: r.Concurrency, RateLimiter: limiter}).
		WithLogConstructor(func(key *claims.PersonKey) logr.Logger {
			log := mgr.GetLogger().WithName("person")
			if key == nil {
				return log
			}
			return log.WithValues("namespace", key.Namespace, "organization", key.Organization, "person", key.Digest())
		}).
		Complete(r)
}

type queue = workqueue.TypedRateLimitingInterface[claims.PersonKey]

// claimEvents enqueues the person whom a claim is about: denials first, then deletions. People who were settled before the start are left
// to the recheck that follows when the organization is opened.
func (r *Reconciler) claimEvents() handler.TypedEventHandler[*v1alpha1.LambdaTestUser, claims.PersonKey] {
	return handler.TypedFuncs[*v1alpha1.LambdaTestUser, claims.PersonKey]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*v1alpha1.LambdaTestUser], queue queue) {
			key := claims.KeyOf(e.Object)
			if e.IsInInitialList && connection.WasSettled(e.Object) && hasOrganization(ctx, r.Client, key) {
				return
			}
			connection.Enqueue(queue, connection.UrgencyOf(e.Object, e.IsInInitialList), key)
		},
		UpdateFunc: func(ctx context.Context, e event.TypedUpdateEvent[*v1alpha1.LambdaTestUser], queue queue) {
			if r.releases.VanishedBy(e.ObjectOld, e.ObjectNew) {
				r.reportVanished(ctx, e.ObjectNew, false)
			}
			connection.Enqueue(queue, connection.UrgencyOf(e.ObjectNew, false), claims.KeyOf(e.ObjectNew))
		},
		DeleteFunc: func(ctx context.Context, e event.TypedDeleteEvent[*v1alpha1.LambdaTestUser], queue queue) {
			if r.releases.Vanished(e.Object) {
				r.reportVanished(ctx, e.Object, e.DeleteStateUnknown)
			}
			connection.Enqueue(queue, lane.Change, claims.KeyOf(e.Object))
		},
	}
}

func hasOrganization(ctx context.Context, reader client.Reader, key claims.PersonKey) bool {
	return reader.Get(ctx, key.OrganizationKey(), &v1alpha1.LambdaTestOrganization{}, client.UnsafeDisableDeepCopy) == nil
}

// claimChanged passes what kubectl, Git and identity providers write, and that the operator's finalizer was removed. It does not pass the
// operator's own status and the finalizers that it adds: an event would end the pause of a person after a failure.
func claimChanged() predicate.TypedPredicate[*v1alpha1.LambdaTestUser] {
	return predicate.TypedFuncs[*v1alpha1.LambdaTestUser]{
		UpdateFunc: func(e event.TypedUpdateEvent[*v1alpha1.LambdaTestUser]) bool {
			before, after := e.ObjectOld, e.ObjectNew
			return before.Generation != after.Generation ||
				before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() ||
				status.FinalizerRemoved(before, after) ||
				before.Labels[v1alpha1.SourceLabel] != after.Labels[v1alpha1.SourceLabel] ||
				before.Annotations[v1alpha1.ReconcileRequestedAtAnnotation] != after.Annotations[v1alpha1.ReconcileRequestedAtAnnotation]
		},
	}
}
