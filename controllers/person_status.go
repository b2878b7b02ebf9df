// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

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
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// report writes down where things stand: in each claim's status where it differs, and in the ledger. Claims that waited for their
// account to be switched off are let go once it is.
func (r *PersonReconciler) report(ctx context.Context, w *personWork, now situation) error {
	if w.desired.fate == fateDeactivated && now.readiness == ready {
		if err := r.releaseAll(ctx, w); err != nil {
			return err
		}
	}
	if len(w.living) > 0 && now.readiness == ready {
		if err := r.ensureFinalizers(ctx, w); err != nil {
			return err
		}
	}
	w.enter(now)
	for _, claim := range w.claims {
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
func (r *PersonReconciler) reportTo(ctx context.Context, w *personWork, claim *v1alpha1.LambdaTestUser, now situation) error {
	now = w.tell(claim, now)
	if isFull(claim) {
		now = w.tellGuarded(claim, now)
	}
	if now.readiness == silent {
		return nil
	}
	if !r.written.shows(claim) {
		claim = claim.DeepCopy()
		if err := r.written.refresh(ctx, r.live, claim); err != nil {
			return client.IgnoreNotFound(err)
		}
	}
	updated := claim.DeepCopy()
	w.describe(updated)
	settle(updated, now, metav1.NewTime(r.connections.options.Now()))
	if equality.Semantic.DeepEqual(claim.Status, updated.Status) {
		return nil
	}
	if err := r.written.patchStatus(ctx, r.client, claim, updated); err != nil {
		return err
	}
	r.recordTransition(claim, updated)
	return nil
}

// tell turns what holds for the person into what holds for one claim.
func (w *personWork) tell(claim *v1alpha1.LambdaTestUser, now situation) situation {
	if !isFull(claim) {
		return situation{readiness: ready, reason: v1alpha1.ObservedReason, message: observedMessage(claim)}
	}
	if !claim.DeletionTimestamp.IsZero() {
		return now
	}
	if older := duplicateOf(claim, w.living); older != nil {
		return situation{
			readiness: stalled,
			reason:    v1alpha1.DuplicateUserNameReason,
			message: fmt.Sprintf("%s is about the same person and older: it decides, this one contributes only a denial. Delete one of the two.",
				claimReference(older)),
		}
	}
	if now.readiness == ready && w.denial != nil && !claim.IsDenial() {
		now.reason = v1alpha1.DeniedByAnotherClaimReason
		now.message = deniedMessage(w.denial)
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
	since := shortenedTo(maxToken, denial.Annotations[v1alpha1.LastModifiedAnnotation])
	if denial.IsMarkedDeleted() {
		since = denial.Spec.DeletedAt.UTC().Format("2006-01-02T15:04:05Z")
	}
	if since != "" {
		since = " since " + since
	}
	if v1alpha1.IsSCIM(denial) {
		return fmt.Sprintf("%s denies this person%s, and a denial wins: reactivate the person at the identity provider, or delete that resource.",
			claimReference(denial), since)
	}
	return fmt.Sprintf("%s denies this person%s, and a denial wins: set its spec.active to true, or delete it.", claimReference(denial), since)
}

// describe fills in everything but the conditions.
func (w *personWork) describe(claim *v1alpha1.LambdaTestUser) {
	into := &claim.Status
	if !w.requested || w.desired.fate == fateLeft {
		// Who only observes is read by the sweeps alone.
		into.LastHandledReconcileAt = resyncRequest(claim)
	}
	if w.desired.fate == fateKept && len(w.living) > 0 {
		into.Effective = w.desired.effective.DeepCopy()
	}
	account, known := w.observedAccount()
	switch {
	case account != nil:
		into.AccountID = account.ID
		into.Account = accountState(*account)
	case known:
		into.AccountID, into.Account = "", nil
	}
	into.PlannedChanges = w.planned(claim, account, known)
}

// observedAccount is what LambdaTest last said, and whether anybody asked.
func (w *personWork) observedAccount() (*lambdatest.User, bool) {
	if w.connection == nil {
		return nil, false
	}
	return w.connection.accounts.said(w.user)
}

// planned are the differences that a claim is shown because nobody carries them out.
func (w *personWork) planned(claim *v1alpha1.LambdaTestUser, account *lambdatest.User, known bool) []v1alpha1.PlannedChange {
	want := w.desired
	switch {
	case !isFull(claim):
		want = w.observing(claim, w.fromGroups)
	case w.guarded.held != situation{}:
		return w.plannedByGuard(account)
	case w.next.reported || w.held():
	default:
		return nil
	}
	if !known && account == nil {
		return nil
	}
	have := observed{account: account, known: true, current: true}
	return plan(want, have, circumstances{}).differences
}

// held tells whether the organization keeps the person's change from being carried out.
func (w *personWork) held() bool {
	if w.connection == nil || !w.next.mutates() {
		return false
	}
	_, obstacle := w.connection.state()
	return obstacle.reason == v1alpha1.SuspendedReason
}

// enter notes in the ledger how the person stands now.
func (w *personWork) enter(now situation) {
	if w.connection == nil {
		return
	}
	if len(w.released) == len(w.claims) {
		w.connection.ledger.strike(w.user)
		return
	}
	account, _ := w.observedAccount()
	active := account != nil && account.Active
	var stands standing
	for flag, holds := range map[standing]bool{
		standsClaimed:   len(w.living) > 0,
		standsActive:    active,
		standsOnAccount: account != nil && slices.ContainsFunc(w.claims, isFull),
		standsSynced:    len(w.living) > 0 && now.readiness == ready,
		standsFailing:   now.readiness == stalled || now.readiness == progressing && now.reason != v1alpha1.ProgressingReason,
		standsDrifted:   now.reason == v1alpha1.DriftedReason,
		standsDenied:    w.desired.denies() && !w.guarded.implicit() && w.next.step != stepNone && (active || account == nil),
		standsBarred:    w.desired.denies() && !w.guarded.implicit(),
		standsLeaving:   w.desired.fate == fateDeactivated && !w.desired.wasDenied,
		standsOpen:      now.readiness != ready,
		standsRefused:   now.refused,
	} {
		if holds {
			stands |= flag
		}
	}
	w.connection.ledger.enter(w.user, stands)
}

// remembered is how a person stood by the status of one claim.
func remembered(claim *v1alpha1.LambdaTestUser) standing {
	var stands standing
	if isFull(claim) && claim.DeletionTimestamp.IsZero() {
		stands |= standsClaimed
		if isReady(claim) {
			stands |= standsSynced
		}
		if claim.Status.Effective != nil && !claim.Status.Effective.Active {
			stands |= standsBarred
		}
	}
	if claim.Status.Account != nil && isFull(claim) {
		stands |= standsOnAccount
	}
	if condition := readyCondition(claim); condition != nil && slices.Contains(refusalReasons, condition.Reason) {
		stands |= standsRefused
	}
	if claim.Status.Account != nil {
		if claim.Status.Account.Active {
			stands |= standsActive
		}
	}
	return stands
}

// sharedReasons are troubles of a whole organization. Its own event tells of them: a hundred thousand more, one a person, would tell
// nothing else, and keep the API server busy just then.
var sharedReasons = []string{
	v1alpha1.SuspendedReason, v1alpha1.OrganizationNotReadyReason, v1alpha1.OrganizationChangedReason,
	v1alpha1.UnauthorizedReason, v1alpha1.RateLimitedReason,
}

// recordTransition is an event when a claim comes into trouble of its own, or out of it.
func (r *PersonReconciler) recordTransition(before, after *v1alpha1.LambdaTestUser) {
	old, now := readyCondition(before), readyCondition(after)
	switch {
	case now == nil || old != nil && old.Reason == now.Reason && old.Message == now.Message:
	case old != nil && old.Reason == now.Reason && now.Status != metav1.ConditionTrue:
		// The same trouble in other words.
	case slices.Contains(sharedReasons, now.Reason), old != nil && slices.Contains(sharedReasons, old.Reason) && now.Status == metav1.ConditionTrue:
	case now.Status != metav1.ConditionTrue:
		r.recorder.Eventf(after, nil, corev1.EventTypeWarning, now.Reason, "Reconcile", "%s", now.Message)
	case old != nil:
		r.recorder.Eventf(after, nil, corev1.EventTypeNormal, now.Reason, "Reconcile", "%s", now.Message)
	}
}

func accountState(account lambdatest.User) *v1alpha1.AccountState {
	return &v1alpha1.AccountState{
		Active:           account.Active,
		Role:             shownValue(account.Role),
		ConcurrencyGroup: shownValue(account.ConcurrencyGroup),
		GivenName:        shownValue(account.GivenName),
		FamilyName:       shownValue(account.FamilyName),
	}
}

// rememberedAccount is the way back.
func rememberedAccount(claim *v1alpha1.LambdaTestUser) lambdatest.User {
	state := claim.Status.Account
	return lambdatest.User{
		ID:               claim.Status.AccountID,
		UserName:         claim.Spec.UserName,
		Active:           state.Active,
		Role:             state.Role,
		ConcurrencyGroup: state.ConcurrencyGroup,
		GivenName:        state.GivenName,
		FamilyName:       state.FamilyName,
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
