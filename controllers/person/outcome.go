// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"fmt"
	"slices"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/accounts"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// atRest is the outcome when nothing is left to do.
func (w *work) atRest(have accounts.Observed) status.Outcome {
	if have.RoleUnsure && w.roleDiffers() {
		// The next sweep reads the role that LambdaTest computed.
		w.connection.SweepEarly()
	}
	switch {
	case w.Desired.Fate != claims.FateKept:
		return status.Outcome{Readiness: status.Ready}
	case len(have.Several) > 0 && !w.Desired.Denies():
		return ambiguous(have.Several)
	case w.next.aboveMax:
		return w.aboveMaxRole(have.Account.Role)
	case w.next.reported:
		return status.Stalledf(v1alpha1.DriftedReason, "LambdaTest differs, see status.plannedChanges, and driftPolicy of %s %s is Report: change the account, this resource, or the policy.",
			v1alpha1.OrganizationKind, w.key.Organization)
	case w.given.refusedGroup != "" || w.given.denialOnly:
		return w.partlyRefused()
	case w.given.roleElsewhere && !have.RoleUnsure:
		return w.roleFollows()
	case w.given.setBack:
		return w.setBack()
	}
	w.connection.Holdoffs.Clear(w.user)
	outcome := status.Readyf(v1alpha1.SyncedReason, "%s", w.syncedMessage(have))
	if now := w.connection.Options.Now(); w.Desired.Denies() && have.ReadBackAt.After(now) {
		outcome.RetryAfter = have.ReadBackAt.Sub(now)
	}
	return outcome
}

func (w *work) syncedMessage(have accounts.Observed) string {
	account := have.Account
	switch {
	case account == nil && len(have.Several) == 0 && w.Desired.Denies():
		return "The person is denied and has no account in this LambdaTest organization."
	case w.Desired.Denies():
		return "The person is denied and cannot sign in at LambdaTest."
	case account != nil && (account.GivenName != w.Desired.GivenName || account.FamilyName != w.Desired.FamilyName):
		return fmt.Sprintf("LambdaTest has what is wanted, except for the name, which it takes once and keeps: %s %s. The person can change it in the account settings.",
			account.GivenName, account.FamilyName)
	}
	return "LambdaTest has what is wanted."
}

// ambiguous is the outcome while LambdaTest has several accounts of the person, who is to have access.
func ambiguous(several []lambdatest.User) status.Outcome {
	return status.Stalledf(v1alpha1.AmbiguousAccountReason, "LambdaTest has %d accounts whose userNames differ from this one only in case (%s), so none of them is changed: "+
		"delete all but one there. A denial switches all of them off.", len(several), connection.IDsOf(several))
}

// otherSpelling is the outcome when LambdaTest answers with the account of a userName that differs by more than case: it may be another person's.
func (w *work) otherSpelling() status.Outcome {
	message := "LambdaTest takes the account of another spelling of this userName for this person's. It may be another person's, so it is not used: " +
		"correct the userName here, or that of the account at LambdaTest."
	if w.Desired.Denies() {
		message += " If it is this person's account, deactivate it there."
	}
	return w.refused(v1alpha1.AmbiguousAccountReason, message)
}

// aboveMaxRole is the outcome when the identity provider wants something of an account that has a higher role than it may give.
func (w *work) aboveMaxRole(role string) status.Outcome {
	return status.Stalledf(v1alpha1.RoleAboveMaximumReason, "The account is %s at LambdaTest, and spec.scim.maxRole of %s %s is %s: "+
		"the identity provider neither activates the account nor lowers its role. Declare the person in a LambdaTestUser of your own, or change the account at LambdaTest. A denial is carried out.",
		status.ShownValue(role), v1alpha1.OrganizationKind, w.key.Organization, w.Desired.MaxRole)
}

// refused is the outcome of a refusal of the person's own.
func (w *work) refused(reason, message string) status.Outcome {
	return w.attempt.Refused(connection.Holdoff{Cause: connection.CauseOwn(w.user)}, reason, message)
}

