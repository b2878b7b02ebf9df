// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/accounts"
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
	if outcome, done := w.withoutConnection(); done {
		return outcome, nil
	}
	w.prepare()
	for range connection.MaxStepsPerReconcile {
		have := w.observe()
		w.given.roleElsewhere = w.roleElsewhere()
		w.next = plan(w.Desired, have, w.given)
		if w.final != nil && w.next.mutates() {
			return w.believed(w.final), nil
		}
		if w.next.corrects(w.given) && w.isSetBack() {
			w.given.setBack = true
			w.next = plan(w.Desired, have, w.given)
		}
		if w.next.step == stepNone {
			return w.atRest(have), nil
		}
		// Check this before anything else: the Secret of an organization is deleted with the namespace, and often first.
		if terminating, err := r.terminating(ctx, w); err != nil || terminating {
			return status.Outcome{Readiness: status.Ready}, err
		}
		if _, doubted := w.connection.Mismatch(); doubted && !w.attempt.Proven && w.Desired.Denies() && w.next.step == stepUpdate {
			w.next.step = stepProve
		}
		if because, blocked := w.obstacle(); blocked {
			return because, nil
		}
		if w.next.step == stepAwait {
			// A person who waits in the lane is not requeued when the sweep ends: leave the lane first, then check whether it has ended.
			w.connection.Lane.Forget(w.user)
			if still := w.observe(); !still.Known && still.Sweeping {
				return status.Outcome{}, nil
			}
			continue
		}
		if because, may := r.guardChange(w); !may {
			return because, nil
		}
		if !w.attempt.Acquire(w.next.priority) {
			return w.whileWaiting(), nil
		}
		if w.next.mutates() {
			if err := r.ensureFinalizers(ctx, w); err != nil {
				w.connection.Lane.Done(w.user, connection.ErrNotCalled)
				return status.Outcome{}, err
			}
		}
		if outcome, done := r.carryOut(ctx, w); done {
			return outcome, nil
		}
	}
	return status.Outcome{RetryAfter: status.ConflictRetry}, nil
}

// withoutConnection is the outcome without an account to change, or without an organization to ask.
func (w *work) withoutConnection() (outcome status.Outcome, done bool) {
	switch {
	case len(w.Living)+len(w.Leaving) == 0 && w.connection == nil, w.Desired.Fate == claims.FateLeft && len(w.Living) == 0:
		return status.Outcome{Readiness: status.Ready}, true
	case w.organization == nil:
		return status.Stalledf(v1alpha1.OrganizationNotFoundReason, "There is no %s %q in namespace %s: create it, or delete this resource and name another one.",
			v1alpha1.OrganizationKind, w.key.Organization, w.key.Namespace), true
	}
	return status.Outcome{}, false
}

// prepare fills in the attempt, and what the plan needs to know beyond wish and account.
func (w *work) prepare() {
	w.attempt.Fingerprint, w.attempt.Denies = w.fingerprint(), w.Desired.Denies()
	if w.Desired.Fate == claims.FateDeactivated {
		w.attempt.Leaving = "Until then this resource stays; to let it go and leave the account as it is, set spec.deletionPolicy: Orphan."
	}
	set, _ := w.connection.State()
	w.given = constraints{settled: w.wasReached(), reportDrift: set.ReportDrift, newcomer: w.isNewcomer(), vanished: w.hasAccountInStatus()}
	if held, ok := w.attempt.Holdoff(); ok && held.Partial() && held.Waiting(w.connection.Options.Now()) {
		w.given.refusedGroup, w.given.denialOnly = held.RefusedGroup, held.DenialOnly
	}
}

// isNewcomer tells a new hire from the people who were there when the operator started: the first sweep reads their accounts.
func (w *work) isNewcomer() bool {
	wasThere := func(claim *v1alpha1.LambdaTestUser) bool {
		return !claim.CreationTimestamp.After(w.connection.OpenedAt)
	}
	return len(w.Living) > 0 && !slices.ContainsFunc(w.Living, wasThere) && w.connection.MayLookUpEarly()
}

