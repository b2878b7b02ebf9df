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
	// departing is the request about what changes when the claims being deleted go and others stay, while it is not admitted; changing is
	// the one about the planned change.
	departing, changing guard.Request
	// held is the outcome while the guard holds either of them; zero is that it does not.
	held status.Outcome
	// pending says that the guard has not answered yet: until then nothing happens, and no status is written.
	pending bool
}

// waits tells whether something does not happen because of the guard.
func (g guarded) waits() bool { return g.held != status.Outcome{} || g.pending }

// holding tells whether claims stay because of what their release would change.
func (g guarded) holding() bool { return g.waits() && len(g.departing.Entries) > 0 }

// implicit tells whether something waits that no claim asks for explicitly: then no denial waits.
func (g guarded) implicit() bool { return g.waits() && g.changing.Kind != guard.Denial }

// departure is what would happen to a person if the claims being deleted were released and the others stayed: an activation, because one of
// them denies; or the loss of the role that one of them gives. The second value is what is desired until they are released.
func departure(p claims.Person, account *lambdatest.User, fromGroups claims.GroupRole, maxRole v1alpha1.Role) (guard.Request, claims.Desired) {
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
	before := claims.Wish(counting, claims.FirstDenial(counting), fromGroups, maxRole)
	had, has := before.Effective, p.Desired.Effective
	switch {
	case !had.Active && has.Active && (account == nil || !account.Active):
		return guard.Request{Kind: guard.Activation, Entries: []string{decider(had.ActiveFrom) + guard.ActivatedSuffix}}, before
	case account != nil && account.Active && claims.Demotes(had.Role, has.Role) && claims.Demotes(v1alpha1.Role(account.Role), has.Role):
		return guard.Request{Kind: guard.Demotion, Entries: []string{guard.DemotionEntry(decider(had.RoleFrom), had.Role, has.Role)}}, before
	}
	return guard.Request{}, before
}

// decider is the guard's name for what status.effective names: a user by its name, a group by kind and name.
func decider(reference string) string {
	return strings.TrimPrefix(reference, v1alpha1.UserKind+"/")
}

// guardDeparture asks before claims are released that others follow. While the guard holds this, they count on.
func (r *Reconciler) guardDeparture(ctx context.Context, w *work) error {
	if w.organization == nil {
		return nil // gone for good, and with it what its guard held
	}
	account, _ := w.observedAccount()
	request, before := departure(w.Person, account, w.fromGroups, w.maxRole())
	if len(request.Entries) == 0 {
		return nil
	}
	dissolving, err := r.Registry.Terminations.Any(ctx, r.Live, w.key.Namespace, deletion.UsersCRD)
	if err != nil || dissolving {
		// All claims about the person are deleted: what was in force stays.
		w.Desired = before
		return err
	}
	request.Asker = w.user
	switch verdict := w.connection.Guard.Ask(request); verdict {
	case guard.Admitted:
	case guard.Rejected:
		w.kept = keptOutcome(request.Entries[0])
		w.Desired = before
	case guard.Held, guard.Deferred, guard.Pending:
		w.guarded.departing = request
		w.await(request, verdict)
		w.Desired = before
		w.Denial = claims.FirstDenial(slices.Concat(w.Living, w.Leaving))
	}
	return nil
}

// guardChange asks before the planned change takes access away. It says whether the change may be made, and else why not.
func (r *Reconciler) guardChange(w *work) (because status.Outcome, may bool) {
	w.guarded.changing = guard.Request{}
	request := w.loss()
	if request.Kind == guard.Denial && w.organization.Spec.DeprovisionGuard.ExplicitPercent == nil {
		w.connection.Guard.CountDenial(w.user, w.connection.Options.Now())
		return status.Outcome{}, true
	}
	if len(request.Entries) == 0 {
		return status.Outcome{}, true
	}
	verdict := w.connection.Guard.Ask(request)
	if verdict == guard.Rejected && request.Kind == guard.Deprovision {
		r.Recorder.Eventf(w.Leaving[0], nil, corev1.EventTypeNormal, "Orphaned", "Release", "The account was left as it is: the deactivation was rejected.")
		return status.Outcome{Readiness: status.Ready}, false
	}
	w.guarded.changing = request
	if verdict == guard.Admitted {
		return status.Outcome{}, true
	}
	w.await(request, verdict)
	return w.guarded.held, false
}

