// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
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

// succeeded notes that a call did what it should. An answer that shows something else is a refusal: nothing is repeated for ever.
func (r *Reconciler) succeeded(w *work, given constraints) status.Outcome {
	if !w.next.mutates() {
		return status.Outcome{}
	}
	r.announce(w)
	account, _ := w.connection.Accounts.Get(w.user)
	if w.next.step == stepUpdate && !shows(account, w.next.update) {
		return r.refused(w, "LambdaTest accepted the change and did not make it: compare with the account at LambdaTest")
	}
	if w.next.step != stepDeactivate && given.refusedGroup == "" && !given.denialOnly {
		w.connection.Holdoffs.Clear(w.user)
	}
	if sent := w.next.concurrencyGroup(); sent != "" && sent == account.ConcurrencyGroup {
		w.connection.Accepted(connection.CauseConcurrencyGroup(sent))
	}
	return status.Outcome{}
}

// shows tells whether an account is as a change should have made it.
func shows(account lambdatest.User, change lambdatest.UserChange) bool {
	return (change.Active == nil || *change.Active == account.Active) &&
		(change.Role == nil || *change.Role == account.Role) &&
		(change.ConcurrencyGroup == nil || *change.ConcurrencyGroup == account.ConcurrencyGroup)
}

// failed turns an error of LambdaTest into what to do and to tell. The zero outcome means: look and plan again.
func (r *Reconciler) failed(w *work, err error, given *constraints) status.Outcome {
	switch {
	case errors.Is(err, connection.ErrNotCalled), errors.Is(err, context.Canceled):
		return status.Outcome{RetryAfter: r.Registry.Options.Backoff.Min}
	case lambdatest.IsOutcomeUnknown(err):
		w.connection.Accounts.Doubt(w.user, r.Registry.Options.Now(), w.connection.LateUntil())
		return r.unavailable(w, err)
	case lambdatest.IsUnauthorized(err), lambdatest.IsRateLimited(err):
		// This concerns the whole organization: queue again in the lane.
		w.queued = true
		w.connection.Lane.Await(w.user, w.next.priority, w.past())
		return w.troubled(err)
	case lambdatest.IsUnavailable(err):
		return r.unavailable(w, err)
	case lambdatest.IsNotFound(err) && w.next.step != stepLookUp:
		w.connection.Accounts.Doubt(w.user, r.Registry.Options.Now(), r.Registry.Options.Now())
		if w.lost || w.past() != lane.NoFailure {
			// LambdaTest finds the account by its userName, and not by the id that it gives.
			return r.unavailable(w, err)
		}
		// The id is gone; the person may have another one.
		w.lost = true
		return status.Outcome{}
	}
	return r.rejected(w, err, given)
}

// rejected leaves out what may have been the reason, as far as the rest makes sense without it.
func (r *Reconciler) rejected(w *work, err error, given *constraints) status.Outcome {
	group := w.Desired.Effective.ConcurrencyGroup
	switch {
	case w.next.step == stepLookUp && w.next.denies && isNotOurs(err) && !w.hadAccount():
		// The person is to have no access here and has no account here: nothing is left to do.
		w.connection.Accounts.Missed(w.user, w.calledAt)
		return status.Outcome{}
	case w.next.step == stepLookUp:
		return r.terminal(w, v1alpha1.OwnedByAnotherOrganizationReason, w.ownedElsewhere(err))
	case w.next.step == stepDeactivate:
		return r.terminal(w, v1alpha1.UpstreamRejectedReason, fmt.Sprintf(
			"LambdaTest refuses to deactivate account %s (%s): deactivate it there by hand.", w.next.id, err))
	case w.next.concurrencyGroup() != "":
		given.refusedGroup = group
		w.refusal = err
		return status.Outcome{}
	case w.next.denies && w.next.step == stepUpdate && !given.denialOnly:
		given.denialOnly = true
		w.refusal = err
		return status.Outcome{}
	case w.next.step == stepCreate && w.refusal == nil:
		// A lookup tells whether the address is another organization's.
		w.refusal = err
		w.connection.Accounts.Doubt(w.user, r.Registry.Options.Now(), r.Registry.Options.Now())
		return status.Outcome{}
	}
	if name := w.next.create.UserName; w.next.step == stepCreate && !isAddress(name) {
		return r.terminal(w, v1alpha1.UpstreamRejectedReason, fmt.Sprintf(
			"LambdaTest takes only e-mail addresses, and the userName %q is none (%s): create a new resource with the person's e-mail address as userName first, then delete this one.", name, err))
	}
	return r.refused(w, err.Error())
}

// isAddress tells whether a userName may be an e-mail address at all.
func isAddress(userName string) bool {
	parsed, err := mail.ParseAddress(userName)
	return err == nil && parsed.Address == userName
}

// isNotOurs tells whether LambdaTest says that a person is not of this organization: 400 or 404.
func isNotOurs(err error) bool { return lambdatest.IsRejected(err) || lambdatest.IsNotFound(err) }

