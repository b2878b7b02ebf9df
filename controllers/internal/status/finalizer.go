// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"fmt"

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
	if !controllerutil.ContainsFinalizer(object, v1alpha1.Finalizer) {
		return object, nil
	}
	updated := object.DeepCopyObject().(T)
	controllerutil.RemoveFinalizer(updated, v1alpha1.Finalizer)
	if err := client.IgnoreNotFound(patchLocked(ctx, writer, object, updated)); err != nil {
		return object, fmt.Errorf("removing finalizer: %w", err)
	}
	return updated, nil
}

// patchLocked writes the difference, unless another writer has changed the resource since it was read.
func patchLocked(ctx context.Context, writer client.Client, before, after client.Object) error {
	return writer.Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}
