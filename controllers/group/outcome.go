// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// atRest is the outcome when nothing is left to do.
func (w *work) atRest() status.Outcome {
	switch {
	case w.nameHeld != status.Outcome{}:
		return w.nameHeld
	case w.target == makesRoom:
		return status.Outcome{
			Readiness: status.Progressing, Reason: v1alpha1.ProgressingReason,
			Message: fmt.Sprintf("Groups exchange their names. At LambdaTest this one is named %q until %q is free.",
				w.want.DisplayName, w.group.Spec.DisplayName),
			RetryAfter: status.ConflictRetry,
		}
	case w.target == setAside:
		told := w.duplicateSituation()
		told.Message += fmt.Sprintf(" Until then its group at LambdaTest is named %q and gives no role.", w.want.DisplayName)
		return told
	case w.next.reported:
		return status.Stalledf(v1alpha1.DriftedReason, "At LambdaTest, %s, and driftPolicy of %s %s is Report: change the group there, this resource, or the policy.",
			joined(w.next.differences), v1alpha1.OrganizationKind, w.organization.Name)
	case len(w.pending) > 0:
		return status.Readyf(v1alpha1.SyncedReason, "LambdaTest has the group. Members without an account yet: %d, see status.pendingMembers; they follow as soon as they have one.", len(w.pending))
	}
	return status.Readyf(v1alpha1.SyncedReason, "LambdaTest has what is wanted.")
}

// obstacle is why no call is made now. The zero outcome is nothing.
func (w *work) obstacle() status.Outcome {
	if _, obstacle := w.connection.State(); obstacle != (status.Outcome{}) {
		return w.wayOut(obstacle)
	}
	if suspicion, there := w.connection.Mismatch(); there {
		return w.wayOut(suspicion.Outcome(w.organization.Name))
	}
	now := w.connection.Options.Now()
	held, ok := w.connection.Holdoffs.Get(w.place(), w.fingerprint())
	if !ok || !held.Waiting(now) {
		return status.Outcome{}
	}
	return held.OutcomeNow(now)
}

// fingerprint names what is tried: after a failure, anything else is tried at once, and so is what somebody asks for again.
func (w *work) fingerprint() string {
	return fmt.Sprintf("%d/%t/%s/%s/%d/%s", w.group.Generation, w.group.DeletionTimestamp.IsZero(), w.group.Spec.DeletionPolicy,
		w.organization.Spec.GroupMode, len(w.ids), status.ResyncRequest(w.group))
}

func (w *work) past() lane.History { return w.connection.Holdoffs.History(w.place(), w.fingerprint()) }

// unavailable spaces the repetitions of a call.
func (w *work) unavailable(err error) status.Outcome {
	options := w.connection.Options
	bounds := options.Backoff
	told := status.Progressingf(v1alpha1.UpstreamUnavailableReason, "LambdaTest gave no answer that can be trusted (%s). The call is repeated by itself.", err)
	return w.connection.Holdoffs.Failed(w.place(), w.fingerprint(), w.connection.Lane.Answers(), options.Now(), bounds, told)
}

// provisioningDisabled: LambdaTest pushes no groups for this organization.
func (w *work) provisioningDisabled() status.Outcome {
	return w.terminal(connection.CauseGroupProvisioning, v1alpha1.GroupProvisioningDisabledReason, fmt.Sprintf(
		"LambdaTest has group provisioning switched off for this organization: ask LambdaTest to switch it on; or set groupMode: %s on %s %s, and groups decide roles here without being pushed.",
		v1alpha1.GroupRolesOnly, v1alpha1.OrganizationKind, w.organization.Name))
}

func (w *work) refused(why string) status.Outcome {
	message := fmt.Sprintf("LambdaTest refuses this (%s): correct the resource.", why)
	if w.isLeaving() {
		message = fmt.Sprintf("LambdaTest refuses to delete the group (%s): delete it there by hand.", why)
	}
	return w.terminal(connection.CauseOwn(w.place()), v1alpha1.UpstreamRejectedReason, message)
}

// terminal remembers a refusal, so that the call is repeated after a change, on request, or when it is the turn of its cause.
func (w *work) terminal(cause, reason, message string) status.Outcome {
	told := status.Outcome{Readiness: status.Stalled, Reason: reason, Message: w.wayOutText(message), Refused: true}
	w.connection.Holdoffs.Refuse(w.place(), connection.Holdoff{Fingerprint: w.fingerprint(), Cause: cause, Outcome: told}, w.connection.Options.Now())
	return told
}

// whileWaiting is what to tell a group that waits for a turn: nothing, unless it may take long.
func (w *work) whileWaiting() status.Outcome {
	set, _ := w.connection.State()
	switch state, pausedUntil := w.connection.Lane.State(); {
	case state == "unauthorized":
		return w.wayOut(status.Stalledf(v1alpha1.UnauthorizedReason, "LambdaTest refuses the token of %s %s: put a valid one into Secret %s; it is used at once.",
			v1alpha1.OrganizationKind, w.organization.Name, set.TokenSecret))
	case state == "open":
		return status.Progressingf(v1alpha1.UpstreamUnavailableReason, "LambdaTest has not answered for a while. It is tried again and again; nothing needs to be done here.")
	case pausedUntil.After(w.connection.Options.Now().Add(connection.LongPause)):
		return connection.RateLimited()
	}
	return status.Outcome{}
}

