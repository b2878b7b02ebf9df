// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"slices"

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
		if because, blocked, err := r.plan(ctx, w); err != nil || blocked {
			return because, err
		}
		if w.next.step == stepNone {
			return w.atRest(), nil
		}
		if because, blocked := w.attempt.Obstacle(false); blocked {
			return because, nil
		}
		if !w.attempt.Acquire(w.priority()) {
			return w.attempt.WhileWaiting(), nil
		}
		if outcome, done := r.carryOut(ctx, w); done {
			return outcome, nil
		}
		if w.next.mutates() {
			return r.changed(w), nil
		}
	}
	return status.Outcome{RetryAfter: status.ConflictRetry}, nil
}

// plan finds out which group at LambdaTest is the resource's, and what to do about it, unless it is blocked.
func (r *Reconciler) plan(ctx context.Context, w *work) (because status.Outcome, blocked bool, err error) {
	have := w.connection.Groups.Observe(w.group.Name, w.id, w.group.Spec.DisplayName)
	have.Known = have.Known || w.absent
	have.Doubtful = have.Doubtful || w.requested
	if w.target == setAside && w.nothingToSetAside(have) {
		return w.duplicateOutcome(), true, nil
	}
	if have.Group != nil && have.Group.ID != w.id {
		if because, above := w.aboveMaxRole(have.Group); above {
			return because, true, nil
		}
		if because, blocked, err := r.takeOver(ctx, w, have.Group.ID); err != nil || blocked {
			return because, blocked, err
		}
	}
	w.want = w.wish(have)
	w.next = planChange(w.want, have, w.reportsDrift())
	if w.taken && !w.sought {
		w.next = change{step: stepFindHolder}
		return status.Outcome{}, false, nil
	}
	if have.Group == nil || !w.next.mutates() || claims.SameDisplayName(w.want.DisplayName, have.Group.DisplayName) {
		return status.Outcome{}, false, nil
	}
	because, err = r.makeRoom(ctx, w)
	if err != nil || because.Refused {
		return because, true, err
	}
	w.want = w.wish(have)
	if w.nameHeld = because; because != (status.Outcome{}) {
		w.want.DisplayName = have.Group.DisplayName // roles and members do not wait for it
	}
	w.next = planChange(w.want, have, false)
	return status.Outcome{}, false, nil
}

// wish is what LambdaTest's group should be, given what it is. A member whose account LambdaTest does not show any more stays a member: the
// group may be what has moved the account to a sub-organization, and leaving it would bring the account back.
func (w *work) wish(have groups.Observed) groups.Wish {
	if have.Group == nil || w.target == declared {
		wish := groups.Wish{DisplayName: w.group.Spec.DisplayName, Roles: groups.RoleNames(claims.RolesGiven(w.group, w.maxRole())), Members: w.ids}
		if have.Group != nil && len(w.former) > 0 {
			wish.Members = groups.Ordered(slices.Concat(w.ids, groups.Common(w.former, have.Group.Members)))
		}
		if _, above := w.aboveMaxRole(have.Group); above {
			// The roles of those who stay are not lowered, and the identity provider gives them to no other person.
			added := groups.Missing(wish.Members, have.Group.Members)
			wish.Roles, wish.Members = have.Group.Roles, groups.Missing(wish.Members, added)
		}
		return wish
	}
	aside := groups.Wish{DisplayName: AsideName(have.Group.ID), Members: have.Group.Members}
	if w.target == makesRoom {
		aside.Roles = have.Group.Roles
	}
	return aside
}

func (w *work) maxRole() v1alpha1.Role { return claims.MaxRoleOf(w.organization) }

// aboveMaxRole tells whether a group at LambdaTest gives a higher role than the identity provider, whose resource this is, may give.
func (w *work) aboveMaxRole(group *groups.Group) (status.Outcome, bool) {
	limit := claims.Desired{MaxRole: w.maxRole()}
	if group == nil || !v1alpha1.IsSCIM(w.group) || !slices.ContainsFunc(group.Roles, limit.Exceeds) {
		return status.Outcome{}, false
	}
	return status.Stalledf(v1alpha1.RoleAboveMaximumReason, "The group %q at LambdaTest gives %s, and spec.scim.maxRole of %s %s is %s: "+
		"the identity provider does not take it over, nor add members to it. Declare it in a LambdaTestGroup of your own, or change its roles at LambdaTest.",
		status.ShownValue(group.DisplayName), joined(group.Roles), v1alpha1.OrganizationKind, w.organization.Name, limit.MaxRole), true
}

