// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// converge plans and calls until nothing is left to do, or something is in the way, or the person has to wait for a turn. Of all its
// calls at most one changes an account; a second one follows only where LambdaTest refused the first, or where a creation met an account
// that differs.
func (r *PersonReconciler) converge(ctx context.Context, w *personWork) (situation, error) {
	if done, there := r.withoutConnection(w); there {
		return done, nil
	}
	c := w.connection
	given := w.circumstances()
	var told situation
	for range maxStepsPerReconcile {
		w.expectReadBack(given)
		have := c.accounts.observe(w.user, r.connections.options.Now(), given.settled)
		have.doubtful = have.doubtful || w.requested
		given.roleElsewhere = w.roleElsewhere()
		w.next = plan(w.desired, have, given)
		if w.next.step == stepNone {
			return w.atRest(have, given), nil
		}
		// Before anything in the way: the Secret of an organization goes with the namespace, and often first.
		if terminating, err := r.terminating(ctx, w); err != nil || terminating {
			return situation{readiness: ready}, errors.Join(err, r.orphan(ctx, w, terminating))
		}
		if told = r.inTheWay(w); told != (situation{}) {
			return told, nil
		}
		if w.next.step == stepAwait {
			// Whoever waits in the lane is not woken when the comparison ends: first out of there, then a look whether it has.
			c.lane.forget(w.user)
			if still := c.accounts.observe(w.user, r.connections.options.Now(), given.settled); !still.known && still.comparing {
				return situation{}, nil
			}
			continue
		}
		if told, may := r.guardChange(w); !may {
			return told, nil
		}
		if !c.lane.acquire(w.user, w.next.priority, w.past()) {
			w.queued = true
			return w.waiting(), nil
		}
		if w.next.mutates() {
			if err := r.ensureFinalizers(ctx, w); err != nil {
				c.lane.done(w.user, errNotCalled)
				return situation{}, err
			}
		}
		if told = r.carryOut(ctx, w, &given); told != (situation{}) {
			return told, nil
		}
	}
	return situation{retryAfter: conflictRetry}, nil
}

// withoutConnection is what can be said while the organization cannot be asked, and whether that is all there is to say.
func (r *PersonReconciler) withoutConnection(w *personWork) (situation, bool) {
	switch {
	case len(w.living)+len(w.leaving) == 0 && w.connection == nil, w.desired.fate == fateLeft && len(w.living) == 0:
		return situation{readiness: ready}, true
	case w.organization == nil:
		return situation{
			readiness: stalled,
			reason:    v1alpha1.OrganizationNotFoundReason,
			message: fmt.Sprintf("There is no %s %q in namespace %s: create it, or delete this resource and name another one.",
				v1alpha1.OrganizationKind, w.key.Organization, w.key.Namespace),
		}, true
	}
	return situation{}, false
}

// circumstances are what the plan needs to know beyond wish and account.
func (w *personWork) circumstances() circumstances {
	set, _ := w.connection.state()
	given := circumstances{settled: w.settled(), reportDrift: set.reportDrift, newcomer: w.isNewcomer()}
	if held, ok := w.connection.setbacks.get(w.user, w.wanted()); ok && held.partial() && held.waiting(w.connection.options.Now()) {
		given.refusedGroup, given.denialOnly = held.refusedGroup, held.denialOnly
	}
	return given
}

// isNewcomer tells a new hire from those who were there when the operator started: the first comparison is about these.
func (w *personWork) isNewcomer() bool {
	for _, claim := range w.living {
		if !claim.CreationTimestamp.After(w.connection.openedAt) {
			return false
		}
	}
	return len(w.living) > 0 && w.connection.mayLookUpEarly()
}

// settled tells whether what is wanted had been reached, by what the claims were told last.
func (w *personWork) settled() bool {
	for _, claim := range w.living {
		// A duplicate is never told more than that it is one.
		reached := isReady(claim) || isReadyFor(claim, v1alpha1.DriftedReason) || duplicateOf(claim, w.living) != nil
		if claim.Status.ObservedGeneration != claim.Generation || !reached || claim.Status.Effective == nil {
			return false
		}
		if *claim.Status.Effective != w.desired.effective {
			return false
		}
	}
	return len(w.living) > 0
}

