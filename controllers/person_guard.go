// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// guarded is what a reconcile of a person asked of the guard.
type guarded struct {
	// departing is the request about what the claims that are being deleted take with them while others stay; changing is the one
	// about the planned change.
	departing, changing guardRequest
	// held is what to tell while the guard holds either of them; its zero value is that it does not.
	held situation
	// ponders says that the guard has not answered yet: nothing happens, and nothing is told, until it does.
	ponders bool
}

// waits tells whether something does not happen because of the guard.
func (g guarded) waits() bool { return g.held != situation{} || g.ponders }

// holding tells whether claims stay because of what their going would do.
func (g guarded) holding() bool { return g.waits() && len(g.departing.entries) > 0 }

// implicit tells whether something waits that nobody asked for explicitly: then no denial waits.
func (g guarded) implicit() bool { return g.waits() && g.changing.kind != guardDenial }

// departure is what would happen to a person if the claims being deleted went and the others stayed: an activation, because one of
// them denies; or the loss of the role that one of them gives. The second value is what is wanted while they have not gone.
func departure(p person, account *lambdatest.User, fromGroups groupRole) (guardRequest, desired) {
	counting := slices.Clone(p.living)
	for _, claim := range p.leaving {
		if isFull(claim) {
			counting = append(counting, claim)
		}
	}
	if len(p.living) == 0 || len(counting) == len(p.living) {
		return guardRequest{}, p.desired
	}
	slices.SortFunc(counting, byPrecedence)
	before := wish(counting, firstDenial(counting), fromGroups)
	had, has := before.effective, p.desired.effective
	switch {
	case !had.Active && has.Active && (account == nil || !account.Active):
		return guardRequest{kind: guardActivation, entries: []string{decider(had.ActiveFrom) + activatedSuffix}}, before
	case account != nil && account.Active && demotes(had.Role, has.Role) && demotes(v1alpha1.Role(account.Role), has.Role):
		return guardRequest{kind: guardDemotion, entries: []string{demotionEntry(decider(had.RoleFrom), had.Role, has.Role)}}, before
	}
	return guardRequest{}, before
}

// demotes tells whether a role is lower. No role at all leaves the one that is there.
func demotes(from, to v1alpha1.Role) bool { return to != "" && to.Rank() < from.Rank() }

// decider is how the guard calls whom status.effective names: a user by its name, a group by kind and name.
func decider(reference string) string {
	return strings.TrimPrefix(reference, v1alpha1.UserKind+"/")
}

// guardDeparture asks before claims go that others follow. While it is held, what they say counts on.
func (r *PersonReconciler) guardDeparture(ctx context.Context, w *personWork) error {
	if w.organization == nil {
		return nil // gone for good, and with it what its guard held
	}
	account, _ := w.observedAccount()
	request, before := departure(w.person, account, w.fromGroups)
	if len(request.entries) == 0 {
		return nil
	}
	if dissolving, err := r.connections.terminations.any(ctx, r.live, w.key.Namespace, usersCRD); err != nil || dissolving {
		// Everything about the person goes: what was in force stays.
		w.desired = before
		return err
	}
	request.asker = w.user
	w.guarded.departing = request
	switch answer := w.connection.guard.ask(request); answer {
	case guardAdmits:
		w.guarded.departing = guardRequest{}
	case guardRejected:
		w.guarded.departing = guardRequest{}
		w.kept = keptSituation(request.entries[0])
		w.desired = before
	case guardHolds, guardDefers, guardPonders:
		w.await(request, answer)
		w.goesOnAs(before)
	}
	return nil
}

// goesOnAs lets the claims that are being deleted count on.
func (w *personWork) goesOnAs(before desired) {
	w.desired = before
	w.denial = firstDenial(slices.Concat(w.living, w.leaving))
}

// guardChange asks before the planned change takes access away. It says whether the change may be made, and else what to tell.
func (r *PersonReconciler) guardChange(w *personWork) (told situation, may bool) {
	w.guarded.changing = guardRequest{}
	request, asked := w.loss()
	if !asked {
		return situation{}, true
	}
	request.asker = w.user
	w.guarded.changing = request
	answer := w.connection.guard.ask(request)
	switch {
	case answer == guardAdmits:
		return situation{}, true
	case answer == guardRejected && request.kind == guardDeprovision:
		w.guarded.changing = guardRequest{}
		r.recorder.Eventf(w.leaving[0], nil, corev1.EventTypeNormal, "Orphaned", "Release", "The account was left as it is: the deactivation was rejected.")
		return situation{readiness: ready}, false
	}
	w.await(request, answer)
	return w.guarded.held, false
}

// await notes that the guard keeps something from happening, be it only until it has answered.
func (w *personWork) await(request guardRequest, answer guardOutcome) {
	if answer == guardPonders {
		w.guarded.ponders = true
		return
	}
	w.guarded.held = w.heldSituation(request.kind, answer)
}

// loss is what the planned change would take away, if the guard has a say in it.
func (w *personWork) loss() (guardRequest, bool) {
	switch {
	case w.next.step == stepDeactivate && !w.desired.wasDenied:
		return guardRequest{kind: guardDeprovision, entries: []string{w.leaving[0].Name}}, true
	case w.next.step == stepDeactivate, w.next.denies && w.next.update.Active != nil:
		if w.organization.Spec.DeprovisionGuard.ExplicitPercent == nil {
			w.connection.guard.denies(w.user, w.connection.options.Now())
			return guardRequest{}, false
		}
		return guardRequest{kind: guardDenial, entries: []string{w.claims[0].Name + deniedSuffix}}, true
	}
	return guardRequest{}, false
}

