// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/deletion"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/guard"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// guarded is what a reconcile of a person asked of the guard.
type guarded struct {
	// departing is the request about what the claims that are being deleted take with them while others stay; changing is the one
	// about the planned change.
	departing, changing guard.Request
	// held is what to tell while the guard holds either of them; its zero value is that it does not.
	held status.Outcome
	// ponders says that the guard has not answered yet: nothing happens, and nothing is told, until it does.
	ponders bool
}

// waits tells whether something does not happen because of the guard.
func (g guarded) waits() bool { return g.held != status.Outcome{} || g.ponders }

// holding tells whether claims stay because of what their going would do.
func (g guarded) holding() bool { return g.waits() && len(g.departing.Entries) > 0 }

// implicit tells whether something waits that nobody asked for explicitly: then no denial waits.
func (g guarded) implicit() bool { return g.waits() && g.changing.Kind != guard.Denial }

// departure is what would happen to a person if the claims being deleted went and the others stayed: an activation, because one of
// them denies; or the loss of the role that one of them gives. The second value is what is wanted while they have not gone.
func departure(p claims.Person, account *lambdatest.User, fromGroups claims.GroupRole) (guard.Request, claims.Desired) {
	counting := slices.Clone(p.Living)
	for _, claim := range p.Leaving {
		if claims.IsFull(claim) {
			counting = append(counting, claim)
		}
	}
	if len(p.Living) == 0 || len(counting) == len(p.Living) {
		return guard.Request{}, p.Desired
	}
	slices.SortFunc(counting, claims.ByPrecedence)
	before := claims.Wish(counting, claims.FirstDenial(counting), fromGroups)
	had, has := before.Effective, p.Desired.Effective
	switch {
	case !had.Active && has.Active && (account == nil || !account.Active):
		return guard.Request{Kind: guard.Activation, Entries: []string{decider(had.ActiveFrom) + guard.ActivatedSuffix}}, before
	case account != nil && account.Active && claims.Demotes(had.Role, has.Role) && claims.Demotes(v1alpha1.Role(account.Role), has.Role):
		return guard.Request{Kind: guard.Demotion, Entries: []string{guard.DemotionEntry(decider(had.RoleFrom), had.Role, has.Role)}}, before
	}
	return guard.Request{}, before
}

// decider is how the guard calls whom status.effective names: a user by its name, a group by kind and name.
func decider(reference string) string {
	return strings.TrimPrefix(reference, v1alpha1.UserKind+"/")
}

// guardDeparture asks before claims go that others follow. While it is held, what they say counts on.
func (r *Reconciler) guardDeparture(ctx context.Context, w *work) error {
	if w.organization == nil {
		return nil // gone for good, and with it what its guard held
	}
	account, _ := w.observedAccount()
	request, before := departure(w.Person, account, w.fromGroups)
	if len(request.Entries) == 0 {
		return nil
	}
	if dissolving, err := r.Registry.Terminations.Any(ctx, r.Live, w.key.Namespace, deletion.UsersCRD); err != nil || dissolving {
		// Everything about the person goes: what was in force stays.
		w.Desired = before
		return err
	}
	request.Asker = w.user
	w.guarded.departing = request
	switch answer := w.connection.Guard.Ask(request); answer {
	case guard.Admitted:
		w.guarded.departing = guard.Request{}
	case guard.Rejected:
		w.guarded.departing = guard.Request{}
		w.kept = keptSituation(request.Entries[0])
		w.Desired = before
	case guard.Held, guard.Deferred, guard.Pending:
		w.await(request, answer)
		w.goesOnAs(before)
	}
	return nil
}

// goesOnAs lets the claims that are being deleted count on.
func (w *work) goesOnAs(before claims.Desired) {
	w.Desired = before
	w.Denial = claims.FirstDenial(slices.Concat(w.Living, w.Leaving))
}

// guardChange asks before the planned change takes access away. It says whether the change may be made, and else what to tell.
func (r *Reconciler) guardChange(w *work) (told status.Outcome, may bool) {
	w.guarded.changing = guard.Request{}
	request, asked := w.loss()
	if !asked {
		return status.Outcome{}, true
	}
	request.Asker = w.user
	w.guarded.changing = request
	answer := w.connection.Guard.Ask(request)
	switch {
	case answer == guard.Admitted:
		return status.Outcome{}, true
	case answer == guard.Rejected && request.Kind == guard.Deprovision:
		w.guarded.changing = guard.Request{}
		r.Recorder.Eventf(w.Leaving[0], nil, corev1.EventTypeNormal, "Orphaned", "Release", "The account was left as it is: the deactivation was rejected.")
		return status.Outcome{Readiness: status.Ready}, false
	}
	w.await(request, answer)
	return w.guarded.held, false
}

// await notes that the guard keeps something from happening, be it only until it has answered.
func (w *work) await(request guard.Request, answer guard.Verdict) {
	if answer == guard.Pending {
		w.guarded.ponders = true
		return
	}
	w.guarded.held = w.heldSituation(request.Kind, answer)
}