// wasReached tells whether what is desired had been reached, by the statuses that were written last.
func (w *work) wasReached() bool {
	for _, claim := range w.Living {
		// The status of a duplicate never says more than that it is one.
		reached := status.IsReady(claim) || status.HasReason(claim, v1alpha1.DriftedReason) || status.HasReason(claim, v1alpha1.SetBackReason) || claims.DuplicateOf(claim, w.Living) != nil
		effective := claim.Status.Effective
		if !reached || claim.Status.ObservedGeneration != claim.Generation || effective == nil || *effective != w.Desired.Effective {
			return false
		}
	}
	return len(w.Living) > 0
}

// fingerprint names what is tried; see connection.Attempt.
func (w *work) fingerprint() string {
	var name strings.Builder
	for _, claim := range slices.Concat(w.Living, w.Leaving) {
		fmt.Fprintf(&name, "%s/%d/%t/%s ", claim.UID, claim.Generation, claim.DeletionTimestamp.IsZero(), status.ResyncRequest(claim))
	}
	return name.String() + string(w.Desired.Effective.Role)
}

// observe is what is known of the account. An account that must be off is read again, because a late call of a former leader may switch it
// on where the denial is younger than a lease: at once if it is reconciled late.
func (w *work) observe() accounts.Observed {
	c := w.connection
	if w.Desired.Fate == claims.FateKept && w.Desired.Denies() && (!w.given.settled || w.isYoungDenial()) {
		c.Accounts.ReadBack(w.user, c.FormerLeaderUntil())
	}
	have := c.Accounts.Observe(w.user, c.Options.Now(), w.given.settled)
	have.Doubtful = have.Doubtful || w.requested
	return have
}

// isYoungDenial tells whether the denial came within a lease before the connection was opened, or after.
func (w *work) isYoungDenial() bool {
	if w.Denial == nil {
		return false
	}
	since := w.Denial.CreationTimestamp.Time
	if written, err := time.Parse(time.RFC3339, w.Denial.Annotations[v1alpha1.LastModifiedAnnotation]); err == nil {
		since = written
	}
	if ready := status.ReadyCondition(w.Denial); ready != nil && ready.LastTransitionTime.After(since) {
		since = ready.LastTransitionTime.Time
	}
	return since.After(w.connection.OpenedAt.Add(-w.connection.Options.LeaseDuration))
}

// obstacle is why no call is made now, if something is in the way.
func (w *work) obstacle() (because status.Outcome, blocked bool) {
	return w.attempt.Obstacle(w.next.step == stepLookUp || w.next.step == stepProve)
}

// longWait is how long the queue of an organization must be before the status of people at its end says that they wait: a shorter one is
// over before a user reads it, and a status for each person would cost more than the wait.
const longWait = time.Minute

// whileWaiting is the outcome of waiting for a turn. Denials have theirs before everybody else, so they wait for one another only.
func (w *work) whileWaiting() status.Outcome {
	outcome := w.attempt.WhileWaiting()
	if outcome == (status.Outcome{}) && w.connection.Lane.Backlog(w.next.priority) > longWait {
		return status.Progressingf(v1alpha1.ProgressingReason, "Waits for its turn: many changes are before it. They go as fast as spec.rateLimit of %s %s allows.",
			v1alpha1.OrganizationKind, w.key.Organization)
	}
	return outcome
}

// carryOut makes the planned call, for which the lane was acquired. When it is not done, observe and plan again.
func (r *Reconciler) carryOut(ctx context.Context, w *work) (outcome status.Outcome, done bool) {
	past := w.attempt.History()
	err := w.call(ctx)
	r.auditCall(w, err)
	if w.next.step == stepLookUp {
		w.requested = w.requested && err != nil && !isNotOurs(err)
		w.given.vanished = w.given.vanished && err != nil
	}
	switch {
	case w.next.step == stepProve && !w.attempt.Proven && (err == nil || isNotOurs(err)):
		return w.outOfReach(), true
	case err != nil:
		return w.failed(err)
	case !w.next.mutates():
		return status.Outcome{}, false
	case past == lane.KeepsFailing:
		w.connection.ForgiveAll()
	}
	w.created = w.created || w.next.step == stepCreate
	r.announce(w)
	return w.succeeded()
}