// wanted names what is tried: after a failure, anything else is tried at once, and so is what somebody asks for again.
func (w *personWork) wanted() string {
	var name strings.Builder
	for _, claim := range slices.Concat(w.living, w.leaving) {
		fmt.Fprintf(&name, "%s/%d/%t/%s ", claim.UID, claim.Generation, claim.DeletionTimestamp.IsZero(),
			resyncRequest(claim))
	}
	fmt.Fprintf(&name, "%s", w.desired.effective.Role)
	return name.String()
}

func (w *personWork) past() history { return w.connection.setbacks.history(w.user, w.wanted()) }

// inTheWay is why no call is made now: the organization, or an earlier answer to the same wish. The zero situation is nothing.
func (r *PersonReconciler) inTheWay(w *personWork) situation {
	if _, obstacle := w.connection.state(); obstacle != (situation{}) {
		return w.blocked(obstacle)
	}
	if suspicion, there := w.connection.suspected(); there && w.next.step != stepLookUp {
		return w.blocked(suspicion.situation(w.key.Organization))
	}
	now := r.connections.options.Now()
	held, ok := w.connection.setbacks.get(w.user, w.wanted())
	if !ok || held.partial() || !held.waiting(now) {
		return situation{}
	}
	return held.told(now)
}

// carryOut makes the planned call, for which the lane was acquired. The zero situation means: look and plan again.
func (r *PersonReconciler) carryOut(ctx context.Context, w *personWork, given *circumstances) situation {
	past := w.past()
	err := r.callUpstream(ctx, w)
	if w.next.step == stepLookUp {
		w.requested = w.requested && err != nil && !isNotOurs(err)
	}
	if err == nil {
		if past == keepsFailing && w.next.mutates() {
			w.connection.forgiveAll()
		}
		return r.succeeded(w, *given)
	}
	return r.failed(w, err, given)
}

func (r *PersonReconciler) callUpstream(ctx context.Context, w *personWork) error {
	c, next := w.connection, w.next
	w.calledAt = r.connections.options.Now()
	switch next.step {
	case stepLookUp:
		c.lookedUp()
		return c.call(ctx, w.user, "FindUser", func(ctx context.Context, upstream Upstream) error {
			account, found, err := upstream.FindUser(ctx, w.spelled())
			switch {
			case err != nil:
			case found:
				c.accounts.saw(w.user, account, w.calledAt)
			default:
				c.accounts.missed(w.user, w.calledAt)
			}
			return err
		})
	case stepCreate:
		return c.create(ctx, w.user, "CreateUser", r.storing(w, func(ctx context.Context, upstream Upstream) (lambdatest.User, error) {
			return upstream.CreateUser(ctx, next.create)
		}))
	case stepUpdate:
		return c.call(ctx, w.user, "UpdateUser", r.storing(w, func(ctx context.Context, upstream Upstream) (lambdatest.User, error) {
			return upstream.UpdateUser(ctx, next.id, next.update)
		}))
	default:
		return c.call(ctx, w.user, "DeactivateUser", r.storing(w, func(ctx context.Context, upstream Upstream) (lambdatest.User, error) {
			account, _ := c.accounts.get(w.user)
			account.Active = false
			return account, upstream.DeactivateUser(ctx, next.id)
		}))
	}
}

// storing keeps what a change answers.
func (r *PersonReconciler) storing(w *personWork, do func(context.Context, Upstream) (lambdatest.User, error)) func(context.Context, Upstream) error {
	return func(ctx context.Context, upstream Upstream) error {
		account, err := do(ctx, upstream)
		if err == nil {
			w.connection.accounts.changed(w.user, account, w.calledAt, r.connections.options.Now())
		}
		return err
	}
}

// spelled is the userName as a claim spells it.
func (w *personWork) spelled() string {
	if w.desired.userName != "" {
		return w.desired.userName
	}
	return w.claims[0].Spec.UserName
}
