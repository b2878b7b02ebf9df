// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// converge plans and calls until nothing is left to do, or something is in the way, or the person has to wait for a turn. Of all its
// calls at most one changes an account; a second one follows only where LambdaTest refused the first, or where a creation met an account
// that differs.
func (r *Reconciler) converge(ctx context.Context, w *work) (status.Outcome, error) {
	if done, there := r.withoutConnection(w); there {
		return done, nil
	}
	c := w.connection
	given := w.constraints()
	var told status.Outcome
	for range connection.MaxStepsPerReconcile {
		w.expectReadBack(given)
		have := c.Accounts.Observe(w.user, r.Registry.Options.Now(), given.settled)
		have.Doubtful = have.Doubtful || w.requested
		given.roleElsewhere = w.roleElsewhere()
		w.next = plan(w.Desired, have, given)
		if w.next.step == stepNone {
			return w.atRest(have, given), nil
		}
		// Check this before anything else: the Secret of an organization is deleted with the namespace, and often first.
		if terminating, err := r.terminating(ctx, w); err != nil || terminating {
			return status.Outcome{Readiness: status.Ready}, errors.Join(err, r.orphan(ctx, w, terminating))
		}
		if told = r.obstacle(w); told != (status.Outcome{}) {
			return told, nil
		}
		if w.next.step == stepAwait {
			// A person who waits in the lane is not woken when the sweep ends: leave the lane first, then check whether it has ended.
			c.Lane.Forget(w.user)
			if still := c.Accounts.Observe(w.user, r.Registry.Options.Now(), given.settled); !still.Known && still.Sweeping {
				return status.Outcome{}, nil
			}
			continue
		}
		if told, may := r.guardChange(w); !may {
			return told, nil
		}
		if !c.Lane.Acquire(w.user, w.next.priority, w.past()) {
			w.queued = true
			return w.whileWaiting(), nil
		}
		if w.next.mutates() {
			if err := r.ensureFinalizers(ctx, w); err != nil {
				c.Lane.Done(w.user, connection.ErrNotCalled)
				return status.Outcome{}, err
			}
		}
		if told = r.carryOut(ctx, w, &given); told != (status.Outcome{}) {
			return told, nil
		}
	}
	return status.Outcome{RetryAfter: status.ConflictRetry}, nil
}

// withoutConnection is what can be said while the organization cannot be asked, and whether that is all there is to say.
func (r *Reconciler) withoutConnection(w *work) (status.Outcome, bool) {
	switch {
	case len(w.Living)+len(w.Leaving) == 0 && w.connection == nil, w.Desired.Fate == claims.FateLeft && len(w.Living) == 0:
		return status.Outcome{Readiness: status.Ready}, true
	case w.organization == nil:
		return status.Stalledf(v1alpha1.OrganizationNotFoundReason, "There is no %s %q in namespace %s: create it, or delete this resource and name another one.",
			v1alpha1.OrganizationKind, w.key.Organization, w.key.Namespace), true
	}
	return status.Outcome{}, false
}

// constraints are what the plan needs to know beyond wish and account.
func (w *work) constraints() constraints {
	set, _ := w.connection.State()
	given := constraints{settled: w.wasReached(), reportDrift: set.ReportDrift, newcomer: w.isNewcomer()}
	if held, ok := w.connection.Holdoffs.Get(w.user, w.fingerprint()); ok && held.Partial() && held.Waiting(w.connection.Options.Now()) {
		given.refusedGroup, given.denialOnly = held.RefusedGroup, held.DenialOnly
	}
	return given
}

// isNewcomer tells a new hire from those who were there when the operator started: the first sweep is about these.
func (w *work) isNewcomer() bool {
	for _, claim := range w.Living {
		if !claim.CreationTimestamp.After(w.connection.OpenedAt) {
			return false
		}
	}
	return len(w.Living) > 0 && w.connection.MayLookUpEarly()
}

// wasReached tells whether what is wanted had been reached, by what the claims were told last.
func (w *work) wasReached() bool {
	for _, claim := range w.Living {
		// A duplicate is never told more than that it is one.
		reached := status.IsReady(claim) || status.HasReason(claim, v1alpha1.DriftedReason) || claims.DuplicateOf(claim, w.Living) != nil
		if claim.Status.ObservedGeneration != claim.Generation || !reached || claim.Status.Effective == nil {
			return false
		}
		if *claim.Status.Effective != w.Desired.Effective {
			return false
		}
	}
	return len(w.Living) > 0
}

