// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// wasSettled tells whether a claim was ready before the start, with nothing said since.
func wasSettled(claim *v1alpha1.LambdaTestUser) bool {
	return claim.Status.ObservedGeneration == claim.Generation && isReady(claim) && claim.DeletionTimestamp.IsZero()
}

// review looks again at everybody who was settled before the connection was opened: what they want may depend on what changed while
// nobody led. There may be 100 000 of them, and nobody waits for them, so they come a batch at a time: a queue that has held all keeps
// the memory for it.
func (c *connection) review(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-c.recalled:
	}
	added := 0
	err := visitClaims(ctx, c.reader, c.organization, func(claim *v1alpha1.LambdaTestUser) {
		if !wasSettled(claim) {
			return
		}
		c.people.add(priorityInitialList, personKeyOf(claim))
		if added++; added%reviewBatch == 0 {
			c.people.drain(ctx)
		}
	})
	if err != nil && ctx.Err() == nil {
		ctrl.Log.WithName("person").Error(err, "looking again at everybody", "organization", c.organization)
	}
}
