// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// atRest is the outcome when nothing is left to do.
func (w *groupWork) atRest() situation {
	switch {
	case w.nameHeld != situation{}:
		return w.nameHeld
	case w.target == groupMakesRoom:
		return situation{
			readiness: progressing, reason: v1alpha1.ProgressingReason,
			message: fmt.Sprintf("Groups exchange their names. At LambdaTest this one is named %q until %q is free.",
				w.want.displayName, w.group.Spec.DisplayName),
			retryAfter: conflictRetry,
		}
	case w.target == groupSetAside:
		told := w.duplicateSituation()
		told.message += fmt.Sprintf(" Until then its group at LambdaTest is named %q and gives no role.", w.want.displayName)
		return told
	case w.next.reported:
		return situation{
			readiness: stalled, reason: v1alpha1.DriftedReason,
			message: fmt.Sprintf("At LambdaTest, %s, and driftPolicy of %s %s is Report: change the group there, this resource, or the policy.",
				joined(w.next.differences), v1alpha1.OrganizationKind, w.organization.Name),
		}
	case len(w.pending) > 0:
		return situation{
			readiness: ready, reason: v1alpha1.SyncedReason,
			message: fmt.Sprintf("LambdaTest has the group. Members without an account yet: %d, see status.pendingMembers; they follow as soon as they have one.", len(w.pending)),
		}
	}
	return situation{readiness: ready, reason: v1alpha1.SyncedReason, message: "LambdaTest has what is wanted."}
}

// inTheWay is why no call is made now. The zero situation is nothing.
func (w *groupWork) inTheWay() situation {
	if _, obstacle := w.connection.state(); obstacle != (situation{}) {
		return w.wayOut(obstacle)
	}
	if suspicion, there := w.connection.suspected(); there {
		return w.wayOut(suspicion.situation(w.organization.Name))
	}
	now := w.connection.options.Now()
	held, ok := w.connection.setbacks.get(w.place(), w.wanted())
	if !ok || !held.waiting(now) {
		return situation{}
	}
	return held.told(now)
}

// wanted names what is tried: after a failure, anything else is tried at once, and so is what somebody asks for again.
func (w *groupWork) wanted() string {
	return fmt.Sprintf("%d/%t/%s/%s/%d/%s", w.group.Generation, w.group.DeletionTimestamp.IsZero(), w.group.Spec.DeletionPolicy,
		w.organization.Spec.GroupMode, len(w.ids), resyncRequest(w.group))
}

func (w *groupWork) past() history { return w.connection.setbacks.history(w.place(), w.wanted()) }

// unavailable spaces the repetitions of a call.
func (w *groupWork) unavailable(err error) situation {
	options := w.connection.options
	bounds := options.Backoff
	told := situation{
		readiness: progressing, reason: v1alpha1.UpstreamUnavailableReason,
		message: fmt.Sprintf("LambdaTest gave no answer that can be trusted (%s). The call is repeated by itself.", err),
	}
	return w.connection.setbacks.failed(w.place(), w.wanted(), w.connection.lane.answers(), options.Now(), bounds, told)
}

// disabled: LambdaTest pushes no groups for this organization.
func (w *groupWork) disabled() situation {
	return w.terminal(causeGroupProvisioning, v1alpha1.GroupProvisioningDisabledReason, fmt.Sprintf(
		"LambdaTest has group provisioning switched off for this organization: ask LambdaTest to switch it on; or set groupMode: %s on %s %s, and groups decide roles here without being pushed.",
		v1alpha1.GroupRolesOnly, v1alpha1.OrganizationKind, w.organization.Name))
}

func (w *groupWork) refused(why string) situation {
	message := fmt.Sprintf("LambdaTest refuses this (%s): correct the resource.", why)
	if w.isLeaving() {
		message = fmt.Sprintf("LambdaTest refuses to delete the group (%s): delete it there by hand.", why)
	}
	return w.terminal(causeOwn(w.place()), v1alpha1.UpstreamRejectedReason, message)
}

// terminal remembers a refusal, so that the call is repeated after a change, on request, or when it is the turn of its cause.
func (w *groupWork) terminal(cause, reason, message string) situation {
	told := situation{readiness: stalled, reason: reason, message: w.wayOutText(message), refused: true}
	w.connection.setbacks.refuse(w.place(), setback{wanted: w.wanted(), cause: cause, situation: told}, w.connection.options.Now())
	return told
}

// waiting is what to tell a group that waits for a turn: nothing, unless it may take long.
func (w *groupWork) waiting() situation {
	set, _ := w.connection.state()
	switch state, pausedUntil := w.connection.lane.state(); {
	case state == "unauthorized":
		return w.wayOut(situation{
			readiness: stalled, reason: v1alpha1.UnauthorizedReason,
			message: fmt.Sprintf("LambdaTest refuses the token of %s %s: put a valid one into Secret %s; it is used at once.",
				v1alpha1.OrganizationKind, w.organization.Name, set.tokenSecret),
		})
	case state == "open":
		return situation{
			readiness: progressing, reason: v1alpha1.UpstreamUnavailableReason,
			message: "LambdaTest has not answered for a while. It is tried again and again; nothing needs to be done here.",
		}
	case pausedUntil.After(w.connection.options.Now().Add(longPause)):
		return rateLimited()
	}
	return situation{}
}