// fingerprint names what is tried: after a failure, anything else is tried at once, and so is what somebody asks for again.
func (w *work) fingerprint() string {
	var name strings.Builder
	for _, claim := range slices.Concat(w.Living, w.Leaving) {
		fmt.Fprintf(&name, "%s/%d/%t/%s ", claim.UID, claim.Generation, claim.DeletionTimestamp.IsZero(),
			status.ResyncRequest(claim))
	}
	fmt.Fprintf(&name, "%s", w.Desired.Effective.Role)
	return name.String()
}

func (w *work) past() lane.History { return w.connection.Holdoffs.History(w.user, w.fingerprint()) }

// obstacle is why no call is made now: the organization, or an earlier answer to the same wish. The zero outcome is nothing.
func (r *Reconciler) obstacle(w *work) status.Outcome {
	if _, obstacle := w.connection.State(); obstacle != (status.Outcome{}) {
		return w.blocked(obstacle)
	}
	if suspicion, there := w.connection.Mismatch(); there && w.next.step != stepLookUp {
		return w.blocked(suspicion.Outcome(w.key.Organization))
	}
	now := r.Registry.Options.Now()
	held, ok := w.connection.Holdoffs.Get(w.user, w.fingerprint())
	if !ok || held.Partial() || !held.Waiting(now) {
		return status.Outcome{}
	}
	return held.OutcomeNow(now)
}

// carryOut makes the planned call, for which the lane was acquired. The zero outcome means: look and plan again.
func (r *Reconciler) carryOut(ctx context.Context, w *work, given *constraints) status.Outcome {
	past := w.past()
	err := r.callUpstream(ctx, w)
	if w.next.step == stepLookUp {
		w.requested = w.requested && err != nil && !isNotOurs(err)
	}
	if err == nil {
		if past == lane.KeepsFailing && w.next.mutates() {
			w.connection.ForgiveAll()
		}
		return r.succeeded(w, *given)
	}
	return r.failed(w, err, given)
}

func (r *Reconciler) callUpstream(ctx context.Context, w *work) error {
	c, next := w.connection, w.next
	w.calledAt = r.Registry.Options.Now()
	switch next.step {
	case stepLookUp:
		c.CountLookUp()
		return c.Call(ctx, w.user, "FindUser", func(ctx context.Context, upstream connection.Upstream) error {
			account, found, err := upstream.FindUser(ctx, w.spelled())
			switch {
			case err != nil:
			case found:
				c.Accounts.Saw(w.user, account, w.calledAt)
			default:
				c.Accounts.Missed(w.user, w.calledAt)
			}
			return err
		})
	case stepCreate:
		return c.Create(ctx, w.user, "CreateUser", r.storing(w, func(ctx context.Context, upstream connection.Upstream) (lambdatest.User, error) {
			return upstream.CreateUser(ctx, next.create)
		}))
	case stepUpdate:
		return c.Call(ctx, w.user, "UpdateUser", r.storing(w, func(ctx context.Context, upstream connection.Upstream) (lambdatest.User, error) {
			return upstream.UpdateUser(ctx, next.id, next.update)
		}))
	default:
		return c.Call(ctx, w.user, "DeactivateUser", r.storing(w, func(ctx context.Context, upstream connection.Upstream) (lambdatest.User, error) {
			account, _ := c.Accounts.Get(w.user)
			account.Active = false
			return account, upstream.DeactivateUser(ctx, next.id)
		}))
	}
}

// storing keeps what a change answers.
func (r *Reconciler) storing(w *work, do func(context.Context, connection.Upstream) (lambdatest.User, error)) func(context.Context, connection.Upstream) error {
	return func(ctx context.Context, upstream connection.Upstream) error {
		account, err := do(ctx, upstream)
		if err == nil {
			w.connection.Accounts.Changed(w.user, account, w.calledAt, r.Registry.Options.Now())
		}
		return err
	}
}

// spelled is the userName as a claim spells it.
func (w *work) spelled() string {
	if w.Desired.UserName != "" {
		return w.Desired.UserName
	}
	return w.Claims[0].Spec.UserName
}