// hadAccount tells whether this organization is known to have, or to have had, an account of the person. One that LambdaTest no longer
// shows may have been moved to another organization, and may still be active there.
func (w *work) hadAccount() bool {
	_, known := w.connection.Accounts.Get(w.user)
	return known || slices.ContainsFunc(w.Claims, func(claim *v1alpha1.LambdaTestUser) bool { return claim.Status.AccountID != "" })
}

func (w *work) ownedElsewhere(err error) string {
	if w.hadAccount() {
		return fmt.Sprintf("LambdaTest says that the address belongs to another organization (%s), and the person had an account in this one, "+
			"which may still be active: move it back to this organization, or deactivate it there by hand.", err)
	}
	return fmt.Sprintf("LambdaTest says that the address belongs to another organization (%s): remove it there first, or delete this resource.", err)
}

// refused is a refusal that only a change of a resource can lift.
func (r *Reconciler) refused(w *work, why string) status.Outcome {
	return r.terminal(w, v1alpha1.UpstreamRejectedReason, fmt.Sprintf("LambdaTest refuses this (%s): correct the resource.", why))
}

// terminal remembers a refusal, so that the call is repeated after a change, on request, or when it is the person's turn.
func (r *Reconciler) terminal(w *work, reason, message string) status.Outcome {
	told := status.Outcome{Readiness: status.Stalled, Reason: reason, Message: w.wayOut(message), Refused: true}
	w.connection.Holdoffs.Refuse(w.user, connection.Holdoff{Fingerprint: w.fingerprint(), Cause: connection.CauseOwn(w.user), Denies: w.next.denies, Outcome: told}, r.Registry.Options.Now())
	return told
}

// unavailable spaces the repetitions of one person's call; denials are never far apart.
func (r *Reconciler) unavailable(w *work, err error) status.Outcome {
	bounds := r.Registry.Options.Backoff
	if w.next.denies {
		bounds.Max = min(bounds.Max, lane.DenialBackoffMax)
	}
	return w.connection.Holdoffs.Failed(w.user, w.fingerprint(), w.connection.Lane.Answers(), r.Registry.Options.Now(), bounds, w.troubled(err))
}

// troubled tells of trouble that is not the person's.
func (w *work) troubled(err error) status.Outcome {
	switch {
	case lambdatest.IsUnauthorized(err):
		return w.unauthorized()
	case lambdatest.IsRateLimited(err):
		return connection.RateLimited()
	}
	return status.Progressingf(v1alpha1.UpstreamUnavailableReason, "LambdaTest gave no answer that can be trusted (%s). The call is repeated by itself.", err)
}

func (w *work) unauthorized() status.Outcome {
	set, _ := w.connection.State()
	return status.Stalledf(v1alpha1.UnauthorizedReason, "%s", w.wayOut(fmt.Sprintf("LambdaTest refuses the token of %s %s: put a valid one into Secret %s; it is used at once.",
		v1alpha1.OrganizationKind, w.key.Organization, set.TokenSecret)))
}

// wayOut adds, for those who are being deleted, how to go without LambdaTest.
func (w *work) wayOut(message string) string {
	if w.Desired.Fate != claims.FateDeactivated {
		return message
	}
	return message + " Until then this resource stays; to let it go and leave the account as it is, set spec.deletionPolicy: Orphan."
}

// blocked tells a person what stands in the way of the organization.
func (w *work) blocked(obstacle status.Outcome) status.Outcome {
	if obstacle.Reason == v1alpha1.SuspendedReason && w.Desired.Fate == claims.FateKept && w.next.denies && w.mayBeActive() {
		return status.Stalledf(v1alpha1.DeniedButActiveReason, "The person is denied and can still sign in, because %s %s is suspended: set its spec.suspend to false, or deactivate the person at LambdaTest.",
			v1alpha1.OrganizationKind, w.key.Organization)
	}
	obstacle.Message = w.wayOut(obstacle.Message)
	return obstacle
}

func (w *work) mayBeActive() bool {
	account, known := w.connection.Accounts.Get(w.user)
	return !known || account.Active
}

// whileWaiting is what to tell somebody who waits for a turn: nothing, unless it may take long. A denial is the next, and has its turn before
// such a status would be written.
func (w *work) whileWaiting() status.Outcome {
	switch state, pausedUntil := w.connection.Lane.State(); {
	case state == "unauthorized":
		return w.unauthorized()
	case state == "open":
		return status.Progressingf(v1alpha1.UpstreamUnavailableReason, "LambdaTest has not answered for a while. It is tried again and again; nothing needs to be done here.")
	case pausedUntil.After(w.connection.Options.Now().Add(connection.LongPause)):
		return connection.RateLimited()
	case w.next.priority < lane.Denial && w.connection.Lane.Backlog() > longWait:
		return status.Progressingf(v1alpha1.ProgressingReason, "Waits for its turn: many changes are before it. They go as fast as spec.rateLimit of %s %s allows.",
			v1alpha1.OrganizationKind, w.key.Organization)
	}
	return status.Outcome{}
}

