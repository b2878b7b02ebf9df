// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// succeeded notes that a call did what it should. An answer that shows something else is a refusal: nothing is repeated for ever.
func (r *PersonReconciler) succeeded(w *personWork, given circumstances) situation {
	if !w.next.mutates() {
		return situation{}
	}
	r.announce(w)
	account, _ := w.connection.accounts.get(w.user)
	if w.next.step == stepUpdate && !shows(account, w.next.update) {
		return r.refused(w, "LambdaTest accepted the change and did not make it: compare with the account at LambdaTest")
	}
	if w.next.step != stepDeactivate && given.refusedGroup == "" && !given.denialOnly {
		w.connection.setbacks.clear(w.user)
	}
	if sent := w.next.concurrencyGroup(); sent != "" && sent == account.ConcurrencyGroup {
		w.connection.accepted(causeConcurrencyGroup(sent))
	}
	return situation{}
}

// shows tells whether an account is as a change should have made it.
func shows(account lambdatest.User, change lambdatest.UserChange) bool {
	return (change.Active == nil || *change.Active == account.Active) &&
		(change.Role == nil || *change.Role == account.Role) &&
		(change.ConcurrencyGroup == nil || *change.ConcurrencyGroup == account.ConcurrencyGroup)
}

// failed turns an error of LambdaTest into what to do and to tell. The zero situation means: look and plan again.
func (r *PersonReconciler) failed(w *personWork, err error, given *circumstances) situation {
	switch {
	case errors.Is(err, errNotCalled), errors.Is(err, context.Canceled):
		return situation{retryAfter: r.connections.options.Backoff.min}
	case lambdatest.IsOutcomeUnknown(err):
		w.connection.accounts.doubt(w.user, r.connections.options.Now(), w.connection.lateUntil())
		return r.unavailable(w, err)
	case lambdatest.IsUnauthorized(err), lambdatest.IsRateLimited(err):
		// Everybody's trouble: back to the place in the lane.
		w.queued = true
		w.connection.lane.await(w.user, w.next.priority, w.past())
		return w.troubled(err)
	case lambdatest.IsUnavailable(err):
		return r.unavailable(w, err)
	case lambdatest.IsNotFound(err) && w.next.step != stepLookUp:
		w.connection.accounts.doubt(w.user, r.connections.options.Now(), r.connections.options.Now())
		if w.lost || w.past() != noFailure {
			// LambdaTest finds the account by its userName, and not by the id that it gives.
			return r.unavailable(w, err)
		}
		// The id is gone; the person may have another one.
		w.lost = true
		return situation{}
	}
	return r.rejected(w, err, given)
}