// mustCorrect is the outcome of a refusal that only a change of a resource can lift, or one at LambdaTest if a denial was refused.
func (w *work) mustCorrect(why string) status.Outcome {
	if w.Desired.Denies() && w.mayBeActive() {
		return w.refused(v1alpha1.DeniedButActiveReason, fmt.Sprintf(
			"LambdaTest refuses to deactivate account %s (%s). Deactivate the person at LambdaTest.", w.next.id, why))
	}
	return w.refused(v1alpha1.UpstreamRejectedReason, fmt.Sprintf("LambdaTest refuses this (%s): correct the resource.", why))
}

// partlyRefused is the outcome when everything is done except for what LambdaTest refused.
func (w *work) partlyRefused() status.Outcome {
	if held, ok := w.attempt.Holdoff(); ok && held.Partial() && w.refusal == nil {
		return held.Outcome
	}
	held := connection.Holdoff{RefusedGroup: w.given.refusedGroup, DenialOnly: w.given.denialOnly}
	if held.RefusedGroup == "" {
		held.Cause = connection.CauseOwn(w.user)
		return w.attempt.Refused(held, v1alpha1.UpstreamRejectedReason, fmt.Sprintf(
			"The person was deactivated, but LambdaTest refuses the rest (%v): correct the resource.", w.refusal))
	}
	held.Cause = connection.CauseConcurrencyGroup(held.RefusedGroup)
	return w.attempt.Refused(held, v1alpha1.ConcurrencyGroupNotFoundReason, fmt.Sprintf(
		"LambdaTest refuses the concurrency group %q (%v): create it there, or correct spec.concurrencyGroup. Everything else is done.", held.RefusedGroup, w.refusal))
}

// isSetBack tells whether LambdaTest set the role or the concurrency group back after corrections, and the next one has to wait, or is not
// made any more. After a restart the status says the latter.
func (w *work) isSetBack() bool {
	gaveUp := func(claim *v1alpha1.LambdaTestUser) bool {
		return status.HasReason(claim, v1alpha1.SetBackReason) && status.IsStalled(claim) && claim.Status.ObservedGeneration == claim.Generation &&
			status.ResyncRequest(claim) == claim.Status.LastHandledReconcileAt
	}
	_, wait, none := w.connection.SetBacks.Next(w.user, w.attempt.Fingerprint, w.connection.Options.Now())
	return none || wait > 0 || slices.ContainsFunc(w.Living, gaveUp)
}

// setBack is the outcome while a role or a concurrency group is not corrected.
func (w *work) setBack() status.Outcome {
	made, wait, none := w.connection.SetBacks.Next(w.user, w.attempt.Fingerprint, w.connection.Options.Now())
	if made > 0 && !none {
		outcome := status.Progressingf(v1alpha1.SetBackReason, "LambdaTest set back what the operator had set, see status.plannedChanges. The operator sets it again after a pause; nothing needs to be done here yet.")
		outcome.RetryAfter = wait
		return outcome
	}
	return status.Stalledf(v1alpha1.SetBackReason, "LambdaTest sets back what the operator sets, see status.plannedChanges, so the operator has stopped: "+
		"a mapping of a group, a custom role or an administrator decides it there. Change it at LambdaTest, or change this resource. To try again: kubectl annotate ltuser %s -n %s %s=\"$(date -u +%%FT%%TZ)\" --overwrite",
		w.Living[0].Name, w.key.Namespace, v1alpha1.ReconcileRequestedAtAnnotation)
}

// outOfReach is the outcome of a denial whose account LambdaTest does not show to the token, while other accounts are gone, too.
func (w *work) outOfReach() status.Outcome {
	return status.Stalledf(v1alpha1.DeniedButActiveReason, "LambdaTest does not show account %s to the token of %s %s any more. "+
		"If the token is of another organization, put the right one into the Secret. Otherwise deactivate the person at LambdaTest, in the organization or sub-organization that has the account now.",
		w.accountID(), v1alpha1.OrganizationKind, w.key.Organization)
}

