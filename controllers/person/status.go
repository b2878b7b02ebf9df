// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/accounts"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/guard"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// report writes the outcome into each claim's status where it differs, and into the census. Claims that waited for the account to be
// switched off are released once it is.
func (r *Reconciler) report(ctx context.Context, w *work, outcome status.Outcome) error {
	if w.Desired.Fate == claims.FateDeactivated && outcome.Readiness == status.Ready {
		for _, claim := range w.Leaving {
			if err := r.release(ctx, w, claim); err != nil {
				return err
			}
		}
	}
	missing := slices.ContainsFunc(w.Living, func(claim *v1alpha1.LambdaTestUser) bool { return r.releases.IsMissing(claim) })
	if len(w.Living) > 0 && outcome.Readiness == status.Ready || missing {
		if err := r.ensureFinalizers(ctx, w); err != nil {
			return err
		}
	}
	w.recordStanding(outcome)
	if err := r.refreshDenial(ctx, w); err != nil {
		return err
	}
	written := 0
	for _, claim := range w.Claims {
		if w.released.Has(claim.UID) {
			continue
		}
		if w.unreported = written == maxReports; w.unreported {
			break
		}
		wrote, err := r.reportTo(ctx, w, claim, w.outcomeFor(claim, outcome))
		if err != nil {
			return err
		}
		if wrote {
			written++
		}
	}
	return nil
}

// maxReports is how many statuses one reconcile writes. There may be thousands of resources about one person, and each change of one of them
// may change all statuses: the others are written later, so that the workers are free for other organizations in between.
const maxReports = 20

// reportTo writes one claim's status, if it differs, and says whether it did.
func (r *Reconciler) reportTo(ctx context.Context, w *work, claim *v1alpha1.LambdaTestUser, outcome status.Outcome) (wrote bool, err error) {
	if outcome.Readiness == status.Silent {
		return false, nil
	}
	if !r.Written.Shows(claim) {
		claim = claim.DeepCopy()
		if err := r.Written.Refresh(ctx, r.Live, claim); err != nil {
			return false, client.IgnoreNotFound(err)
		}
	}
	updated := claim.DeepCopy()
	w.describe(updated)
	status.Settle(updated, outcome, metav1.NewTime(r.Registry.Options.Now()))
	if equality.Semantic.DeepEqual(claim.Status, updated.Status) {
		return false, nil
	}
	if err := r.Written.Patch(ctx, r.Client, claim, updated); err != nil {
		return false, err
	}
	status.RecordTransition(r.Recorder, claim, updated)
	r.auditStatus(w, claim, updated)
	r.reportAdmin(w, claim, updated)
	return true, nil
}

// outcomeFor turns the outcome for the person into the one for a claim.
func (w *work) outcomeFor(claim *v1alpha1.LambdaTestUser, outcome status.Outcome) status.Outcome {
	living, ready := claim.DeletionTimestamp.IsZero(), outcome.Readiness == status.Ready
	switch {
	case !claims.IsFull(claim):
		return status.Readyf(v1alpha1.ObservedReason, "%s", observedMessage(claim))
	case living && outcome.Reason == v1alpha1.DeniedButActiveReason:
		return outcome
	case w.guarded.holding() && w.guarded.pending && living:
		return status.Outcome{}
	case w.guarded.holding() && !w.guarded.pending && (living || ready):
		return w.guarded.held
	case living && claims.DuplicateOf(claim, w.Living) != nil:
		return status.Stalledf(v1alpha1.DuplicateUserNameReason, "%s already declares this person. This resource is ignored, except that active: false in it would deny the person. Delete one of the two.",
			claims.Reference(claims.DuplicateOf(claim, w.Living)))
	case !ready:
	case w.kept != status.Outcome{}:
		return w.kept
	case w.roleHeld():
		lower := guard.DemotionEntry(w.Desired.Effective.RoleFrom, w.Desired.Effective.Role, "a lower one")
		return w.heldOutcome(guard.Request{Kind: guard.Demotion, Entries: []string{lower}}, guard.Held)
	case living && w.Denial != nil && !claim.IsDenial():
		outcome.Reason, outcome.Message = v1alpha1.DeniedByAnotherClaimReason, deniedMessage(w.Denial, w.deniedAt())
	case living && outcome.Reason == v1alpha1.SyncedReason:
		outcome.Message += w.overruled(claim)
	}
	return outcome
}

