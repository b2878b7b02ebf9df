// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// converge plans and calls until nothing is left to do, or something is in the way, or the group has to wait for a turn. At most one
// of its calls changes something.
func (r *Reconciler) converge(ctx context.Context, w *work) (status.Outcome, error) {
	for range connection.MaxStepsPerReconcile {
		if told, err := r.plan(ctx, w); err != nil || told != (status.Outcome{}) {
			return told, err
		}
		if w.next.step == stepNone {
			return w.atRest(), nil
		}
		if told := w.obstacle(); told != (status.Outcome{}) {
			return told, nil
		}
		if !w.connection.Lane.Acquire(w.place(), w.priority(), w.past()) {
			w.queued = true
			return w.whileWaiting(), nil
		}
		if told := r.carryOut(ctx, w); told != (status.Outcome{}) {
			return told, nil
		}
		if w.next.mutates() {
			return r.changed(w), nil
		}
	}
	return status.Outcome{RetryAfter: status.ConflictRetry}, nil
}

// plan finds out which group at LambdaTest is the resource's, and what to do about it. An outcome is why nothing can be done.
func (r *Reconciler) plan(ctx context.Context, w *work) (status.Outcome, error) {
	have := w.connection.Groups.Observe(w.group.Name, w.id, w.group.Spec.DisplayName)
	have.Known = have.Known || w.absent
	have.Doubtful = have.Doubtful || w.requested
	if w.target == setAside && w.nothingToSetAside(have) {
		return w.duplicateSituation(), nil
	}
	if have.Group != nil && have.Group.ID != w.id {
		if told, err := r.takeOver(ctx, w, have.Group.ID); err != nil || told != (status.Outcome{}) {
			return told, err
		}
	}
	w.want = w.wish(have)
	w.next = planChange(w.want, have, w.reportsDrift())
	if w.taken && !w.sought {
		w.next = change{step: stepFindHolder}
		return status.Outcome{}, nil
	}
	if have.Group == nil || !w.next.mutates() || claims.SameDisplayName(w.want.DisplayName, have.Group.DisplayName) {
		return status.Outcome{}, nil
	}
	told, err := r.makeRoom(ctx, w)
	if err != nil || told.Refused {
		return told, err
	}
	w.want = w.wish(have)
	if w.nameHeld = told; told != (status.Outcome{}) {
		w.want.DisplayName = have.Group.DisplayName // roles and members do not wait for it
	}
	w.next = planChange(w.want, have, false)
	return status.Outcome{}, nil
}

// changed is the outcome of a change. LambdaTest restores a deleted group without its members: what is missing then follows at once.
// After anything else, a difference is a refusal, so that nothing is repeated for ever.
func (r *Reconciler) changed(w *work) status.Outcome {
	r.announce(w)
	have, _ := w.connection.Groups.ByID(w.id)
	left := planUpdate(w.want, have, false)
	if left.step == stepNone {
		w.connection.Holdoffs.Clear(w.place())
		w.next = left
		return w.atRest()
	}
	if w.next.step == stepCreate {
		return status.Outcome{Readiness: status.Progressing, Reason: v1alpha1.ProgressingReason, Message: "The group was created; its members follow.", RetryAfter: status.ConflictRetry}
	}
	return w.refused("LambdaTest accepted the change and did not make it: " + joined(left.differences))
}

// announce records the change that was made.
func (r *Reconciler) announce(w *work) {
	tell := func(reason, action, message string, arguments ...any) {
		r.Recorder.Eventf(w.stored, nil, corev1.EventTypeNormal, reason, action, message, arguments...)
	}
	switch {
	case w.next.step == stepCreate:
		tell("Created", "Create", "Created the group at LambdaTest.")
	case w.target == makesRoom:
		tell("Changed", "Update", "Renamed the group at LambdaTest to %q until another group has given %q up.", w.want.DisplayName, w.group.Spec.DisplayName)
	case w.target == setAside:
		tell("SetAside", "Update", "Renamed the group at LambdaTest to %q and took its roles away: %s is carried out instead.", w.want.DisplayName, claims.GroupReference(w.leader))
	default:
		tell("Changed", "Update", "Changed the group at LambdaTest: %s.", joined(w.next.differences))
	}
}

// carryOut makes the planned call, for which the lane was acquired. The zero outcome means: go on.
func (r *Reconciler) carryOut(ctx context.Context, w *work) status.Outcome {
	var said lambdatest.Group
	found := true
	before, _ := w.connection.Groups.ByID(w.next.id)
	call := w.connection.Call
	if w.next.step == stepCreate {
		call = w.connection.Create
	}
	err := call(ctx, w.place(), w.callName(), func(ctx context.Context, upstream connection.Upstream) error {
		var err error
		said, found, err = w.ask(ctx, upstream)
		return err
	})
	now := r.Registry.Options.Now()
	w.requested = w.requested && (err != nil || w.next.step != stepLookUp)
	switch {
	case err != nil:
		return r.failed(w, err)
	case w.next.step == stepFindHolder:
		w.sought = true
		if found {
			w.connection.Groups.Saw(groups.FromUpstream(said), now)
		}
	case !found:
		w.absent = true
		w.connection.Groups.Missed(w.group.Name, w.group.Spec.DisplayName)
	default:
		group := groups.FromUpstream(said)
		w.absent = false
		w.connection.Groups.Saw(group, now)
		w.connection.Groups.Found(w.group.Name)
		if w.next.step == stepCreate {
			w.id = group.ID
		}
		w.connection.NameGivenUp(before.DisplayName, group.DisplayName)
	}
	if w.next.mutates() {
		w.connection.Accepted(connection.CauseGroupProvisioning)
	}
	w.connection.DoubtRoles(w.next.touched, now)
	return status.Outcome{}
}

