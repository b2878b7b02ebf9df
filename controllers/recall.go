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
	err := visitClaims(ctx, c.registry.reader, c.organization, func(claim *v1alpha1.LambdaTestUser) {
		if !wasSettled(claim) {
			return
		}
		c.registry.people.add(priorityInitialList, personKeyOf(claim))
		if added++; added%reviewBatch == 0 {
			c.registry.people.drain(ctx)
		}
	})
	if err != nil && ctx.Err() == nil {
		ctrl.Log.WithName("person").Error(err, "looking again at everybody", "organization", c.organization)
	}
}

// recall prepares a newly opened connection: the accounts that people's status remembers are known from now on, so that the
// first comparison notices when they are gone. Then the connection is open, and whoever was sent away before is looked at again. Whoever
// was settled then is left to the review.
func (c *connection) recall(ctx context.Context) error {
	if err := c.guard.load(ctx); err != nil {
		return err
	}
	err := visitClaims(ctx, c.registry.reader, c.organization, func(claim *v1alpha1.LambdaTestUser) {
		user := personKeyOf(claim).UserName
		if claim.Status.AccountID != "" && claim.Status.Account != nil {
			c.accounts.remember(user, rememberedAccount(claim))
		}
		if !c.ledger.recall(user, remembered(claim)) {
			c.accounts.forget(user)
		}
	})
	if err != nil {
		return err
	}
	c.ledger.recalled()
	close(c.recalled)
	return c.wakeEverybody(ctx)
}

// wakeEverybody looks again at all who were sent away because the organization was not open. It lists them once it is: who comes later
// is not sent away.
func (c *connection) wakeEverybody(ctx context.Context) error {
	err := visitClaims(ctx, c.registry.reader, c.organization, func(claim *v1alpha1.LambdaTestUser) {
		if !wasSettled(claim) { // the others are reviewed
			c.registry.people.add(priorityOf(claim, true), personKeyOf(claim))
		}
	})
	if err != nil {
		return err
	}
	groups, err := requestsOfGroups(ctx, c.registry.reader, c.organization)
	if err != nil {
		return err
	}
	c.registry.groups.add(priorityInitialList, groups...)
	return nil
}
