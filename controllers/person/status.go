// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/accounts"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// report writes down where things stand: in each claim's status where it differs, and in the census. Claims that waited for their
// account to be switched off are let go once it is.
func (r *Reconciler) report(ctx context.Context, w *work, now status.Outcome) error {
	if w.Desired.Fate == claims.FateDeactivated && now.Readiness == status.Ready {
		if err := r.releaseAll(ctx, w); err != nil {
			return err
		}
	}
	if len(w.Living) > 0 && now.Readiness == status.Ready {
		if err := r.ensureFinalizers(ctx, w); err != nil {
			return err
		}
	}
	w.recordStanding(now)
	for _, claim := range w.Claims {
		if w.released[claim.UID] {
			continue
		}
		if err := r.reportTo(ctx, w, claim, now); err != nil {
			return err
		}
	}
	return nil
}

// reportTo writes one claim's status, if it differs.
func (r *Reconciler) reportTo(ctx context.Context, w *work, claim *v1alpha1.LambdaTestUser, now status.Outcome) error {
	now = w.tell(claim, now)
	if claims.IsFull(claim) {
		now = w.tellGuarded(claim, now)
	}
	if now.Readiness == status.Silent {
		return nil
	}
	if !r.Written.Shows(claim) {
		claim = claim.DeepCopy()
		if err := r.Written.Refresh(ctx, r.Live, claim); err != nil {
			return client.IgnoreNotFound(err)
		}
	}
	updated := claim.DeepCopy()
	w.describe(updated)
	status.Settle(updated, now, metav1.NewTime(r.Registry.Options.Now()))
	if equality.Semantic.DeepEqual(claim.Status, updated.Status) {
		return nil
	}
	if err := r.Written.Patch(ctx, r.Client, claim, updated); err != nil {
		return err
	}
	r.recordTransition(claim, updated)
	return nil
}

// tell turns what holds for the person into what holds for one claim.
func (w *work) tell(claim *v1alpha1.LambdaTestUser, now status.Outcome) status.Outcome {
	if !claims.IsFull(claim) {
		return status.Readyf(v1alpha1.ObservedReason, "%s", observedMessage(claim))
	}
	if !claim.DeletionTimestamp.IsZero() {
		return now
	}
	if older := claims.DuplicateOf(claim, w.Living); older != nil {
		return status.Stalledf(v1alpha1.DuplicateUserNameReason, "%s is about the same person and older: it decides, this one contributes only a denial. Delete one of the two.",
			claims.Reference(older))
	}
	if now.Readiness == status.Ready && w.Denial != nil && !claim.IsDenial() {
		now.Reason = v1alpha1.DeniedByAnotherClaimReason
		now.Message = deniedMessage(w.Denial)
	}
	return now
}

// observedMessage names the way to more. Nobody but the operator may change what it imported.
func observedMessage(claim *v1alpha1.LambdaTestUser) string {
	if v1alpha1.IsImported(claim) {
		return fmt.Sprintf("This resource only observes an account that nobody claims. To claim the person, commit or apply what this writes: kubectl lambdatest export %s -n %s --organization %s",
			claim.Name, claim.Namespace, claim.Spec.OrganizationRef.Name)
	}
	return "This resource only observes; status.plannedChanges is what it would change. To carry it out, set managementPolicy: Full."
}

// deniedMessage names the claim that denies, since when, and the ways out.
func deniedMessage(denial *v1alpha1.LambdaTestUser) string {
	since := status.Shorten(status.MaxToken, denial.Annotations[v1alpha1.LastModifiedAnnotation])
	if denial.IsMarkedDeleted() {
		since = denial.Spec.DeletedAt.UTC().Format("2006-01-02T15:04:05Z")
	}
	if since != "" {
		since = " since " + since
	}
	if v1alpha1.IsSCIM(denial) {
		return fmt.Sprintf("%s denies this person%s, and a denial wins: reactivate the person at the identity provider, or delete that resource.",
			claims.Reference(denial), since)
	}
	return fmt.Sprintf("%s denies this person%s, and a denial wins: set its spec.active to true, or delete it.", claims.Reference(denial), since)
}

