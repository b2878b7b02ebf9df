// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"context"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
)

type queue = workqueue.TypedRateLimitingInterface[claims.PersonKey]

// claimEvents enqueues the person whom a claim is about, denials first, then deletions. Who was settled before the start is left to the
// review that follows when the organization is opened.
func claimEvents(reader client.Reader) handler.TypedEventHandler[*v1alpha1.LambdaTestUser, claims.PersonKey] {
	return handler.TypedFuncs[*v1alpha1.LambdaTestUser, claims.PersonKey]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*v1alpha1.LambdaTestUser], queue queue) {
			key := claims.KeyOf(e.Object)
			if e.IsInInitialList && connection.WasSettled(e.Object) && hasOrganization(ctx, reader, key) {
				return
			}
			connection.Enqueue(queue, connection.UrgencyOf(e.Object, e.IsInInitialList), key)
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*v1alpha1.LambdaTestUser], queue queue) {
			connection.Enqueue(queue, connection.UrgencyOf(e.ObjectNew, false), claims.KeyOf(e.ObjectNew))
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*v1alpha1.LambdaTestUser], queue queue) {
			connection.Enqueue(queue, lane.Change, claims.KeyOf(e.Object))
		},
	}
}

func hasOrganization(ctx context.Context, reader client.Reader, key claims.PersonKey) bool {
	return reader.Get(ctx, key.OrganizationKey(), &v1alpha1.LambdaTestOrganization{}, client.UnsafeDisableDeepCopy) == nil
}

// claimChanged lets pass what people and providers write, and not the operator's own status and finalizers: an event for a person
// who waits after a failure would end the wait.
func claimChanged() predicate.TypedPredicate[*v1alpha1.LambdaTestUser] {
	return predicate.TypedFuncs[*v1alpha1.LambdaTestUser]{
		UpdateFunc: func(e event.TypedUpdateEvent[*v1alpha1.LambdaTestUser]) bool {
			before, after := e.ObjectOld, e.ObjectNew
			return before.Generation != after.Generation ||
				before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() ||
				before.Labels[v1alpha1.SourceLabel] != after.Labels[v1alpha1.SourceLabel] ||
				before.Annotations[v1alpha1.ReconcileRequestedAtAnnotation] != after.Annotations[v1alpha1.ReconcileRequestedAtAnnotation]
		},
	}
}

// personRateLimiter spaces the repetitions after an error of the API server; LambdaTest's have their own.
func personRateLimiter(bounds lane.Backoff) workqueue.TypedRateLimiter[claims.PersonKey] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[claims.PersonKey](bounds.Min/4, bounds.Max)
}