// changed is the outcome of a change. LambdaTest restores a deleted group without its members: what is missing then follows at once.
// After anything else, a difference is a refusal: otherwise the change would be repeated for ever.
func (r *Reconciler) changed(w *work) status.Outcome {
	r.announce(w)
	have, _ := w.connection.Groups.ByID(w.id)
	left := planUpdate(w.want, have, false)
	switch {
	case left.step == stepNone:
		w.connection.Holdoffs.Clear(w.attempt.Place)
		w.next = left
		return w.atRest()
	case w.next.step == stepCreate:
		return status.Outcome{Readiness: status.Progressing, Reason: v1alpha1.ProgressingReason, Message: "The group was created; its members follow.", RetryAfter: status.ConflictRetry}
	}
	return w.refused(errors.New("LambdaTest accepted the change and did not make it: " + joined(left.differences)))
}

// announce records the change that was made.
func (r *Reconciler) announce(w *work) {
	record := func(reason, action, message string, arguments ...any) {
		r.Recorder.Eventf(w.stored, nil, corev1.EventTypeNormal, reason, action, message, arguments...)
	}
	switch {
	case w.next.step == stepCreate:
		record("Created", "Create", "Created the group at LambdaTest.")
	case w.target == makesRoom:
		record("Changed", "Update", "Renamed the group at LambdaTest to %q until another group has given %q up.", w.want.DisplayName, w.group.Spec.DisplayName)
	case w.target == setAside:
		record("SetAside", "Update", "Renamed the group at LambdaTest to %q and took its roles away: %s is carried out instead.", w.want.DisplayName, claims.GroupReference(w.leader))
	default:
		record("Changed", "Update", "Changed the group at LambdaTest: %s.", joined(w.next.differences))
	}
}

// carryOut makes the planned call, for which the lane was acquired. When it is not done, go on.
func (r *Reconciler) carryOut(ctx context.Context, w *work) (outcome status.Outcome, done bool) {
	var answer lambdatest.Group
	found := true
	before, _ := w.connection.Groups.ByID(w.next.id)
	call, sent := w.connection.Call, r.Registry.Options.Now()
	if w.next.step == stepCreate {
		call = w.connection.Create
	}
	err := call(ctx, w.attempt.Place, w.callName(), func(ctx context.Context, upstream connection.Upstream) error {
		var err error
		answer, found, err = w.ask(ctx, upstream)
		return err
	})
	if w.next.mutates() {
		r.auditCall(w, w.callName(), sent, before.Wish, w.want, err)
	}
	now := r.Registry.Options.Now()
	w.requested = w.requested && (err != nil || w.next.step != stepLookUp)
	switch {
	case err != nil:
		return w.failed(err)
	case w.next.step == stepFindHolder:
		w.sought = true
		if found {
			w.connection.Groups.Saw(groups.FromUpstream(answer), now)
		}
	case !found:
		w.missed()
	default:
		group := groups.FromUpstream(answer)
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
	return status.Outcome{}, false
}

// missed notes that there is no group of the name.
func (w *work) missed() {
	w.absent = true
	w.connection.Groups.Missed(w.group.Name, w.group.Spec.DisplayName)
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

// failed turns an error of LambdaTest into an outcome. When it is not done, nothing was changed: observe and plan again.
func (w *work) failed(err error) (outcome status.Outcome, done bool) {
	table, step := w.connection.Groups, w.next.step
	if outcome, unanswered := w.attempt.Failed(err, w.priority(), func() { table.Doubt(w.group.Name) }); unanswered {
		return outcome, true
	}
	conflict := lambdatest.IsConflict(err)
	switch {
	case w.isLeaving() && w.id == "" && !table.Observe(w.group.Name, "", w.group.Spec.DisplayName).Doubtful:
		// LambdaTest does not say whether there is a group, and none is known to be the resource's: nothing is left to delete.
		w.missed()
		return status.Outcome{}, false
	case lambdatest.IsForbidden(err):
		return w.provisioningDisabled(), true
	case lambdatest.IsNotFound(err) && w.id != "":
		table.Lost(w.group.Name, w.id, w.connection.Options.Now())
		w.id = ""
	case conflict && !w.isLeaving() && step == stepCreate && !w.absent:
		// It was not there when it was looked up some time ago.
		table.Doubt(w.group.Name)
	case conflict && !w.isLeaving() && step != stepCreate && !w.sought:
		w.taken = true
	case conflict && !w.isLeaving():
		return w.nameTaken(), true
	default:
		return w.refused(err), true
	}
	w.next = change{}
	return status.Outcome{}, false
}

// reportsDrift tells whether differences are only reported: what is wanted had been reached, so they were made at LambdaTest.
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