// describe fills in everything but the conditions.
func (w *work) describe(claim *v1alpha1.LambdaTestUser) {
	into := &claim.Status
	if !w.requested || w.Desired.Fate == claims.FateLeft {
		// An account that claims only observe is read by sweeps alone.
		into.LastHandledReconcileAt = status.ResyncRequest(claim)
	}
	if w.Desired.Fate == claims.FateKept && len(w.Living) > 0 {
		into.Effective = w.Desired.Effective.DeepCopy()
	}
	account, known := w.observedAccount()
	switch {
	case account != nil:
		into.AccountID = account.ID
		into.Account = accounts.StateOf(*account)
	case known:
		into.AccountID, into.Account = "", nil
	}
	into.PlannedChanges = w.planned(claim, account, known)
}

// observedAccount is what LambdaTest last said, and whether anybody asked.
func (w *work) observedAccount() (*lambdatest.User, bool) {
	if w.connection == nil {
		return nil, false
	}
	return w.connection.Accounts.Said(w.user)
}

// planned are the differences that a claim is shown because nobody carries them out.
func (w *work) planned(claim *v1alpha1.LambdaTestUser, account *lambdatest.User, known bool) []v1alpha1.PlannedChange {
	want := w.Desired
	switch {
	case !claims.IsFull(claim):
		want = w.Observing(claim, w.fromGroups)
	case w.guarded.held != status.Outcome{}:
		return w.plannedByGuard(account)
	case w.next.reported || w.held():
	default:
		return nil
	}
	if !known && account == nil {
		return nil
	}
	have := accounts.Observed{Account: account, Known: true, Current: true}
	return plan(want, have, constraints{}).differences
}

// held tells whether the organization keeps the person's change from being carried out.
func (w *work) held() bool {
	if w.connection == nil || !w.next.mutates() {
		return false
	}
	_, obstacle := w.connection.State()
	return obstacle.Reason == v1alpha1.SuspendedReason
}

// recordStanding notes in the census how the person stands now.
func (w *work) recordStanding(now status.Outcome) {
	if w.connection == nil {
		return
	}
	if len(w.released) == len(w.Claims) {
		w.connection.Census.Remove(w.user)
		return
	}
	account, _ := w.observedAccount()
	active := account != nil && account.Active
	var stands connection.Standing
	for flag, holds := range map[connection.Standing]bool{
		connection.StandsClaimed:   len(w.Living) > 0,
		connection.StandsActive:    active,
		connection.StandsOnAccount: account != nil && slices.ContainsFunc(w.Claims, claims.IsFull),
		connection.StandsSynced:    len(w.Living) > 0 && now.Readiness == status.Ready,
		connection.StandsFailing:   now.Readiness == status.Stalled || now.Readiness == status.Progressing && now.Reason != v1alpha1.ProgressingReason,
		connection.StandsDrifted:   now.Reason == v1alpha1.DriftedReason,
		connection.StandsDenied:    w.Desired.Denies() && !w.guarded.implicit() && w.next.step != stepNone && (active || account == nil),
		connection.StandsBarred:    w.Desired.Denies() && !w.guarded.implicit(),
		connection.StandsLeaving:   w.Desired.Fate == claims.FateDeactivated && !w.Desired.WasDenied,
		connection.StandsOpen:      now.Readiness != status.Ready,
		connection.StandsRefused:   now.Refused,
	} {
		if holds {
			stands |= flag
		}
	}
	w.connection.Census.Record(w.user, stands)
}

// recordTransition is an event when a claim comes into trouble of its own, or out of it.
func (r *Reconciler) recordTransition(before, after *v1alpha1.LambdaTestUser) {
	old, now := status.ReadyCondition(before), status.ReadyCondition(after)
	switch {
	case now == nil || old != nil && old.Reason == now.Reason && old.Message == now.Message:
	case old != nil && old.Reason == now.Reason && now.Status != metav1.ConditionTrue:
		// The same trouble in other words.
	case slices.Contains(status.SharedReasons, now.Reason), old != nil && slices.Contains(status.SharedReasons, old.Reason) && now.Status == metav1.ConditionTrue:
	case now.Status != metav1.ConditionTrue:
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, now.Reason, "Reconcile", "%s", now.Message)
	case old != nil:
		r.Recorder.Eventf(after, nil, corev1.EventTypeNormal, now.Reason, "Reconcile", "%s", now.Message)
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
