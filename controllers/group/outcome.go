// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"fmt"
	"strings"

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
	group, _ := w.connection.Groups.ByID(w.id)
	above, isAbove := w.aboveMaxRole(&group)
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
		outcome := w.duplicateOutcome()
		outcome.Message += fmt.Sprintf(" Until then its group at LambdaTest is named %q and gives no role.", w.want.DisplayName)
		return outcome
	case isAbove:
		return above
	case w.next.reported:
		return status.Stalledf(v1alpha1.DriftedReason, "At LambdaTest, %s, and driftPolicy of %s %s is Report: change the group there, this resource, or the policy.",
			joined(w.next.differences), v1alpha1.OrganizationKind, w.organization.Name)
	case len(w.pending) > 0:
		return status.Readyf(v1alpha1.SyncedReason, "LambdaTest has the group. Members without an account yet: %d, see status.pendingMembers; they follow as soon as they have one.", len(w.pending))
	}
	return status.Readyf(v1alpha1.SyncedReason, "LambdaTest has what is wanted.")
}

// provisioningDisabled: LambdaTest pushes no groups for this organization.
func (w *work) provisioningDisabled() status.Outcome {
	return w.attempt.Refused(connection.Holdoff{Cause: connection.CauseGroupProvisioning}, v1alpha1.GroupProvisioningDisabledReason,
		"LambdaTest has group provisioning switched off for this organization: ask LambdaTest to switch it on; or set groupMode: %s on %s %s, and groups decide roles here without being pushed.",
		v1alpha1.GroupRolesOnly, v1alpha1.OrganizationKind, w.organization.Name)
}

func (w *work) refused(why error) status.Outcome {
	held := connection.Holdoff{Cause: connection.CauseOwn(w.attempt.Place)}
	if w.isLeaving() {
		return w.attempt.Refused(held, v1alpha1.UpstreamRejectedReason, "LambdaTest refuses to delete the group (%v): delete it there by hand.", why)
	}
	return w.attempt.Refused(held, v1alpha1.UpstreamRejectedReason, "LambdaTest refuses this (%v): correct the resource.", why)
}

// report writes the outcome into the status, and requeues the members whose role may have changed.
func (r *Reconciler) report(ctx context.Context, w *work, now status.Outcome) error {
	if w.connection != nil {
		w.connection.Groups.Change(w.group.Name, func(entry *groups.Entry) {
			entry.Open = now.Readiness != status.Ready
			if entry.ID = w.id; w.isReleased() {
				entry.ID = "" // so that a new resource of the name does not take the group over
			}
		})
		w.wakeDuplicates()
		r.contribute(w, now)
	}
	if now.Readiness == status.Silent || w.isReleased() {
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
	status.RecordTransition(r.Recorder, w.stored, w.group)
	return nil
}

// wakeDuplicates requeues the other resources of the displayName when it becomes known which group at LambdaTest is this one's: theirs may be
// the same, or stand in its way.
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
// LambdaTest has computed the role, and no other call needs to set it.
func (r *Reconciler) contribute(w *work, now status.Outcome) {
	if now.Readiness == status.Silent || now.Readiness == status.Progressing {
		return
	}
	given := groups.Contribution{Pushed: w.pushes()}
	if w.leads() {
		given.Roles, given.Members = groups.RoleNames(claims.RolesGiven(w.group, w.maxRole())), claims.MembersOf(w.group)
	}
	var awaited []string
	if w.leads() && w.pushes() {
		for _, userName := range w.pending {
			awaited = append(awaited, v1alpha1.FoldUserName(userName))
		}
		awaited = groups.Ordered(awaited)
	}
	w.connection.Groups.Change(w.group.Name, func(entry *groups.Entry) { entry.Awaits = awaited })
	for _, user := range awaited {
		if _, there := w.connection.Accounts.Get(user); there {
			w.connection.AccountAppeared(user) // while the group was pushed, when no group waited yet
		}
	}
	// A status that was written before the members were in the cache says nothing of what the group gave.
	fresh := w.stored.Status.ObservedGeneration != w.stored.Generation || status.IsReconciling(w.stored)
	w.connection.WakeMembers(w.connection.Groups.Contribute(w.group.Name, given, fresh))
}

// maxPendingMembers is how many members without an account status names, and how many who would lose a role.
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
	into.HeldMembers = w.losing[:min(len(w.losing), maxPendingMembers)]
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

func joined(parts []string) string { return strings.Join(parts, ", ") }