// loss is what the planned change would take away, if that is the guard's business.
func (w *work) loss() guard.Request {
	switch {
	case w.next.step == stepDeactivate && !w.Desired.WasDenied:
		return guard.Request{Kind: guard.Deprovision, Entries: []string{w.Leaving[0].Name}, Asker: w.user}
	case w.next.step == stepDeactivate, w.Desired.Denies() && w.next.update.Active != nil:
		return guard.Request{Kind: guard.Denial, Entries: []string{w.Claims[0].Name + guard.DeniedSuffix}, Asker: w.user}
	}
	return guard.Request{}
}

// await notes that the guard keeps something from happening, or has not answered yet.
func (w *work) await(request guard.Request, verdict guard.Verdict) {
	if verdict == guard.Pending {
		w.guarded.pending = true
		return
	}
	w.guarded.held = w.heldOutcome(request, verdict)
}

// unguarded is what would be desired if the guard did not hold it.
func (w *work) unguarded() claims.Desired {
	after := w.Desired
	if len(w.guarded.departing.Entries) > 0 {
		after = claims.Merge(w.Claims, w.fromGroups, w.maxRole()).Desired
	}
	if after.Fate == claims.FateDeactivated {
		after.Effective, after.Fate = v1alpha1.EffectiveState{}, claims.FateKept
	}
	return after
}

// keep leaves in force what a deleted claim or group gave, when its deletion was rejected: until a resource about the person says something
// new, or a resync is requested.
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
	w.kept = keptOutcome(name)
	return true
}

// settleGuard withdraws what is over: everything that was asked about claims that are released; and about the others, what is not asked any
// more.
func (w *work) settleGuard() {
	if w.connection == nil {
		return
	}
	var gone, staying []string
	living := map[string]bool{}
	for _, claim := range w.Claims {
		if w.released.Has(claim.UID) {
			gone = append(gone, claim.Name)
			continue
		}
		staying = append(staying, claim.Name)
		living[claim.Name] = claim.DeletionTimestamp.IsZero()
	}
	w.connection.Guard.Resolve(gone, living)
	departing, changing := w.guarded.departing.Entries, w.guarded.changing.Entries
	switch {
	case w.next.step == stepNone:
		w.connection.Guard.Resolve(staying, living, departing...)
	case len(changing) > 0:
		w.connection.Guard.Resolve(staying, living, slices.Concat(departing, changing)...)
	}
}

// heldOutcome says what is held, and how to decide.
func (w *work) heldOutcome(request guard.Request, verdict guard.Verdict) status.Outcome {
	if verdict == guard.Deferred {
		return guard.DeferredOutcome(w.key.Organization)
	}
	reason := v1alpha1.DeprovisionHeldReason
	switch request.Kind {
	case guard.Demotion:
		reason = v1alpha1.DemotionHeldReason
	case guard.Activation:
		reason = v1alpha1.ActivationHeldReason
	case guard.Denial, guard.Deprovision, guard.Keep:
	}
	return status.Stalledf(reason, "%s", guard.HeldMessage(w.key.Namespace, w.key.Organization, guard.Would(request.Entries[0])))
}

// keptOutcome is the outcome after the deletion of what an entry is about was rejected.
func keptOutcome(entry string) status.Outcome {
	reason := v1alpha1.DemotionHeldReason
	if strings.HasSuffix(entry, guard.ActivatedSuffix) {
		reason = v1alpha1.ActivationHeldReason
	}
	return status.Stalledf(reason, "What %s decided stays in force although it was deleted, because that was rejected: declare it again; or let it go by a change of this resource, or by the annotation %s.",
		guard.NameIn(entry), v1alpha1.ReconcileRequestedAtAnnotation)
}
