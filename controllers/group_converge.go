// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// converge plans and calls until nothing is left to do, or something is in the way, or the group has to wait for a turn. At most one
// of its calls changes something.
func (r *GroupReconciler) converge(ctx context.Context, w *groupWork) (situation, error) {
	for range maxStepsPerReconcile {
		if told, err := r.plan(ctx, w); err != nil || told != (situation{}) {
			return told, err
		}
		if w.next.step == groupStays {
			return w.atRest(), nil
		}
		if told := w.inTheWay(); told != (situation{}) {
			return told, nil
		}
		if !w.connection.lane.acquire(w.place(), w.priority(), w.past()) {
			w.queued = true
			return w.waiting(), nil
		}
		if told := r.carryOut(ctx, w); told != (situation{}) {
			return told, nil
		}
		if w.next.mutates() {
			return r.changed(w), nil
		}
	}
	return situation{retryAfter: conflictRetry}, nil
}

// plan finds out which group at LambdaTest is the resource's, and what to do about it. A situation is why nothing can be done.
func (r *GroupReconciler) plan(ctx context.Context, w *groupWork) (situation, error) {
	have := w.connection.groups.observe(w.group.Name, w.id, w.group.Spec.DisplayName)
	have.known = have.known || w.absent
	have.doubtful = have.doubtful || w.requested
	if w.target == groupSetAside && w.nothingToSetAside(have) {
		return w.duplicateSituation(), nil
	}
	if have.group != nil && have.group.id != w.id {
		if told, err := r.takeOver(ctx, w, have.group.id); err != nil || told != (situation{}) {
			return told, err
		}
	}
	w.want = w.wish(have)
	w.next = planGroup(w.want, have, w.reportsDrift())
	if w.taken && !w.sought {
		w.next = groupChange{step: groupFindHolder}
		return situation{}, nil
	}
	if have.group == nil || !w.next.mutates() || sameDisplayName(w.want.displayName, have.group.displayName) {
		return situation{}, nil
	}
	told, err := r.makeRoom(ctx, w)
	if err != nil || told.refused {
		return told, err
	}
	w.want = w.wish(have)
	if w.nameHeld = told; told != (situation{}) {
		w.want.displayName = have.group.displayName // roles and members do not wait for it
	}
	w.next = planGroup(w.want, have, false)
	return situation{}, nil
}

// changed is the outcome of a change. LambdaTest restores a deleted group without its members: what is missing then follows at once.
// After anything else, a difference is a refusal, so that nothing is repeated for ever.
func (r *GroupReconciler) changed(w *groupWork) situation {
	r.announce(w)
	have, _ := w.connection.groups.get(w.id)
	left := updateGroup(w.want, have, false)
	if left.step == groupStays {
		w.connection.setbacks.clear(w.place())
		w.next = left
		return w.atRest()
	}
	if w.next.step == groupCreate {
		return situation{readiness: progressing, reason: v1alpha1.ProgressingReason, message: "The group was created; its members follow.", retryAfter: conflictRetry}
	}
	return w.refused("LambdaTest accepted the change and did not make it: " + joined(left.differences))
}

// announce records the change that was made.
func (r *GroupReconciler) announce(w *groupWork) {
	tell := func(reason, action, message string, arguments ...any) {
		r.recorder.Eventf(w.stored, nil, corev1.EventTypeNormal, reason, action, message, arguments...)
	}
	switch {
	case w.next.step == groupCreate:
		tell("Created", "Create", "Created the group at LambdaTest.")
	case w.target == groupMakesRoom:
		tell("Changed", "Update", "Renamed the group at LambdaTest to %q until another group has given %q up.", w.want.displayName, w.group.Spec.DisplayName)
	case w.target == groupSetAside:
		tell("SetAside", "Update", "Renamed the group at LambdaTest to %q and took its roles away: %s is carried out instead.", w.want.displayName, groupReference(w.leader))
	default:
		tell("Changed", "Update", "Changed the group at LambdaTest: %s.", joined(w.next.differences))
	}
}