func (w *work) isLeaving() bool { return !w.group.DeletionTimestamp.IsZero() }

// wayOut adds, for a group that is being deleted, how it goes without LambdaTest.
func (w *work) wayOut(told status.Outcome) status.Outcome {
	told.Message = w.wayOutText(told.Message)
	return told
}

func (w *work) wayOutText(message string) string {
	if !w.isLeaving() {
		return message
	}
	return message + " Until then this resource stays; to let it go and leave the group as it is, set spec.deletionPolicy: Orphan."
}

// report writes down where things stand, and tells the members what the group gives them now.
func (r *Reconciler) report(ctx context.Context, w *work, now status.Outcome) error {
	if w.connection != nil {
		w.connection.Groups.Change(w.group.Name, func(entry *groups.Entry) {
			entry.Open = now.Readiness != status.Ready
			if entry.ID = w.id; w.released() {
				entry.ID = "" // so that a new resource of the name does not take the group over
			}
		})
		w.wakeDuplicates()
		r.contribute(w, now)
	}
	if now.Readiness == status.Silent || w.released() {
		return nil
	}
	w.describe()
	status.Settle(w.group, now, metav1.NewTime(r.Registry.Options.Now()))
	stored, err := r.shown(ctx, w)
	if err != nil || equality.Semantic.DeepEqual(stored.Status, w.group.Status) {
		return client.IgnoreNotFound(err)
	}
	updated := stored.DeepCopy()
	updated.Status = w.group.Status
	if err := r.written.Patch(ctx, r.Client, stored, updated); err != nil {
		return err
	}
	r.recordTransition(w.stored, w.group)
	return nil
}

// wakeDuplicates looks again at the other resources of the displayName when it becomes known which group at LambdaTest is this one's: theirs
// may be the same, or stand in its way.
func (w *work) wakeDuplicates() {
	if !w.leads() || w.id == w.stored.Status.GroupID {
		return
	}
	for _, other := range w.family {
		if !claims.SameGroup(other, w.group) {
			w.connection.Wake(lane.Change, groups.Place(other.Name))
		}
	}
}

// shown is the group as it is stored.
func (r *Reconciler) shown(ctx context.Context, w *work) (*v1alpha1.LambdaTestGroup, error) {
	if r.written.Shows(w.stored) {
		return w.stored, nil
	}
	stored := w.stored.DeepCopy()
	return stored, r.written.Refresh(ctx, r.Live, stored)
}

// contribute wakes the members whose role may have changed: in an organization that groups are pushed to, after the push, for then
// LambdaTest has computed the role and nobody needs to set it.
func (r *Reconciler) contribute(w *work, now status.Outcome) {
	if now.Readiness == status.Silent || now.Readiness == status.Progressing {
		return
	}
	given := groups.Contribution{Pushed: w.pushes()}
	if w.leads() {
		given.Roles, given.Members = groups.RoleNames(w.group.Spec.Roles), claims.MembersOf(w.group)
	}
	waits := w.pending
	if !w.leads() || !w.pushes() {
		waits = nil
	}
	awaited := groups.Ordered(folded(waits))
	w.connection.Groups.Change(w.group.Name, func(entry *groups.Entry) { entry.Awaits = awaited })
	for _, user := range awaited {
		if _, there := w.connection.Accounts.Get(user); there {
			w.connection.AccountAppeared(user) // while the group was pushed, when nobody waited yet
		}
	}
	fresh := w.stored.Status.ObservedGeneration != w.stored.Generation
	w.connection.WakeMembers(w.connection.Groups.Contribute(w.group.Name, given, fresh))
}

func folded(userNames []string) []string {
	users := make([]string, len(userNames))
	for i, userName := range userNames {
		users[i] = v1alpha1.FoldUserName(userName)
	}
	return users
}

// maxPendingMembers is how many members without an account status names.
const maxPendingMembers = 100

// describe fills in everything but the conditions.
func (w *work) describe() {
	into := &w.group.Status
	if !w.requested {
		into.LastHandledReconcileAt = status.ResyncRequest(w.group)
	}
	into.GroupID = w.id
	into.PendingMembers = w.pending[:min(len(w.pending), maxPendingMembers)]
	into.PendingMemberCount = *status.Int32(len(w.pending))
	if w.id == "" {
		into.DisplayName, into.Members = "", nil
		return
	}
	if w.connection == nil {
		return
	}
	if group, known := w.connection.Groups.ByID(w.id); known {
		into.DisplayName, into.Members = status.ShownValue(group.DisplayName), status.Int32(len(group.Members))
	}
}

// recordTransition is an event when a group comes into trouble or out of it.
func (r *Reconciler) recordTransition(before, after *v1alpha1.LambdaTestGroup) {
	old, now := status.ReadyCondition(before), status.ReadyCondition(after)
	switch {
	case old != nil && old.Reason == now.Reason:
	case now.Status != metav1.ConditionTrue:
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, now.Reason, "Reconcile", "%s", now.Message)
	case old != nil:
		r.Recorder.Eventf(after, nil, corev1.EventTypeNormal, now.Reason, "Reconcile", "%s", now.Message)
	}
}

func joined(parts []string) string { return strings.Join(parts, ", ") }