// plannedByGuard is what would change if the guard did not hold it.
func (w *personWork) plannedByGuard(account *lambdatest.User) []v1alpha1.PlannedChange {
	if account == nil {
		return nil
	}
	after := w.desired
	if len(w.guarded.departing.entries) > 0 {
		after = merge(w.claims, w.fromGroups).desired
	}
	if after.fate == fateDeactivated {
		after.effective = v1alpha1.EffectiveState{}
		after.fate = fateKept
	}
	_, differences := differing(after, *account, circumstances{})
	return differences
}

// keep leaves in force what a claim or a group gave that was deleted, when that was rejected: until a resource about the person says
// something new, or somebody asks for a resync.
func (w *personWork) keep() {
	if w.connection == nil || len(w.living) == 0 {
		return
	}
	news := w.requested
	var before *v1alpha1.EffectiveState
	for _, claim := range w.living {
		news = news || claim.Status.ObservedGeneration != claim.Generation
		if before == nil {
			before = claim.Status.Effective
		}
	}
	if before == nil {
		return
	}
	now := &w.desired.effective
	if from := before.RoleFrom; from != now.RoleFrom && demotes(before.Role, now.Role) && w.keeps(from, news) {
		now.Role, now.RoleFrom = before.Role, before.RoleFrom
	}
	if from := before.ActiveFrom; now.Active && from != "" && w.keeps(from, news) {
		now.Active, now.ActiveFrom = false, before.ActiveFrom
	}
}

func (w *personWork) keeps(from string, news bool) bool {
	name := decider(from)
	if !w.connection.guard.keeps(name) {
		return false
	}
	if news {
		w.connection.guard.settle([]string{name}, map[string]bool{name: true})
		return false
	}
	w.kept = keptSituation(name)
	return true
}

// settleGuard forgets what is over: whatever was asked about claims that have gone; and about the others, what is not asked any more.
func (w *personWork) settleGuard() {
	if w.connection == nil {
		return
	}
	var gone, staying []string
	living := map[string]bool{}
	for _, claim := range w.claims {
		if w.released[claim.UID] {
			gone = append(gone, claim.Name)
			continue
		}
		staying = append(staying, claim.Name)
		living[claim.Name] = claim.DeletionTimestamp.IsZero()
	}
	w.connection.guard.settle(gone, living)
	still := slices.Clone(w.guarded.departing.entries)
	switch {
	case w.next.step == stepNone:
		w.connection.guard.settle(staying, living, still...)
	case len(w.guarded.changing.entries) > 0:
		w.connection.guard.settle(staying, living, append(still, w.guarded.changing.entries...)...)
	}
}

// heldSituation tells those who are held where to look. The token is the organization's to tell: it changes with everybody who is held.
func (w *personWork) heldSituation(kind guardKind, answer guardOutcome) situation {
	if answer == guardDefers {
		return deferred(w.key.Organization)
	}
	reason, what := v1alpha1.DeprovisionHeldReason, "Nobody denied this person, and"
	switch kind {
	case guardDemotion:
		reason, what = v1alpha1.DemotionHeldReason, "A lower role follows from a deletion, and"
	case guardActivation:
		reason, what = v1alpha1.ActivationHeldReason, "Access follows from the deletion of a resource that denies, and"
	case guardDenial:
		what = "The person is denied, and"
	case guardDeprovision:
	}
	return situation{
		readiness: stalled,
		reason:    reason,
		message: fmt.Sprintf("%s more people would be affected within an hour than spec.deprovisionGuard of %s %s allows, so this is held. %s",
			what, v1alpha1.OrganizationKind, w.key.Organization, whereToDecide(w.key.Organization)),
	}
}

// whereToDecide is where those who are held find the set that they are in.
func whereToDecide(organization string) string {
	return fmt.Sprintf("To see all that is held and decide about it: kubectl lambdatest status, or status.guard of %s %s.",
		v1alpha1.OrganizationKind, organization)
}

// deferred tells those for whom status has no room yet.
func deferred(organization string) situation {
	return situation{
		readiness: progressing,
		reason:    v1alpha1.ProgressingReason,
		message: fmt.Sprintf("Waits until others are carried out: status.guard of %s %s lists as many people as it can. Nothing needs to be done.",
			v1alpha1.OrganizationKind, organization),
	}
}

// keptSituation tells those about whom a deletion was rejected.
func keptSituation(entry string) situation {
	reason := v1alpha1.DemotionHeldReason
	if strings.HasSuffix(entry, activatedSuffix) {
		reason = v1alpha1.ActivationHeldReason
	}
	return situation{
		readiness: stalled,
		reason:    reason,
		message: fmt.Sprintf("What %s decided stays in force although it was deleted, because that was rejected: declare it again; or let it go by a change of this resource, or by the annotation %s.",
			nameIn(entry), v1alpha1.ReconcileRequestedAtAnnotation),
	}
}

// tellGuarded is what the guard has to say to a claim, instead of what else holds.
func (w *personWork) tellGuarded(claim *v1alpha1.LambdaTestUser, now situation) situation {
	switch {
	case w.guarded.holding() && w.guarded.ponders && !claim.DeletionTimestamp.IsZero():
		return situation{}
	case w.guarded.holding() && !w.guarded.ponders && (now.readiness == ready || !claim.DeletionTimestamp.IsZero()):
		return w.guarded.held
	case w.kept != situation{} && now.readiness == ready:
		return w.kept
	}
	return w.tellGroupHeld(now)
}