func (w *work) call(ctx context.Context) error {
	c, next := w.connection, w.next
	w.calledAt = c.Options.Now()
	stored := func(account lambdatest.User, err error) error {
		if err == nil {
			c.Accounts.Changed(w.user, accounts.WithUnshown(account, next.sent(account.ID)), w.calledAt, c.Options.Now())
		}
		return err
	}
	switch next.step {
	case stepCreate:
		return c.Create(ctx, w.user, next.callName(), func(ctx context.Context, upstream connection.Upstream) error {
			return stored(upstream.CreateUser(ctx, next.create))
		})
	case stepUpdate:
		return c.Call(ctx, w.user, next.callName(), func(ctx context.Context, upstream connection.Upstream) error {
			return stored(upstream.UpdateUser(ctx, next.id, next.update))
		})
	case stepDeactivate:
		return c.Call(ctx, w.user, next.callName(), func(ctx context.Context, upstream connection.Upstream) error {
			account := c.Accounts.Of(w.user, next.id)
			account.Active = false
			return stored(account, upstream.DeactivateUser(ctx, next.id))
		})
	case stepProve:
		return c.Call(ctx, w.user, next.callName(), func(ctx context.Context, upstream connection.Upstream) error {
			account, err := upstream.GetUser(ctx, next.id)
			if err == nil && v1alpha1.FoldUserName(account.UserName) == w.user {
				c.Accounts.Saw(w.user, account, w.calledAt)
				w.attempt.Proven = true
			}
			return err
		})
	}
	if !w.given.vanished {
		c.CountLookUp() // a sweep does not say where a person is who vanished
	}
	return c.Call(ctx, w.user, next.callName(), func(ctx context.Context, upstream connection.Upstream) error {
		account, found, err := upstream.FindUser(ctx, w.spelled())
		if err == nil && !found {
			account, found, err = w.findByID(ctx, upstream)
		}
		switch {
		case err != nil:
		case found:
			c.Accounts.Saw(w.user, account, w.calledAt)
		default:
			c.Accounts.Missed(w.user, w.calledAt)
		}
		return err
	})
}

// findByID reads an account that a search did not find although it is known: LambdaTest may compare userNames with case, and spell this one
// in another way than the claim.
func (w *work) findByID(ctx context.Context, upstream connection.Upstream) (account lambdatest.User, found bool, err error) {
	known, there := w.connection.Accounts.Get(w.user)
	if !there {
		return lambdatest.User{}, false, nil
	}
	account, err = upstream.GetUser(ctx, known.ID)
	if isNotOurs(err) {
		return lambdatest.User{}, false, nil
	}
	return account, err == nil && v1alpha1.FoldUserName(account.UserName) == w.user, err
}

// spelled is the userName as a claim spells it.
func (w *work) spelled() string {
	return cmp.Or(w.Desired.UserName, w.Claims[0].Spec.UserName)
}

// succeeded follows a change. An answer that shows something else is a refusal: otherwise the change would be repeated for ever.
func (w *work) succeeded() (outcome status.Outcome, done bool) {
	account := w.connection.Accounts.Of(w.user, w.next.id)
	if w.next.step == stepUpdate && !shows(account, w.next.update) {
		return w.mustCorrect(errNotMade), true
	}
	if w.next.corrects(w.given) {
		w.connection.SetBacks.Corrected(w.user, w.attempt.Fingerprint, w.connection.Options.Now())
	}
	if w.next.step != stepDeactivate && w.given.refusedGroup == "" && !w.given.denialOnly {
		w.connection.Holdoffs.Clear(w.user)
	}
	if sent := w.next.concurrencyGroup(); sent != "" && sent == account.ConcurrencyGroup {
		w.connection.Accepted(connection.CauseConcurrencyGroup(sent))
	}
	return status.Outcome{}, false
}

var errNotMade = errors.New("LambdaTest accepted the change and did not make it: compare with the account at LambdaTest")

// shows tells whether an account is as a change should have made it.
func shows(account lambdatest.User, change lambdatest.UserChange) bool {
	return (change.Active == nil || *change.Active == account.Active) &&
		(change.Role == nil || *change.Role == account.Role) &&
		(change.ConcurrencyGroup == nil || *change.ConcurrencyGroup == account.ConcurrencyGroup)
}