// rejected leaves out what may have been the reason, as far as the rest makes sense without it.
func (r *PersonReconciler) rejected(w *personWork, err error, given *circumstances) situation {
	group := w.desired.effective.ConcurrencyGroup
	switch {
	case w.next.step == stepLookUp && w.next.denies && isNotOurs(err) && !w.hadAccount():
		// The person is to have no access here and has no account here: nothing is left to do.
		w.connection.accounts.missed(w.user, w.calledAt)
		return situation{}
	case w.next.step == stepLookUp:
		return r.terminal(w, v1alpha1.OwnedByAnotherOrganizationReason, w.ownedElsewhere(err))
	case w.next.step == stepDeactivate:
		return r.terminal(w, v1alpha1.UpstreamRejectedReason, fmt.Sprintf(
			"LambdaTest refuses to deactivate account %s (%s): deactivate it there by hand.", w.next.id, err))
	case w.next.concurrencyGroup() != "":
		given.refusedGroup = group
		w.refusal = err
		return situation{}
	case w.next.denies && w.next.step == stepUpdate && !given.denialOnly:
		given.denialOnly = true
		w.refusal = err
		return situation{}
	case w.next.step == stepCreate && w.refusal == nil:
		// A lookup tells whether the address is another organization's.
		w.refusal = err
		w.connection.accounts.doubt(w.user, r.connections.options.Now(), r.connections.options.Now())
		return situation{}
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
func (w *personWork) hadAccount() bool {
	_, known := w.connection.accounts.get(w.user)
	return known || slices.ContainsFunc(w.claims, func(claim *v1alpha1.LambdaTestUser) bool { return claim.Status.AccountID != "" })
}

func (w *personWork) ownedElsewhere(err error) string {
	if w.hadAccount() {
		return fmt.Sprintf("LambdaTest says that the address belongs to another organization (%s), and the person had an account in this one, "+
			"which may still be active: move it back to this organization, or deactivate it there by hand.", err)
	}
	return fmt.Sprintf("LambdaTest says that the address belongs to another organization (%s): remove it there first, or delete this resource.", err)
}

// refused is a refusal that only a change of a resource can lift.
func (r *PersonReconciler) refused(w *personWork, why string) situation {
	return r.terminal(w, v1alpha1.UpstreamRejectedReason, fmt.Sprintf("LambdaTest refuses this (%s): correct the resource.", why))
}

// terminal remembers a refusal, so that the call is repeated after a change, on request, or when it is the person's turn.
func (r *PersonReconciler) terminal(w *personWork, reason, message string) situation {
	told := situation{readiness: stalled, reason: reason, message: w.wayOut(message), refused: true}
	w.connection.setbacks.refuse(w.user, setback{wanted: w.wanted(), cause: causeOwn(w.user), denies: w.next.denies, situation: told}, r.connections.options.Now())
	return told
}

// unavailable spaces the repetitions of one person's call; denials are never far apart.
func (r *PersonReconciler) unavailable(w *personWork, err error) situation {
	bounds := r.connections.options.Backoff
	if w.next.denies {
		bounds.max = min(bounds.max, denialBackoffMax)
	}
	return w.connection.setbacks.failed(w.user, w.wanted(), w.connection.lane.answers(), r.connections.options.Now(), bounds, w.troubled(err))
}

// troubled tells of trouble that is not the person's.
func (w *personWork) troubled(err error) situation {
	switch {
	case lambdatest.IsUnauthorized(err):
		return w.unauthorized()
	case lambdatest.IsRateLimited(err):
		return rateLimited()
	}
	return situation{
		readiness: progressing,
		reason:    v1alpha1.UpstreamUnavailableReason,
		message:   fmt.Sprintf("LambdaTest gave no answer that can be trusted (%s). The call is repeated by itself.", err),
	}
}

func rateLimited() situation {
	return situation{
		readiness: progressing,
		reason:    v1alpha1.RateLimitedReason,
		message:   "LambdaTest asks to slow down. The call is repeated by itself; nothing needs to be done.",
	}
}

func (w *personWork) unauthorized() situation {
	set, _ := w.connection.state()
	return situation{
		readiness: stalled,
		reason:    v1alpha1.UnauthorizedReason,
		message: w.wayOut(fmt.Sprintf("LambdaTest refuses the token of %s %s: put a valid one into Secret %s; it is used at once.",
			v1alpha1.OrganizationKind, w.key.Organization, set.tokenSecret)),
	}
}

// wayOut adds, for those who are being deleted, how to go without LambdaTest.
func (w *personWork) wayOut(message string) string {
	if w.desired.fate != fateDeactivated {
		return message
	}
	return message + " Until then this resource stays; to let it go and leave the account as it is, set spec.deletionPolicy: Orphan."
}

// blocked tells a person what stands in the way of the organization.
func (w *personWork) blocked(obstacle situation) situation {
	if obstacle.reason == v1alpha1.SuspendedReason && w.desired.fate == fateKept && w.next.denies && w.mayBeActive() {
		return situation{
			readiness: stalled,
			reason:    v1alpha1.DeniedButActiveReason,
			message: fmt.Sprintf("The person is denied and can still sign in, because %s %s is suspended: set its spec.suspend to false, or deactivate the person at LambdaTest.",
				v1alpha1.OrganizationKind, w.key.Organization),
		}
	}
	obstacle.message = w.wayOut(obstacle.message)
	return obstacle
}

func (w *personWork) mayBeActive() bool {
	account, known := w.connection.accounts.get(w.user)
	return !known || account.Active
}

// waiting is what to tell somebody who waits for a turn: nothing, unless it may take long. A denial is the next, and has its turn before
// such a status would be written.
func (w *personWork) waiting() situation {
	switch state, pausedUntil := w.connection.lane.state(); {
	case state == "unauthorized":
		return w.unauthorized()
	case state == "open":
		return situation{
			readiness: progressing,
			reason:    v1alpha1.UpstreamUnavailableReason,
			message:   "LambdaTest has not answered for a while. It is tried again and again; nothing needs to be done here.",
		}
	case pausedUntil.After(w.connection.options.Now().Add(longPause)):
		return rateLimited()
	case w.next.priority < priorityDenial && w.connection.lane.backlog() > longWait:
		return situation{
			readiness: progressing,
			reason:    v1alpha1.ProgressingReason,
			message: fmt.Sprintf("Waits for its turn: many changes are before it. They go as fast as spec.rateLimit of %s %s allows.",
				v1alpha1.OrganizationKind, w.key.Organization),
		}
	}
	return situation{}
}

// atRest is the outcome when nothing is left to do.
func (w *personWork) atRest(have observed, given circumstances) situation {
	now := w.connection.options.Now()
	if have.roleUnsure && w.roleDiffers() {
		// The next comparison tells which role LambdaTest computed.
		w.connection.sweepEarly()
	}
	switch {
	case w.desired.fate != fateKept:
		return situation{readiness: ready}
	case w.next.reported:
		return situation{
			readiness: stalled,
			reason:    v1alpha1.DriftedReason,
			message: fmt.Sprintf("LambdaTest differs, see status.plannedChanges, and driftPolicy of %s %s is Report: change the account, this resource, or the policy.",
				v1alpha1.OrganizationKind, w.key.Organization),
		}
	case given.refusedGroup != "" || given.denialOnly:
		return w.partlyRefused(given)
	case given.roleElsewhere && !have.roleUnsure:
		return w.roleFollows()
	}
	w.connection.setbacks.clear(w.user)
	told := situation{readiness: ready, reason: v1alpha1.SyncedReason, message: w.syncedMessage(have)}
	if w.next.denies && have.readBackAt.After(now) {
		told.retryAfter = have.readBackAt.Sub(now)
	}
	return told
}

// expectReadBack has an account that is off read again, because a late call of a former leader may switch it on where the denial is
// younger than a lease. Who is looked at late is read at once.
func (w *personWork) expectReadBack(given circumstances) {
	if w.desired.fate == fateKept && w.desired.denies() && (!given.settled || w.isYoungDenial()) {
		w.connection.accounts.readBack(w.user, w.connection.formerLeaderUntil())
	}
}

// isYoungDenial tells whether the denial came within a lease before the connection was opened, or after.
func (w *personWork) isYoungDenial() bool {
	if w.denial == nil {
		return false
	}
	since := w.denial.CreationTimestamp.Time
	if written, err := time.Parse(time.RFC3339, w.denial.Annotations[v1alpha1.LastModifiedAnnotation]); err == nil {
		since = written
	}
	if told := readyCondition(w.denial); told != nil && told.LastTransitionTime.After(since) {
		since = told.LastTransitionTime.Time
	}
	return since.After(w.connection.openedAt.Add(-w.connection.options.LeaseDuration))
}

func (w *personWork) partlyRefused(given circumstances) situation {
	if held, ok := w.connection.setbacks.get(w.user, w.wanted()); ok && held.partial() && w.refusal == nil {
		return held.situation
	}
	told, cause := situation{
		readiness: stalled,
		reason:    v1alpha1.UpstreamRejectedReason,
		message:   fmt.Sprintf("The person was deactivated, but LambdaTest refuses the rest (%v): correct the resource.", w.refusal),
		refused:   true,
	}, causeOwn(w.user)
	if given.refusedGroup != "" {
		cause = causeConcurrencyGroup(given.refusedGroup)
		told.reason = v1alpha1.ConcurrencyGroupNotFoundReason
		told.message = fmt.Sprintf("LambdaTest refuses the concurrency group %q (%v): create it there, or correct spec.concurrencyGroup. Everything else is done.",
			given.refusedGroup, w.refusal)
	}
	w.connection.setbacks.refuse(w.user, setback{
		wanted: w.wanted(), cause: cause, refusedGroup: given.refusedGroup, denialOnly: given.denialOnly, situation: told,
	}, w.connection.options.Now())
	return told
}

func (w *personWork) syncedMessage(have observed) string {
	switch {
	case have.account == nil && w.next.denies:
		return "The person is denied and has no account in this LambdaTest organization."
	case w.next.denies:
		return "The person is denied and cannot sign in at LambdaTest."
	}
	if have.account != nil && w.nameDiffers(*have.account) {
		return fmt.Sprintf("LambdaTest has what is wanted, except for the name, which it takes once and keeps: %s %s. The person can change it in the account settings.",
			have.account.GivenName, have.account.FamilyName)
	}
	return "LambdaTest has what is wanted."
}

func (w *personWork) nameDiffers(account lambdatest.User) bool {
	return account.GivenName != w.desired.givenName || account.FamilyName != w.desired.familyName
}

// announce records the change that was made, on the claim that decides. That an account was created is told by the status alone, which
// was empty before: ten thousand new people are enough for the API server to write as it is.
func (r *PersonReconciler) announce(w *personWork) {
	claim := w.claims[0]
	if len(w.living) > 0 {
		claim = w.living[0]
	}
	if w.denial != nil {
		claim = w.denial
	}
	switch w.next.step {
	case stepDeactivate:
		r.recorder.Eventf(claim, nil, corev1.EventTypeNormal, "Deactivated", "Deactivate", "Deactivated the account: nobody claims the person any more.")
	case stepUpdate:
		r.recorder.Eventf(claim, nil, corev1.EventTypeNormal, "Changed", "Update", "Changed at LambdaTest: %s.", changesText(w.next))
	}
}