func (w *groupWork) isLeaving() bool { return !w.group.DeletionTimestamp.IsZero() }

// wayOut adds, for a group that is being deleted, how it goes without LambdaTest.
func (w *groupWork) wayOut(told situation) situation {
	told.message = w.wayOutText(told.message)
	return told
}

func (w *groupWork) wayOutText(message string) string {
	if !w.isLeaving() {
		return message
	}
	return message + " Until then this resource stays; to let it go and leave the group as it is, set spec.deletionPolicy: Orphan."
}

// report writes down where things stand, and tells the members what the group gives them now.
func (r *GroupReconciler) report(ctx context.Context, w *groupWork, now situation) error {
	if w.connection != nil {
		w.connection.groups.change(w.group.Name, func(entry *groupEntry) {
			entry.open = now.readiness != ready
			if entry.id = w.id; w.released() {
				entry.id = "" // so that a new resource of the name does not take the group over
			}
		})
		w.wakeDuplicates()
		r.contribute(w, now)
	}
	if now.readiness == silent || w.released() {
		return nil
	}
	w.describe()
	settle(w.group, now, metav1.NewTime(r.connections.options.Now()))
	stored, err := r.shown(ctx, w)
	if err != nil || equality.Semantic.DeepEqual(stored.Status, w.group.Status) {
		return client.IgnoreNotFound(err)
	}
	updated := stored.DeepCopy()
	updated.Status = w.group.Status
	if err := r.written.patchStatus(ctx, r.client, stored, updated); err != nil {
		return err
	}
	r.recordTransition(w.stored, w.group)
	return nil
}

// wakeDuplicates looks again at the other resources of the displayName when it becomes known which group at LambdaTest is this one's: theirs
// may be the same, or stand in its way.
func (w *groupWork) wakeDuplicates() {
	if !w.leads() || w.id == w.stored.Status.GroupID {
		return
	}
	for _, other := range w.family {
		if !isSame(other, w.group) {
			w.connection.wake(priorityChange, groupPlace(other.Name))
		}
	}
}

// shown is the group as it is stored.
func (r *GroupReconciler) shown(ctx context.Context, w *groupWork) (*v1alpha1.LambdaTestGroup, error) {
	if r.written.shows(w.stored) {
		return w.stored, nil
	}
	stored := w.stored.DeepCopy()
	return stored, r.written.refresh(ctx, r.live, stored)
}

// contribute wakes the members whose role may have changed: in an organization that groups are pushed to, after the push, for then
// LambdaTest has computed the role and nobody needs to set it.
func (r *GroupReconciler) contribute(w *groupWork, now situation) {
	if now.readiness == silent || now.readiness == progressing {
		return
	}
	given := contribution{pushed: w.pushes()}
	if w.leads() {
		given.roles, given.members = roleNames(w.group.Spec.Roles), membersOf(w.group)
	}
	waits := w.pending
	if !w.leads() || !w.pushes() {
		waits = nil
	}
	awaited := ordered(folded(waits))
	w.connection.groups.change(w.group.Name, func(entry *groupEntry) { entry.awaits = awaited })
	for _, user := range awaited {
		if _, there := w.connection.accounts.get(user); there {
			w.connection.appeared(user) // while the group was pushed, when nobody waited yet
		}
	}
	fresh := w.stored.Status.ObservedGeneration != w.stored.Generation
	w.connection.wakeMembers(w.connection.groups.contribute(w.group.Name, given, fresh))
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
func (w *groupWork) describe() {
	into := &w.group.Status
	if !w.requested {
		into.LastHandledReconcileAt = resyncRequest(w.group)
	}
	into.GroupID = w.id
	into.PendingMembers = w.pending[:min(len(w.pending), maxPendingMembers)]
	into.PendingMemberCount = *count(len(w.pending))
	if w.id == "" {
		into.DisplayName, into.Members = "", nil
		return
	}
	if w.connection == nil {
		return
	}
	if group, known := w.connection.groups.get(w.id); known {
		into.DisplayName, into.Members = shownValue(group.displayName), count(len(group.members))
	}
}

// recordTransition is an event when a group comes into trouble or out of it.
func (r *GroupReconciler) recordTransition(before, after *v1alpha1.LambdaTestGroup) {
	old, now := readyCondition(before), readyCondition(after)
	switch {
	case old != nil && old.Reason == now.Reason:
	case now.Status != metav1.ConditionTrue:
		r.recorder.Eventf(after, nil, corev1.EventTypeWarning, now.Reason, "Reconcile", "%s", now.Message)
	case old != nil:
		r.recorder.Eventf(after, nil, corev1.EventTypeNormal, now.Reason, "Reconcile", "%s", now.Message)
	}
}

func joined(parts []string) string { return strings.Join(parts, ", ") }