// knownAccount is the account in memory; none is known while the organization is missing.
func (w *work) knownAccount() (lambdatest.User, bool) {
	if w.connection == nil {
		return lambdatest.User{}, false
	}
	return w.connection.Accounts.Get(w.user)
}

// accountID is that of the account which this organization has, or had.
func (w *work) accountID() string {
	if account, known := w.knownAccount(); known {
		return account.ID
	}
	for _, claim := range w.Claims {
		if claim.Status.AccountID != "" {
			return claim.Status.AccountID
		}
	}
	return ""
}

// hadAccount tells whether this organization is known to have, or to have had, an account of the person. One that LambdaTest no longer
// shows may have been moved to another organization, and may still be active there.
func (w *work) hadAccount() bool { return w.accountID() != "" }

func (w *work) hasAccountInStatus() bool {
	return slices.ContainsFunc(w.Claims, func(claim *v1alpha1.LambdaTestUser) bool { return claim.Status.AccountID != "" })
}

// believed is the outcome of a change that LambdaTest refused although it shows the account.
func (w *work) believed(err error) status.Outcome {
	if w.next.step == stepDeactivate {
		return w.refused(v1alpha1.UpstreamRejectedReason, fmt.Sprintf("LambdaTest refuses to deactivate account %s (%s): deactivate it there by hand.", w.next.id, err))
	}
	return w.mustCorrect(err.Error())
}

// moved is the outcome when LambdaTest refuses to show a person who had an account here: an administrator, or the mapping of a group, has
// moved the account to another organization or sub-organization. The status keeps the account as it was shown last. With the token of another
// organization LambdaTest refuses everybody, so the organization is recognised first.
func (w *work) moved(err error) (outcome status.Outcome, done bool) {
	if !w.connection.IsRecognised() {
		return w.unrecognised(), true
	}
	wasOff := !w.mayBeActive()
	w.connection.Accounts.Moved(w.user, w.calledAt)
	switch {
	case w.Desired.Denies() && wasOff:
		w.given.vanished = false
		return status.Outcome{}, false
	case w.Desired.Fate == claims.FateKept && w.Desired.Denies():
		return w.refused(v1alpha1.DeniedButActiveReason, fmt.Sprintf("LambdaTest has moved the account out of this organization (%s). "+
			"Deactivate the person at LambdaTest, in the organization or sub-organization that has the account now.", err)), true
	}
	return w.refused(v1alpha1.AccountMovedReason, fmt.Sprintf("LambdaTest has moved the account of this person out of this organization (%s), for example by the mapping of a group to a sub-organization. "+
		"It may still be active there. Move it back, or delete this resource and declare the person for the organization that has the account now.", err)), true
}

// unrecognised is the outcome when LambdaTest refuses to show a person who had an account here, and no sweep has told yet whether this is
// still the same organization. The end of the sweep requeues the person.
func (w *work) unrecognised() status.Outcome {
	if w.Desired.Fate == claims.FateKept && w.Desired.Denies() && w.mayBeActive() {
		return w.outOfReach()
	}
	if mismatch, there := w.connection.Mismatch(); there {
		return mismatch.Outcome(w.key.Organization)
	}
	return status.Progressingf(v1alpha1.ProgressingReason, "LambdaTest does not show this person to the token of %s %s any more. "+
		"The sweep that comes next tells whether the token is of another organization, or the person has moved; nothing needs to be done here yet.",
		v1alpha1.OrganizationKind, w.key.Organization)
}

// mayBeActive tells whether the account was on when LambdaTest showed it last.
func (w *work) mayBeActive() bool {
	if account, known := w.knownAccount(); known {
		return account.Active
	}
	return slices.ContainsFunc(w.Claims, func(claim *v1alpha1.LambdaTestUser) bool {
		return claim.Status.Account != nil && claim.Status.Account.Active
	})
}