// observedMessage names the way to more. Users cannot change what the operator imported.
func observedMessage(claim *v1alpha1.LambdaTestUser) string {
	if v1alpha1.IsImported(claim) {
		return fmt.Sprintf("This resource only observes an account that nobody claims. To claim the person, commit or apply what this writes: kubectl lambdatest export %s -n %s --organization %s",
			claim.Name, claim.Namespace, claim.Spec.OrganizationRef.Name)
	}
	return "This resource only observes; status.plannedChanges is what it would change. To carry it out, set managementPolicy: Full."
}

// deniedMessage names the claim that denies, since when, and the ways out.
func deniedMessage(denial *v1alpha1.LambdaTestUser, since time.Time) string {
	waysOut := "set its spec.active to true, or delete it."
	if v1alpha1.IsSCIM(denial) {
		waysOut = "reactivate the person at the identity provider, or delete that resource."
	}
	return fmt.Sprintf("%s has denied this person since %s, and a denial wins: %s", claims.Reference(denial), shownTime(since), waysOut)
}

// refreshDenial reads the claim that denies again if the cache does not show yet what this process wrote into its status: since when it denies.
func (r *Reconciler) refreshDenial(ctx context.Context, w *work) error {
	if w.Denial == nil || r.Written.Shows(w.Denial) {
		return nil
	}
	w.Denial = w.Denial.DeepCopy()
	return client.IgnoreNotFound(r.Written.Refresh(ctx, r.Live, w.Denial))
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
	case known && !w.given.vanished:
		// Before the person was looked up, an account that is gone by its id may have moved: nothing else says which one it was.
		into.AccountID, into.Account = "", nil
	}
	into.PlannedChanges = w.planned(claim, account, known)
	w.noteDenial(claim)
}

// observedAccount is what LambdaTest last said, and whether it was asked.
func (w *work) observedAccount() (account *lambdatest.User, known bool) {
	if w.connection == nil {
		return nil, false
	}
	return w.connection.Accounts.Said(w.user)
}

// planned are the differences that a claim shows because they are not carried out.
func (w *work) planned(claim *v1alpha1.LambdaTestUser, account *lambdatest.User, known bool) []v1alpha1.PlannedChange {
	want := w.Desired
	switch {
	case !claims.IsFull(claim):
		want = w.Observing(claim, w.fromGroups, w.maxRole())
	case w.guarded.held != status.Outcome{}:
		if want = w.unguarded(); account == nil {
			return nil
		}
	case !w.next.reported && !w.given.setBack && !w.suspended():
		return nil
	}
	if !known && account == nil {
		return nil
	}
	return plan(want, accounts.Observed{Account: account, Known: true, Current: true}, constraints{}).differences
}

// suspended tells whether the planned change waits because the organization is suspended.
func (w *work) suspended() bool {
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
	active := w.isActive()
	var stands connection.Standing
	for flag, holds := range map[connection.Standing]bool{
		connection.StandsClaimed:   len(w.Living) > 0,
		connection.StandsActive:    active,
		connection.StandsOnAccount: account != nil && slices.ContainsFunc(w.Claims, claims.IsFull),
		connection.StandsSynced:    len(w.Living) > 0 && now.Readiness == status.Ready,
		connection.StandsFailing:   now.Readiness == status.Stalled || now.Readiness == status.Progressing && now.Reason != v1alpha1.ProgressingReason,
		connection.StandsDrifted:   now.Reason == v1alpha1.DriftedReason,
		connection.StandsDenied:    w.isPending(),
		connection.StandsBarred:    w.Desired.Denies() && !w.guarded.implicit(),
		connection.StandsLeaving:   w.Desired.Fate == claims.FateDeactivated && !w.Desired.WasDenied,
		connection.StandsOpen:      now.Readiness != status.Ready,
		connection.StandsRefused:   now.Refused,
		connection.StandsAdmin:     account != nil && connection.IsAdmin(*account),
	} {
		if holds {
			stands |= flag
		}
	}
	w.connection.Census.Record(w.user, stands, w.unsaid(now))
	if w.isPending() && w.Denial != nil {
		w.connection.Census.Await(w.user, connection.PendingDenial{Since: w.deniedAt(), By: claims.Reference(w.Denial)})
	}
}

// unsaid are the parts of a standing that an outcome does not tell. Without it each retry of a refusal would change the counts of the
// organization while it waits for its turn, and change them back.
func (w *work) unsaid(now status.Outcome) connection.Standing {
	if now.Readiness != status.Silent {
		return 0
	}
	unsaid := connection.StandsFailing | connection.StandsRefused | connection.StandsDrifted
	if w.given.settled && !w.next.mutates() {
		unsaid |= connection.StandsSynced | connection.StandsDenied // only a read is to come, and all may be as it was
	}
	return unsaid
}