func (w *work) callName() string {
	switch w.next.step {
	case stepCreate:
		return "CreateGroup"
	case stepPatch:
		return "PatchGroup"
	case stepReplace:
		return "ReplaceGroup"
	case stepLookUp, stepFindHolder, stepNone:
	}
	if w.id != "" && w.next.step != stepFindHolder {
		return "GetGroup"
	}
	return "FindGroup"
}

func (w *work) ask(ctx context.Context, upstream connection.Upstream) (group lambdatest.Group, found bool, err error) {
	switch w.callName() {
	case "CreateGroup":
		group, err = upstream.CreateGroup(ctx, w.next.create)
	case "PatchGroup":
		group, err = upstream.PatchGroup(ctx, w.next.id, w.next.update)
	case "ReplaceGroup":
		group, err = upstream.ReplaceGroup(ctx, w.next.id, w.next.replace)
	case "GetGroup":
		group, err = upstream.GetGroup(ctx, w.id)
	default:
		return upstream.FindGroup(ctx, w.want.DisplayName)
	}
	return group, true, err
}

// failed turns an error of LambdaTest into what to do and to tell. The zero outcome means: look and plan again.
func (r *Reconciler) failed(w *work, err error) status.Outcome {
	switch {
	case errors.Is(err, connection.ErrNotCalled), errors.Is(err, context.Canceled):
		return status.Outcome{RetryAfter: r.Registry.Options.Backoff.Min}
	case lambdatest.IsOutcomeUnknown(err):
		w.connection.Groups.Doubt(w.group.Name)
		return w.unavailable(err)
	case lambdatest.IsUnauthorized(err), lambdatest.IsRateLimited(err):
		// This concerns the whole organization: queue again in the lane.
		w.queued = true
		w.connection.Lane.Await(w.place(), w.priority(), w.past())
		if told := w.whileWaiting(); told != (status.Outcome{}) {
			return told
		}
		return connection.RateLimited()
	case lambdatest.IsUnavailable(err):
		return w.unavailable(err)
	case w.isLeaving() && w.id == "" && !w.connection.Groups.Observe(w.group.Name, "", w.group.Spec.DisplayName).Doubtful:
		// LambdaTest refuses to say whether there is a group, and none is known to be ours: nothing is left to delete.
		w.absent = true
		w.connection.Groups.Missed(w.group.Name, w.group.Spec.DisplayName)
		return status.Outcome{}
	case lambdatest.IsForbidden(err):
		return w.provisioningDisabled()
	case lambdatest.IsNotFound(err) && w.id != "":
		w.connection.Groups.Lost(w.group.Name, w.id, r.Registry.Options.Now())
		w.id = ""
		return w.again()
	case lambdatest.IsConflict(err) && w.isLeaving():
		// No name is wanted, so there is nothing to look for.
		return w.refused(err.Error())
	case lambdatest.IsConflict(err) && w.next.step == stepCreate && !w.absent:
		// It was not there some time ago, when it was looked for.
		w.connection.Groups.Doubt(w.group.Name)
		return w.again()
	case lambdatest.IsConflict(err) && w.next.step != stepCreate && !w.sought:
		w.taken = true
		return w.again()
	case lambdatest.IsConflict(err):
		return w.nameTaken()
	}
	return w.refused(err.Error())
}

// again looks and plans again: nothing was changed.
func (w *work) again() status.Outcome {
	w.next = change{}
	return status.Outcome{}
}

// reportsDrift tells whether differences are left alone: what is wanted had been reached, so they were made at LambdaTest.
func (w *work) reportsDrift() bool {
	if w.target != declared {
		return false
	}
	before := w.stored.Status
	reached := status.IsReady(w.stored) || status.HasReason(w.stored, v1alpha1.DriftedReason)
	return w.organization.Spec.DriftPolicy == v1alpha1.DriftReport && reached &&
		before.ObservedGeneration == w.stored.Generation && int(before.PendingMemberCount) == len(w.pending) && before.GroupID != ""
}

func (w *work) priority() int {
	switch {
	case status.IsReady(w.stored) && w.stored.Status.ObservedGeneration == w.stored.Generation:
		return lane.Drift
	case w.next.step == stepCreate:
		return lane.Creation
	}
	return lane.Change
}
