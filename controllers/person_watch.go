// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

type personQueue = workqueue.TypedRateLimitingInterface[PersonKey]

// claimEvents enqueues the person whom a claim is about, denials first, then deletions. Who was settled before the start is left to the
// review that follows when the organization is opened.
func claimEvents(reader client.Reader) handler.TypedEventHandler[*v1alpha1.LambdaTestUser, PersonKey] {
	return handler.TypedFuncs[*v1alpha1.LambdaTestUser, PersonKey]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*v1alpha1.LambdaTestUser], queue personQueue) {
			key := personKeyOf(e.Object)
			if e.IsInInitialList && wasSettled(e.Object) && hasOrganization(ctx, reader, key) {
				return
			}
			enqueue(queue, priorityOf(e.Object, e.IsInInitialList), key)
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*v1alpha1.LambdaTestUser], queue personQueue) {
			enqueue(queue, priorityOf(e.ObjectNew, false), personKeyOf(e.ObjectNew))
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*v1alpha1.LambdaTestUser], queue personQueue) {
			enqueue(queue, priorityChange, personKeyOf(e.Object))
		},
	}
}

func hasOrganization(ctx context.Context, reader client.Reader, key PersonKey) bool {
	return reader.Get(ctx, key.organization(), &v1alpha1.LambdaTestOrganization{}, client.UnsafeDisableDeepCopy) == nil
}

// priorityOf is how urgent the news about a claim is. On the initial list, what was settled before the start is no news.
func priorityOf(claim *v1alpha1.LambdaTestUser, initial bool) int {
	switch {
	case initial && wasSettled(claim):
		return priorityInitialList
	case isFull(claim) && claim.IsDenial():
		return priorityDenial
	case isFull(claim) && !claim.DeletionTimestamp.IsZero():
		return priorityDeletion
	case initial:
		return priorityInitialList
	case claim.Status.ObservedGeneration < 0:
		return priorityCreation
	}
	return priorityChange
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
func personRateLimiter(bounds backoff) workqueue.TypedRateLimiter[PersonKey] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[PersonKey](bounds.min/4, bounds.max)
}