// atRest is the outcome when nothing is left to do.
func (w *work) atRest(have accounts.Observed, given constraints) status.Outcome {
	now := w.connection.Options.Now()
	if have.RoleUnsure && w.roleDiffers() {
		// The next sweep tells which role LambdaTest computed.
		w.connection.SweepEarly()
	}
	switch {
	case w.Desired.Fate != claims.FateKept:
		return status.Outcome{Readiness: status.Ready}
	case w.next.reported:
		return status.Stalledf(v1alpha1.DriftedReason, "LambdaTest differs, see status.plannedChanges, and driftPolicy of %s %s is Report: change the account, this resource, or the policy.",
			v1alpha1.OrganizationKind, w.key.Organization)
	case given.refusedGroup != "" || given.denialOnly:
		return w.partlyRefused(given)
	case given.roleElsewhere && !have.RoleUnsure:
		return w.roleFollows()
	}
	w.connection.Holdoffs.Clear(w.user)
	told := status.Readyf(v1alpha1.SyncedReason, "%s", w.syncedMessage(have))
	if w.next.denies && have.ReadBackAt.After(now) {
		told.RetryAfter = have.ReadBackAt.Sub(now)
	}
	return told
}

// expectReadBack has an account that is off read again, because a late call of a former leader may switch it on where the denial is
// younger than a lease. Who is looked at late is read at once.
func (w *work) expectReadBack(given constraints) {
	if w.Desired.Fate == claims.FateKept && w.Desired.Denies() && (!given.settled || w.isYoungDenial()) {
		w.connection.Accounts.ReadBack(w.user, w.connection.FormerLeaderUntil())
	}
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
	if told := status.ReadyCondition(w.Denial); told != nil && told.LastTransitionTime.After(since) {
		since = told.LastTransitionTime.Time
	}
	return since.After(w.connection.OpenedAt.Add(-w.connection.Options.LeaseDuration))
}

func (w *work) partlyRefused(given constraints) status.Outcome {
	if held, ok := w.connection.Holdoffs.Get(w.user, w.fingerprint()); ok && held.Partial() && w.refusal == nil {
		return held.Outcome
	}
	told, cause := status.Outcome{
		Readiness: status.Stalled,
		Reason:    v1alpha1.UpstreamRejectedReason,
		Message:   fmt.Sprintf("The person was deactivated, but LambdaTest refuses the rest (%v): correct the resource.", w.refusal),
		Refused:   true,
	}, connection.CauseOwn(w.user)
	if given.refusedGroup != "" {
		cause = connection.CauseConcurrencyGroup(given.refusedGroup)
		told.Reason = v1alpha1.ConcurrencyGroupNotFoundReason
		told.Message = fmt.Sprintf("LambdaTest refuses the concurrency group %q (%v): create it there, or correct spec.concurrencyGroup. Everything else is done.",
			given.refusedGroup, w.refusal)
	}
	w.connection.Holdoffs.Refuse(w.user, connection.Holdoff{
		Fingerprint: w.fingerprint(), Cause: cause, RefusedGroup: given.refusedGroup, DenialOnly: given.denialOnly, Outcome: told,
	}, w.connection.Options.Now())
	return told
}

func (w *work) syncedMessage(have accounts.Observed) string {
	switch {
	case have.Account == nil && w.next.denies:
		return "The person is denied and has no account in this LambdaTest organization."
	case w.next.denies:
		return "The person is denied and cannot sign in at LambdaTest."
	}
	if have.Account != nil && w.nameDiffers(*have.Account) {
		return fmt.Sprintf("LambdaTest has what is wanted, except for the name, which it takes once and keeps: %s %s. The person can change it in the account settings.",
			have.Account.GivenName, have.Account.FamilyName)
	}
	return "LambdaTest has what is wanted."
}

func (w *work) nameDiffers(account lambdatest.User) bool {
	return account.GivenName != w.Desired.GivenName || account.FamilyName != w.Desired.FamilyName
}

// announce records the change that was made, on the claim that decides. That an account was created is told by the status alone, which
// was empty before: ten thousand new people are enough for the API server to write as it is.
func (r *Reconciler) announce(w *work) {
	claim := w.Claims[0]
	if len(w.Living) > 0 {
		claim = w.Living[0]
	}
	if w.Denial != nil {
		claim = w.Denial
	}
	switch w.next.step {
	case stepDeactivate:
		r.Recorder.Eventf(claim, nil, corev1.EventTypeNormal, "Deactivated", "Deactivate", "Deactivated the account: nobody claims the person any more.")
	case stepUpdate:
		r.Recorder.Eventf(claim, nil, corev1.EventTypeNormal, "Changed", "Update", "Changed at LambdaTest: %s.", changesText(w.next))
	}
}
