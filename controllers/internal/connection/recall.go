// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/accounts"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// WasSettled tells whether a claim was ready before the start, with nothing said since.
func WasSettled(claim *v1alpha1.LambdaTestUser) bool {
	return claim.Status.ObservedGeneration == claim.Generation && status.IsReady(claim) && claim.DeletionTimestamp.IsZero()
}

// review looks again at everybody who was settled before the connection was opened: what they want may depend on what changed while
// nobody led. There may be 100 000 of them, and nobody waits for them, so they come a batch at a time: a queue that has held all keeps
// the memory for it.
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
		ctrl.Log.WithName("person").Error(err, "looking again at everybody", "organization", c.Organization)
	}
}

// Recall prepares a newly opened connection: the accounts that people's status remembers are known from now on, so that the
// first sweep notices when they are gone. Then the connection is open, and whoever was sent away before is looked at again. Whoever
// was settled then is left to the review.
func (c *Connection) Recall(ctx context.Context) error {
	if err := c.Guard.Load(ctx); err != nil {
		return err
	}
	err := claims.Visit(ctx, c.registry.reader, c.Organization, func(claim *v1alpha1.LambdaTestUser) {
		user := claims.KeyOf(claim).UserName
		if claim.Status.AccountID != "" && claim.Status.Account != nil {
			c.Accounts.Remember(user, accounts.Remembered(claim))
		}
		if !c.Census.recall(user, remembered(claim)) {
			c.Accounts.Forget(user)
		}
	})
	if err != nil {
		return err
	}
	c.Census.recalled()
	close(c.recalled)
	return c.wakeEverybody(ctx)
}

// wakeEverybody looks again at all who were sent away because the organization was not open. It lists them once it is: who comes later
// is not sent away.
func (c *Connection) wakeEverybody(ctx context.Context) error {
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

// UrgencyOf is how urgent the news about a claim is. On the initial list, what was settled before the start is no news.
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
