// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// converge plans and calls until nothing is left to do, or something is in the way, or the group has to wait for a turn. At most one
// of its calls changes something.
func (r *GroupReconciler) converge(ctx context.Context, w *groupWork) (situation, error) {
	for range maxStepsPerReconcile {
		have := w.connection.groups.observe(w.group.Name, w.id, w.group.Spec.DisplayName)
		have.known = have.known || w.absent
		if other, err := r.ownerOf(ctx, w, have); err != nil || other != nil {
			w.id = w.stored.Status.GroupID // what was found is the other's
			return w.takenBy(other), err
		}
		if have.group != nil {
			w.id = have.group.id
		}
		w.next = planGroup(w.wish(), have, w.reportsDrift())
		if w.next.step == groupStays {
			return w.atRest(), nil
		}
		if told := w.inTheWay(); told != (situation{}) {
			return told, nil
		}
		if !w.connection.lane.acquire(w.place(), w.priority(), w.failedBefore()) {
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

// changed is the outcome of a change. LambdaTest restores a deleted group without its members: what is missing then follows at once.
// After anything else, a difference is a refusal, so that nothing is repeated for ever.
func (r *GroupReconciler) changed(w *groupWork) situation {
	r.recorder.Eventf(w.stored, nil, corev1.EventTypeNormal, "Changed", "Update", "Changed the group at LambdaTest: %s.", joined(w.next.differences))
	have, _ := w.connection.groups.get(w.id)
	left := updateGroup(w.wish(), have, false)
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

// ownerOf returns another group whose group at LambdaTest this is, so that nobody takes it while its name is on the way to change.
func (r *GroupReconciler) ownerOf(ctx context.Context, w *groupWork, have observedGroup) (*v1alpha1.LambdaTestGroup, error) {
	if have.group == nil || have.group.id == w.stored.Status.GroupID {
		return nil, nil //nolint:nilnil // nobody is no error
	}
	others, err := listGroups(ctx, r.client, w.group.Namespace, client.MatchingFields{groupOrganizationIndex: w.group.Spec.OrganizationRef.Name})
	for _, other := range others {
		if other.Status.GroupID == have.group.id && !isSame(other, w.group) && familyOf(other) != familyOf(w.group) && groupCounts(other) {
			return other, err
		}
	}
	return nil, err
}

func (w *groupWork) takenBy(other *v1alpha1.LambdaTestGroup) situation {
	if other == nil {
		return situation{}
	}
	return situation{
		readiness: progressing, reason: v1alpha1.ProgressingReason,
		message:    fmt.Sprintf("%s still has this name at LambdaTest; it is about to be renamed or deleted.", groupReference(other)),
		retryAfter: ownerRetry,
	}
}

// carryOut makes the planned call, for which the lane was acquired. The zero situation means: go on.
func (r *GroupReconciler) carryOut(ctx context.Context, w *groupWork) situation {
	var said lambdatest.Group
	found := true
	err := w.connection.call(ctx, w.place(), w.callName(), func(ctx context.Context, upstream Upstream) error {
		var err error
		said, found, err = w.ask(ctx, upstream)
		return err
	})
	now := r.options.Now()
	switch {
	case err != nil:
		return r.failed(w, err)
	case !found:
		w.absent = true
		w.connection.groups.missed(w.group.Name, w.group.Spec.DisplayName)
	default:
		group := upstreamGroupOf(said)
		w.id, w.absent = group.id, false
		w.connection.groups.saw(w.group.Name, group, now)
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
	case groupLookUp, groupStays:
	}
	if w.id != "" {
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
		return upstream.FindGroup(ctx, w.group.Spec.DisplayName)
	}
	return group, true, err
}

// failed turns an error of LambdaTest into what to do and to tell. The zero situation means: look and plan again.
func (r *GroupReconciler) failed(w *groupWork, err error) situation {
	switch {
	case errors.Is(err, errNotCalled), errors.Is(err, context.Canceled):
		return situation{retryAfter: r.options.BackoffMin}
	case lambdatest.IsOutcomeUnknown(err):
		w.connection.groups.doubt(w.group.Name)
		return w.unavailable(err)
	case lambdatest.IsUnauthorized(err), lambdatest.IsRateLimited(err):
		// Everybody's trouble: back to the place in the lane.
		w.queued = true
		w.connection.lane.await(w.place(), w.priority(), w.failedBefore())
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
		w.connection.groups.lost(w.group.Name, w.id)
		w.id = ""
		w.next = groupChange{}
		return situation{}
	case lambdatest.IsConflict(err) && w.next.step == groupCreate && !w.absent:
		// It was not there some time ago, when it was looked for.
		w.connection.groups.doubt(w.group.Name)
		return situation{}
	case lambdatest.IsConflict(err):
		return w.terminal(causeDisplayName(w.group.Spec.DisplayName), v1alpha1.UpstreamRejectedReason, fmt.Sprintf(
			"LambdaTest has another group named %q: rename or delete it there, or choose another displayName.", w.group.Spec.DisplayName))
	}
	return w.refused(err.Error())
}

// reportsDrift tells whether differences are left alone: what is wanted had been reached, so they were made at LambdaTest.
func (w *groupWork) reportsDrift() bool {
	status := w.stored.Status
	reached := isReady(w.stored) || isReadyFor(w.stored, v1alpha1.DriftedReason)
	return w.organization.Spec.DriftPolicy == v1alpha1.DriftReport && reached &&
		status.ObservedGeneration == w.stored.Generation && int(status.PendingMemberCount) == len(w.pending) && status.GroupID != ""
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
