// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// EnsureFinalizer returns the resource with the operator's finalizer: the same, or a copy to which it was added.
func EnsureFinalizer[T client.Object](ctx context.Context, writer client.Client, object T) (T, error) {
	if controllerutil.ContainsFinalizer(object, v1alpha1.Finalizer) {
		return object, nil
	}
	updated := object.DeepCopyObject().(T)
	controllerutil.AddFinalizer(updated, v1alpha1.Finalizer)
	if err := patchLocked(ctx, writer, object, updated); err != nil {
		return object, fmt.Errorf("adding finalizer: %w", err)
	}
	return updated, nil
}

// RemoveFinalizer returns the resource without the operator's finalizer: the API server may remove it now, or has already.
func RemoveFinalizer[T client.Object](ctx context.Context, writer client.Client, object T) (T, error) {
	updated, err := removeFinalizer(ctx, writer, object)
	return updated, client.IgnoreNotFound(err)
}

func removeFinalizer[T client.Object](ctx context.Context, writer client.Client, object T) (T, error) {
	if !controllerutil.ContainsFinalizer(object, v1alpha1.Finalizer) {
		return object, nil
	}
	updated := object.DeepCopyObject().(T)
	controllerutil.RemoveFinalizer(updated, v1alpha1.Finalizer)
	err := patchLocked(ctx, writer, object, updated)
	switch {
	case apierrors.IsNotFound(err):
		return updated, err
	case err != nil:
		return object, fmt.Errorf("removing finalizer: %w", err)
	}
	return updated, nil
}

// Release is RemoveFinalizer, and remembers that this process did it.
func Release[T client.Object](ctx context.Context, writer client.Client, releases *Releases, object T) (T, error) {
	if !controllerutil.ContainsFinalizer(object, v1alpha1.Finalizer) {
		return object, nil
	}
	before := releases.put(object.GetUID(), byOperator)
	updated, err := removeFinalizer(ctx, writer, object)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		// It was not this write. After another error, the write may still take effect.
		releases.put(object.GetUID(), before)
	}
	return updated, client.IgnoreNotFound(err)
}

// Releases are the resources whose finalizer this process or another client removed, until the cache shows that they are gone. The zero
// value is ready.
type Releases struct {
	mu    sync.Mutex
	byUID map[types.UID]remover
}

// remover is who removed the finalizer of a resource.
type remover int

const (
	unknown remover = iota
	// byOperator: this process, or it is about to.
	byOperator
	// byAnother: another client, and the resource was not being deleted.
	byAnother
	// reported: another client, and that was reported.
	reported
)

// FinalizerRemoved tells whether an update removed the operator's finalizer.
func FinalizerRemoved(before, after client.Object) bool {
	return controllerutil.ContainsFinalizer(before, v1alpha1.Finalizer) && !controllerutil.ContainsFinalizer(after, v1alpha1.Finalizer)
}

// VanishedBy tells whether an update is the first sign that a resource being deleted disappears although this process did not release it. Of a
// resource that is not being deleted it remembers that the finalizer is missing.
func (r *Releases) VanishedBy(before, after client.Object) bool {
	if !FinalizerRemoved(before, after) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.byUID[after.GetUID()] == byOperator:
		return false
	case after.GetDeletionTimestamp().IsZero():
		r.set(after.GetUID(), byAnother)
		return false
	}
	r.set(after.GetUID(), reported)
	return true
}

// Vanished tells whether a resource that is gone was not released by this process although the operator had taken charge of it: its last
// known state has the finalizer, or says that LambdaTest agrees. It forgets the resource.
func (r *Releases) Vanished(last resource) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	by := r.byUID[last.GetUID()]
	delete(r.byUID, last.GetUID())
	switch by {
	case byOperator, reported:
		return false
	case byAnother:
		return true
	case unknown:
	}
	return controllerutil.ContainsFinalizer(last, v1alpha1.Finalizer) || IsReady(last) && !HasReason(last, v1alpha1.ObservedReason)
}

// IsMissing tells whether another client removed the finalizer of a resource that is not being deleted.
func (r *Releases) IsMissing(object client.Object) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byUID[object.GetUID()] == byAnother
}

// Restored notes that a resource has the finalizer again.
func (r *Releases) Restored(object client.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byUID[object.GetUID()] == byAnother {
		delete(r.byUID, object.GetUID())
	}
}

// put replaces what is remembered about a resource, and returns what was.
func (r *Releases) put(uid types.UID, by remover) remover {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.byUID[uid]
	r.set(uid, by)
	return before
}

func (r *Releases) set(uid types.UID, by remover) {
	switch {
	case by == unknown:
		delete(r.byUID, uid)
		return
	case r.byUID == nil:
		r.byUID = map[types.UID]remover{}
	}
	r.byUID[uid] = by
}

// patchLocked writes the difference, unless another writer has changed the resource since it was read.
func patchLocked(ctx context.Context, writer client.Client, before, after client.Object) error {
	return writer.Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}
