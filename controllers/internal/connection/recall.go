// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// WasSettled tells whether a claim was Ready before the start, and has not changed since.
func WasSettled(claim *v1alpha1.LambdaTestUser) bool {
	return claim.Status.ObservedGeneration == claim.Generation && status.IsReady(claim) && claim.DeletionTimestamp.IsZero()
}

// review requeues all people who were settled before the connection was opened: what is desired may depend on what changed while no replica
// led. There may be 100 000 of them, and nothing waits for them, so they are queued a batch at a time: a queue that has held all of them
// keeps the memory for it.
func (c *Connection) review(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-c.recalled:
	}
	added := 0
	err := claims.Visit(ctx, c.registry.reader, c.Organization, func(claim *v1alpha1.LambdaTestUser) {
		if !WasSettled(claim) {
			return
		}
		c.registry.People.Add(lane.InitialList, claims.KeyOf(claim))
		if added++; added%reviewBatch == 0 {
			c.registry.People.drain(ctx)
		}
	})
	if err != nil && ctx.Err() == nil {
		ctrl.Log.WithName("person").Error(err, "requeuing the people who were settled before the start", "organization", c.Organization)
	}
}

// Recall fills the memory of a new connection: the accounts that statuses name are known from now on, so that the first sweep notices when
// they are gone. Then the connection is open. People whose reconcile did not decide anything before are requeued; settled people are left
// to the review.
func (c *Connection) Recall(ctx context.Context) error {
	if err := c.Guard.Load(ctx); err != nil {
		return err
	}
	err := claims.Visit(ctx, c.registry.reader, c.Organization, func(claim *v1alpha1.LambdaTestUser) {
		user := claims.KeyOf(claim).UserName
		c.Accounts.Recall(user, claim)
		if !c.Census.recall(user, remembered(claim)) {
			c.Accounts.Forget(user)
		}
	})
	if err != nil {
		return err
	}
	c.Census.recalled()
	close(c.recalled)
	return c.requeueAll(ctx)
}

// requeueAll requeues people and groups whose reconcile decided nothing because the connection was not open. It lists them once it is open:
// a later reconcile decides.
func (c *Connection) requeueAll(ctx context.Context) error {
	err := claims.Visit(ctx, c.registry.reader, c.Organization, func(claim *v1alpha1.LambdaTestUser) {
		if !WasSettled(claim) { // the others are reviewed
			c.registry.People.Add(UrgencyOf(claim, true), claims.KeyOf(claim))
		}
	})
	if err != nil {
		return err
	}
	groups, err := claims.GroupRequests(ctx, c.registry.reader, c.Organization)
	if err != nil {
		return err
	}
	c.registry.Groups.Add(lane.InitialList, groups...)
	return nil
}

// UrgencyOf is how urgent an event of a claim is. On the initial list, a claim that was settled before the start is no news.
func UrgencyOf(claim *v1alpha1.LambdaTestUser, initial bool) int {
	switch {
	case initial && WasSettled(claim):
		return lane.InitialList
	case claims.IsFull(claim) && claim.IsDenial():
		return lane.Denial
	case claims.IsFull(claim) && !claim.DeletionTimestamp.IsZero():
		return lane.Deletion
	case initial:
		return lane.InitialList
	case claim.Status.ObservedGeneration < 0:
		return lane.Creation
	}
	return lane.Change
}