// failed turns an error of LambdaTest into an outcome. When it is not done, observe and plan again.
func (w *work) failed(err error) (outcome status.Outcome, done bool) {
	c, now := w.connection, w.connection.Options.Now()
	if lambdatest.IsOtherName(err) {
		c.Accounts.Doubt(w.user, now, now)
		return w.otherSpelling(), true
	}
	if outcome, unanswered := w.attempt.Failed(err, w.next.priority, func() { c.Accounts.Doubt(w.user, now, c.LateUntil()) }); unanswered {
		return outcome, true
	}
	if !lambdatest.IsNotFound(err) || w.next.step == stepLookUp {
		return w.rejected(err)
	}
	c.Accounts.Doubt(w.user, now, now)
	if w.lost || w.attempt.History() != lane.NoFailure {
		// LambdaTest finds the account by its userName, and not by the id that it gives.
		return w.attempt.Unavailable(err), true
	}
	// The id is gone; the person may have another one.
	w.lost = true
	return status.Outcome{}, false
}

// rejected leaves out what may have been the reason, as far as the rest makes sense without it.
func (w *work) rejected(err error) (outcome status.Outcome, done bool) {
	now := w.connection.Options.Now()
	switch next := w.next; {
	case next.step == stepLookUp && w.Desired.Denies() && isNotOurs(err) && !w.hadAccount():
		// The person is to have no access here and has no account here: nothing is left to do.
		w.connection.Accounts.Missed(w.user, w.calledAt)
		return status.Outcome{}, false
	case next.step == stepLookUp && w.hadAccount():
		return w.moved(err)
	case next.step == stepLookUp:
		return w.refused(v1alpha1.OwnedByAnotherOrganizationReason,
			"LambdaTest says that the address belongs to another organization (%v): remove it there first, or delete this resource.", err), true
	case next.step != stepDeactivate && next.concurrencyGroup() != "":
		w.given.refusedGroup = w.Desired.Effective.ConcurrencyGroup
	case w.Desired.Denies() && next.step == stepUpdate && !w.given.denialOnly:
		w.given.denialOnly = true
	case next.step == stepCreate && w.refusal == nil:
		// A lookup tells whether the address is another organization's.
		w.connection.Accounts.Doubt(w.user, now, now)
	case next.step == stepCreate && !isAddress(next.create.UserName):
		return w.refused(v1alpha1.UpstreamRejectedReason,
			"LambdaTest takes only e-mail addresses, and the userName %q is none (%v): create a new resource with the person's e-mail address as userName first, then delete this one.",
			next.create.UserName, err), true
	case next.id != "" && w.final == nil:
		// The account may have moved to another organization: look for it before the refusal is believed.
		w.final = err
		w.connection.Accounts.Doubt(w.user, now, now)
	default:
		return w.mustCorrect(err), true
	}
	w.refusal = err
	return status.Outcome{}, false
}

// isAddress tells whether a userName may be an e-mail address at all.
func isAddress(userName string) bool {
	parsed, err := mail.ParseAddress(userName)
	return err == nil && parsed.Address == userName
}

// isNotOurs tells whether LambdaTest says that a person is not of this organization: 400 or 404.
func isNotOurs(err error) bool { return lambdatest.IsRejected(err) || lambdatest.IsNotFound(err) }

// announce records the change that was made, on the claim that decides. Only the status says that an account was created: it was empty
// before, and for ten thousand new people the API server has enough to write without events.
func (r *Reconciler) announce(w *work) {
	claim := w.speaker()
	switch w.next.step {
	case stepDeactivate:
		r.Recorder.Eventf(claim, nil, corev1.EventTypeNormal, "Deactivated", "Deactivate", "Deactivated the account: nobody claims the person any more.")
	case stepUpdate:
		r.Recorder.Eventf(claim, nil, corev1.EventTypeNormal, "Changed", "Update", "Changed at LambdaTest: %s.", changesText(w.next))
		r.reportActivation(w, claim)
	}
}

// changesText is what an update changed, for people to read.
func changesText(c change) string {
	parts := make([]string, 0, len(c.differences))
	for _, difference := range c.differences {
		parts = append(parts, fmt.Sprintf("%s from %q to %q", difference.Attribute, difference.From, difference.To))
	}
	return strings.Join(parts, ", ")
}