// carryOut makes the planned call, for which the lane was acquired. The zero situation means: go on.
func (r *GroupReconciler) carryOut(ctx context.Context, w *groupWork) situation {
	var said lambdatest.Group
	found := true
	before, _ := w.connection.groups.get(w.next.id)
	call := w.connection.call
	if w.next.step == groupCreate {
		call = w.connection.create
	}
	err := call(ctx, w.place(), w.callName(), func(ctx context.Context, upstream Upstream) error {
		var err error
		said, found, err = w.ask(ctx, upstream)
		return err
	})
	now := r.connections.options.Now()
	w.requested = w.requested && (err != nil || w.next.step != groupLookUp)
	switch {
	case err != nil:
		return r.failed(w, err)
	case w.next.step == groupFindHolder:
		w.sought = true
		if found {
			w.connection.groups.saw(upstreamGroupOf(said), now)
		}
	case !found:
		w.absent = true
		w.connection.groups.missed(w.group.Name, w.group.Spec.DisplayName)
	default:
		group := upstreamGroupOf(said)
		w.absent = false
		w.connection.groups.saw(group, now)
		w.connection.groups.found(w.group.Name)
		if w.next.step == groupCreate {
			w.id = group.id
		}
		w.connection.gaveUp(before.displayName, group.displayName)
	}
	if w.next.mutates() {
		w.connection.accepted(causeGroupProvisioning)
	}
	w.connection.doubtRoles(w.next.touched, now)
	return situation{}
}

func (w *groupWork) callName() string {
	switch w.next.step {
	case groupCreate:
		return "CreateGroup"
	case groupPatch:
		return "PatchGroup"
	case groupReplace:
		return "ReplaceGroup"
	case groupLookUp, groupFindHolder, groupStays:
	}
	if w.id != "" && w.next.step != groupFindHolder {
		return "GetGroup"
	}
	return "FindGroup"
}

func (w *groupWork) ask(ctx context.Context, upstream Upstream) (group lambdatest.Group, found bool, err error) {
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
		return upstream.FindGroup(ctx, w.want.displayName)
	}
	return group, true, err
}

// failed turns an error of LambdaTest into what to do and to tell. The zero situation means: look and plan again.
func (r *GroupReconciler) failed(w *groupWork, err error) situation {
	switch {
	case errors.Is(err, errNotCalled), errors.Is(err, context.Canceled):
		return situation{retryAfter: r.connections.options.Backoff.min}
	case lambdatest.IsOutcomeUnknown(err):
		w.connection.groups.doubt(w.group.Name)
		return w.unavailable(err)
	case lambdatest.IsUnauthorized(err), lambdatest.IsRateLimited(err):
		// Everybody's trouble: back to the place in the lane.
		w.queued = true
		w.connection.lane.await(w.place(), w.priority(), w.past())
		if told := w.waiting(); told != (situation{}) {
			return told
		}
		return rateLimited()
	case lambdatest.IsUnavailable(err):
		return w.unavailable(err)
	case w.isLeaving() && w.id == "" && !w.connection.groups.observe(w.group.Name, "", w.group.Spec.DisplayName).doubtful:
		// LambdaTest refuses to say whether there is a group, and none is known to be ours: nothing is left to delete.
		w.absent = true
		w.connection.groups.missed(w.group.Name, w.group.Spec.DisplayName)
		return situation{}
	case lambdatest.IsForbidden(err):
		return w.disabled()
	case lambdatest.IsNotFound(err) && w.id != "":
		w.connection.groups.lost(w.group.Name, w.id, r.connections.options.Now())
		w.id = ""
		return w.again()
	case lambdatest.IsConflict(err) && w.isLeaving():
		// No name is wanted, so there is nothing to look for.
		return w.refused(err.Error())
	case lambdatest.IsConflict(err) && w.next.step == groupCreate && !w.absent:
		// It was not there some time ago, when it was looked for.
		w.connection.groups.doubt(w.group.Name)
		return w.again()
	case lambdatest.IsConflict(err) && w.next.step != groupCreate && !w.sought:
		w.taken = true
		return w.again()
	case lambdatest.IsConflict(err):
		return w.nameTaken()
	}
	return w.refused(err.Error())
}

// again looks and plans again: nothing was changed.
func (w *groupWork) again() situation {
	w.next = groupChange{}
	return situation{}
}

// reportsDrift tells whether differences are left alone: what is wanted had been reached, so they were made at LambdaTest.
func (w *groupWork) reportsDrift() bool {
	if w.target != groupDeclared {
		return false
	}
	before := w.stored.Status
	reached := isReady(w.stored) || isReadyFor(w.stored, v1alpha1.DriftedReason)
	return w.organization.Spec.DriftPolicy == v1alpha1.DriftReport && reached &&
		before.ObservedGeneration == w.stored.Generation && int(before.PendingMemberCount) == len(w.pending) && before.GroupID != ""
}

func (w *groupWork) priority() int {
	switch {
	case isReady(w.stored) && w.stored.Status.ObservedGeneration == w.stored.Generation:
		return priorityDrift
	case w.next.step == groupCreate:
		return priorityCreation
	}
	return priorityChange
}