// loss is what the planned change would take away, if the guard has a say in it.
func (w *work) loss() (guard.Request, bool) {
	switch {
	case w.next.step == stepDeactivate && !w.Desired.WasDenied:
		return guard.Request{Kind: guard.Deprovision, Entries: []string{w.Leaving[0].Name}}, true
	case w.next.step == stepDeactivate, w.next.denies && w.next.update.Active != nil:
		if w.organization.Spec.DeprovisionGuard.ExplicitPercent == nil {
			w.connection.Guard.CountDenial(w.user, w.connection.Options.Now())
			return guard.Request{}, false
		}
		return guard.Request{Kind: guard.Denial, Entries: []string{w.Claims[0].Name + guard.DeniedSuffix}}, true
	}
	return guard.Request{}, false
}

// plannedByGuard is what would change if the guard did not hold it.
func (w *work) plannedByGuard(account *lambdatest.User) []v1alpha1.PlannedChange {
	if account == nil {
		return nil
	}
	after := w.Desired
	if len(w.guarded.departing.Entries) > 0 {
		after = claims.Merge(w.Claims, w.fromGroups).Desired
	}
	if after.Fate == claims.FateDeactivated {
		after.Effective = v1alpha1.EffectiveState{}
		after.Fate = claims.FateKept
	}
	_, differences := differing(after, *account, constraints{})
	return differences
}

// keep leaves in force what a claim or a group gave that was deleted, when that was rejected: until a resource about the person says
// something new, or somebody asks for a resync.
func (w *work) keep() {
	if w.connection == nil || len(w.Living) == 0 {
		return
	}
	news := w.requested
	var before *v1alpha1.EffectiveState
	for _, claim := range w.Living {
		news = news || claim.Status.ObservedGeneration != claim.Generation
		if before == nil {
			before = claim.Status.Effective
		}
	}
	if before == nil {
		return
	}
	now := &w.Desired.Effective
	if from := before.RoleFrom; from != now.RoleFrom && claims.Demotes(before.Role, now.Role) && w.keeps(from, news) {
		now.Role, now.RoleFrom = before.Role, before.RoleFrom
	}
	if from := before.ActiveFrom; now.Active && from != "" && w.keeps(from, news) {
		now.Active, now.ActiveFrom = false, before.ActiveFrom
	}
}

func (w *work) keeps(from string, news bool) bool {
	name := decider(from)
	if !w.connection.Guard.Keeps(name) {
		return false
	}
	if news {
		w.connection.Guard.Resolve([]string{name}, map[string]bool{name: true})
		return false
	}
	w.kept = keptSituation(name)
	return true
}

// settleGuard forgets what is over: whatever was asked about claims that have gone; and about the others, what is not asked any more.
func (w *work) settleGuard() {
	if w.connection == nil {
		return
	}
	var gone, staying []string
	living := map[string]bool{}
	for _, claim := range w.Claims {
		if w.released[claim.UID] {
			gone = append(gone, claim.Name)
			continue
		}
		staying = append(staying, claim.Name)
		living[claim.Name] = claim.DeletionTimestamp.IsZero()
	}
	w.connection.Guard.Resolve(gone, living)
	still := slices.Clone(w.guarded.departing.Entries)
	switch {
	case w.next.step == stepNone:
		w.connection.Guard.Resolve(staying, living, still...)
	case len(w.guarded.changing.Entries) > 0:
		w.connection.Guard.Resolve(staying, living, append(still, w.guarded.changing.Entries...)...)
	}
}

// heldSituation tells those who are held where to look. The token is the organization's to tell: it changes with everybody who is held.
func (w *work) heldSituation(kind guard.Kind, answer guard.Verdict) status.Outcome {
	if answer == guard.Deferred {
		return guard.DeferredOutcome(w.key.Organization)
	}
	reason, what := v1alpha1.DeprovisionHeldReason, "Nobody denied this person, and"
	switch kind {
	case guard.Demotion:
		reason, what = v1alpha1.DemotionHeldReason, "A lower role follows from a deletion, and"
	case guard.Activation:
		reason, what = v1alpha1.ActivationHeldReason, "Access follows from the deletion of a resource that denies, and"
	case guard.Denial:
		what = "The person is denied, and"
	case guard.Deprovision:
	}
	return status.Stalledf(reason, "%s more people would be affected within an hour than spec.deprovisionGuard of %s %s allows, so this is held. %s",
		what, v1alpha1.OrganizationKind, w.key.Organization, guard.WhereToDecide(w.key.Organization))
}

// keptSituation tells those about whom a deletion was rejected.
func keptSituation(entry string) status.Outcome {
	reason := v1alpha1.DemotionHeldReason
	if strings.HasSuffix(entry, guard.ActivatedSuffix) {
		reason = v1alpha1.ActivationHeldReason
	}
	return status.Stalledf(reason, "What %s decided stays in force although it was deleted, because that was rejected: declare it again; or let it go by a change of this resource, or by the annotation %s.",
		guard.NameIn(entry), v1alpha1.ReconcileRequestedAtAnnotation)
}

// tellGuarded is what the guard has to say to a claim, instead of what else holds.
func (w *work) tellGuarded(claim *v1alpha1.LambdaTestUser, now status.Outcome) status.Outcome {
	switch {
	case w.guarded.holding() && w.guarded.ponders && !claim.DeletionTimestamp.IsZero():
		return status.Outcome{}
	case w.guarded.holding() && !w.guarded.ponders && (now.Readiness == status.Ready || !claim.DeletionTimestamp.IsZero()):
		return w.guarded.held
	case w.kept != status.Outcome{} && now.Readiness == status.Ready:
		return w.kept
	}
	return w.tellGroupHeld(now)
}
