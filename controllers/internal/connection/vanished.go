// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Vanished is a resource that disappeared although this process did not remove its finalizer.
type Vanished struct {
	client.Object
	Organization types.NamespacedName
	// People are how many people it is about, for the guard.
	People int
	// Unseen says that the watch did not see the deletion.
	Unseen bool
	// Note says what is so, why, and what to do.
	Note string
}

// ReportVanished counts the people in the guard, and records an event about the organization. It says whether there was something to report:
// a resource that was being deleted may have been released by a former leader, whose writes the cache shows late.
func (c *Registry) ReportVanished(ctx context.Context, gone Vanished) bool {
	found, ok := c.Opening(gone.Organization)
	if !ok {
		return false
	}
	deleted := !gone.GetDeletionTimestamp().IsZero() || gone.Unseen
	if deleted && c.Options.Now().Before(found.FormerLeaderUntil()) {
		return false
	}
	found.Guard.CountVanished(gone.People)
	organization := &v1alpha1.LambdaTestOrganization{}
	if err := c.reader.Get(ctx, gone.Organization, organization, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "No event about a resource that disappeared", "resource", gone.GetName())
		return true
	}
	c.guards.Recorder.Eventf(organization, gone.Object, corev1.EventTypeWarning, "Vanished", "Count", "%s", gone.Note)
	return true
}
