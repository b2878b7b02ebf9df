// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Writes are the statuses that this process wrote and the cache does not show yet. A stale copy may already equal
// the new status, which would then never be written: our own status writes trigger no reconcile.
type Writes struct {
	mu sync.Mutex
	// Sent are the resourceVersions of these writes; empty where there was no answer.
	Sent map[types.UID]string
}

// Patch writes what differs between two versions of a resource's status, unless the resource is gone. It is a conflict when the resource
// has another version than stored: a write that arrives late, even one of a former leader, must not mix with a newer one.
func (o *Writes) Patch(ctx context.Context, writer client.Client, stored, updated client.Object) error {
	o.Sending(updated)
	patch := client.MergeFromWithOptions(stored, client.MergeFromWithOptimisticLock{})
	err := writer.Status().Patch(ctx, updated, patch)
	switch {
	case apierrors.IsNotFound(err):
		o.Forget(updated)
		return nil
	case err != nil:
		return fmt.Errorf("writing status: %w", err)
	}
	o.Answered(updated)
	return nil
}

// Sending notes a write before there is an answer.
func (o *Writes) Sending(object client.Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.Sent == nil {
		o.Sent = map[types.UID]string{}
	}
	o.Sent[object.GetUID()] = ""
}

// Answered notes which version a write has made. A resource that was forgotten meanwhile, since the cache shows it to be gone, stays
// forgotten: no later event would end its entry.
func (o *Writes) Answered(object client.Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, waits := o.Sent[object.GetUID()]; waits {
		o.Sent[object.GetUID()] = object.GetResourceVersion()
	}
}

// Shows tells whether a resource that was read from the cache has the last write of its status; then there is nothing to remember.
func (o *Writes) Shows(cached client.Object) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	sent, waits := o.Sent[cached.GetUID()]
	if !waits {
		return true
	}
	if order, err := resourceversion.CompareResourceVersion(cached.GetResourceVersion(), sent); err != nil || order < 0 {
		return false
	}
	delete(o.Sent, cached.GetUID())
	return true
}

// Forget forgets the writes of a resource that is gone.
func (o *Writes) Forget(gone client.Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.Sent, gone.GetUID())
}

// Refresh reads into, which came from the cache, from the API server, unless the cache has our last write. A new generation is a
// conflict: what was decided is about the old one.
func (o *Writes) Refresh(ctx context.Context, live client.Reader, into client.Object) error {
	if o.Shows(into) {
		return nil
	}
	decided := into.DeepCopyObject().(client.Object)
	err := live.Get(ctx, client.ObjectKeyFromObject(into), into)
	if apierrors.IsNotFound(err) || err == nil && into.GetUID() != decided.GetUID() {
		o.Forget(decided)
	}
	if err != nil {
		return fmt.Errorf("reading what the cache does not show yet: %w", err)
	}
	if into.GetUID() != decided.GetUID() || into.GetGeneration() != decided.GetGeneration() {
		return apierrors.NewConflict(v1alpha1.Resource("resources"), into.GetName(), fmt.Errorf("it is of generation %d now", into.GetGeneration()))
	}
	o.Answered(into)
	return nil
}

// overwritten tells whether an event is about a status that another writer wrote: a former leader whose write was late, or kubectl. It
// replaced what was written here, which has to be written again. While the answer to a write of our own is awaited, the event may be about
// that write; if it is not, the write is a conflict, or repeated.
func (o *Writes) overwritten(before, after client.Object) bool {
	o.mu.Lock()
	sent, waits := o.Sent[after.GetUID()]
	o.mu.Unlock()
	if waits {
		if order, err := resourceversion.CompareResourceVersion(after.GetResourceVersion(), sent); err != nil || order <= 0 {
			return false
		}
	}
	return !equality.Semantic.DeepEqual(statusOf(before), statusOf(after))
}

func statusOf(object client.Object) any {
	switch object := object.(type) {
	case *v1alpha1.LambdaTestUser:
		return object.Status
	case *v1alpha1.LambdaTestGroup:
		return object.Status
	case *v1alpha1.LambdaTestOrganization:
		ours := object.Status
		ours.Guard, ours.SCIMTokenLastUse = nil, nil // written by the guard, which has the organization reconciled, and by the SCIM endpoint
		return ours
	}
	return nil
}

// IgnoringOwnWrites forgets writes as soon as the cache shows them, and lets events pass about statuses that another writer wrote.
func IgnoringOwnWrites[T client.Object](o *Writes, passing predicate.TypedPredicate[T]) predicate.TypedPredicate[T] {
	return predicate.TypedFuncs[T]{
		CreateFunc: passing.Create,
		UpdateFunc: func(e event.TypedUpdateEvent[T]) bool {
			overwritten := o.overwritten(e.ObjectOld, e.ObjectNew)
			o.Shows(e.ObjectNew)
			return passing.Update(e) || overwritten
		},
		DeleteFunc: func(e event.TypedDeleteEvent[T]) bool {
			o.Forget(e.Object)
			return passing.Delete(e)
		},
		GenericFunc: passing.Generic,
	}
}
