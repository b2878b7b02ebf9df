// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// This file decides which group at LambdaTest is a resource's, and who has to give a displayName up for whom:
//
//	the name that a resource wants is                then
//	free                                             it is taken
//	had by a group of no resource                    a resource without a group adopts it; another one is refused
//	had by a duplicate's group                       a resource without a group takes it over; for another one the duplicate sets it aside
//	had by the group of another displayName          the resource waits until that one is renamed or deleted
//	had by a group that waits for the resource, too  the first of the circle makes room under another name, and the others follow
//
// Whatever happens in between, each group's id is in the status of a resource.

// groupID is LambdaTest's id of a resource's group: what this process knows, else what the status says. Empty is none.
func (c *connection) groupID(group *v1alpha1.LambdaTestGroup) string {
	if entry := c.groups.look(group.Name); entry.uid == group.UID && entry.id != "" {
		return entry.id
	}
	return group.Status.GroupID
}

// ownID is the id of the resource's group, unless it is another resource's now.
func (r *GroupReconciler) ownID(ctx context.Context, w *groupWork) (string, error) {
	id := w.group.Status.GroupID
	if w.connection != nil {
		id = w.connection.groupID(w.group)
	}
	if id == "" {
		return "", nil
	}
	holder, err := r.holderOf(ctx, w, id)
	if err != nil || holder != nil && !isSame(holder, w.group) {
		return "", err
	}
	return id, nil
}

// holderOf returns the resource whose group at LambdaTest this is: of several, the first by precedence. Two have it for a moment while
// one takes it over from the other, which gives it up then.
func (r *GroupReconciler) holderOf(ctx context.Context, w *groupWork, id string) (*v1alpha1.LambdaTestGroup, error) {
	holders, err := listGroups(ctx, r.client, w.group.Namespace, client.MatchingFields{groupIDIndex: groupIDKey(w.group, id)})
	if err != nil {
		return nil, err
	}
	if len(holders) > 0 || w.connection == nil {
		return leaderOf(holders), nil
	}
	for _, resource := range w.connection.groups.holders(id) {
		holder := &v1alpha1.LambdaTestGroup{}
		err := r.client.Get(ctx, w.connection.groupNamed(resource), holder, client.UnsafeDisableDeepCopy)
		if client.IgnoreNotFound(err) != nil {
			return nil, fmt.Errorf("reading group: %w", err)
		}
		if err == nil {
			holders = append(holders, holder)
		}
	}
	return leaderOf(holders), nil
}

// groupIDKey is what groups are indexed by: ids are those of one organization.
func groupIDKey(group *v1alpha1.LambdaTestGroup, id string) string {
	return group.Spec.OrganizationRef.Name + "/" + id
}

// takeOver makes the group that has the name the resource's own, unless it is the one of a resource of another displayName.
func (r *GroupReconciler) takeOver(ctx context.Context, w *groupWork, id string) (situation, error) {
	holder, err := r.holderOf(ctx, w, id)
	if err != nil {
		return situation{}, err
	}
	if holder != nil && !isSame(holder, w.group) && familyOf(holder) != familyOf(w.group) {
		return w.heldBy(holder), nil
	}
	w.id = id
	return situation{}, nil
}

// makeRoom says what is in the way of a displayName that another group has. Nothing is in the way of the group that makes room itself.
func (r *GroupReconciler) makeRoom(ctx context.Context, w *groupWork) (situation, error) {
	other, known := w.connection.groups.named(w.want.displayName)
	if !known || other.id == w.id {
		return situation{}, nil
	}
	holder, err := r.holderOf(ctx, w, other.id)
	switch {
	case err != nil:
		return situation{}, err
	case holder == nil && w.sought:
		return w.nameTaken(), nil
	case holder == nil:
		return situation{}, nil // what is known of it may be old: LambdaTest decides
	}
	circle, err := r.circle(ctx, w, holder)
	if err != nil || len(circle) == 0 {
		return w.heldBy(holder), err
	}
	first := leaderOf(circle)
	switch {
	case !isSame(first, w.group):
		w.connection.wake(priorityChange, groupPlace(first.Name))
		return w.heldBy(holder), nil
	case w.stored.Status.GroupID != w.id:
		// The status must say which group it is before its name no longer does.
		return w.heldBy(holder), nil
	}
	w.target = groupMakesRoom
	return situation{}, nil
}

// circle follows who waits for whose name, from the holder of the wanted one on: the groups that wait for each other if that leads back
// to the resource, else none.
func (r *GroupReconciler) circle(ctx context.Context, w *groupWork, holder *v1alpha1.LambdaTestGroup) ([]*v1alpha1.LambdaTestGroup, error) {
	circle := []*v1alpha1.LambdaTestGroup{w.group}
	for next := holder; next != nil; {
		if isSame(next, w.group) {
			return circle, nil
		}
		if slices.ContainsFunc(circle, func(other *v1alpha1.LambdaTestGroup) bool { return isSame(other, next) }) {
			return nil, nil // these wait for each other, and the resource for one of them
		}
		family, err := groupRoles{r.client}.family(ctx, next)
		if err != nil {
			return nil, err
		}
		other, known := w.connection.groups.named(next.Spec.DisplayName)
		if !known || !next.DeletionTimestamp.IsZero() || !isSame(leaderOf(family), next) {
			return nil, nil // it waits for nothing
		}
		circle = append(circle, next)
		if next, err = r.holderOf(ctx, w, other.id); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// heldBy is what to tell while another resource's group has the displayName.
func (w *groupWork) heldBy(holder *v1alpha1.LambdaTestGroup) situation {
	needs := v1alpha1.FoldDisplayName(w.group.Spec.DisplayName)
	w.connection.groups.change(w.group.Name, func(entry *groupEntry) { entry.needs = needs })
	return situation{
		readiness: progressing, reason: v1alpha1.ProgressingReason,
		message: fmt.Sprintf("The group of %s still has the name %q at LambdaTest; this one follows once that is renamed or deleted.",
			groupReference(holder), w.group.Spec.DisplayName),
		retryAfter: ownerRetry,
	}
}

// nameTaken is a refusal: the group that has the displayName at LambdaTest is no resource's.
func (w *groupWork) nameTaken() situation {
	return w.terminal(causeDisplayName(w.want.displayName), v1alpha1.UpstreamRejectedReason, fmt.Sprintf(
		"LambdaTest has another group named %q: rename or delete it there, or choose another displayName.", w.want.displayName))
}

// gaveUp looks again at the groups that wait for a displayName, or were refused it, once no group has it any more.
func (c *connection) gaveUp(before, now string) {
	if before == "" || sameDisplayName(before, now) {
		return
	}
	c.accepted(causeDisplayName(before))
	before = v1alpha1.FoldDisplayName(before)
	for _, resource := range c.groups.where(func(entry *groupEntry) bool { return entry.needs == before }) {
		c.wake(priorityChange, groupPlace(resource))
	}
}

func sameDisplayName(a, b string) bool {
	return a == b || v1alpha1.FoldDisplayName(a) == v1alpha1.FoldDisplayName(b)
}

// duplicate is what to do about a group while another resource of its displayName is carried out. What LambdaTest has of it is set aside,
// so that it gives no role and its name is free, and keeps its id for when the resource is renamed. A resource that comes first and has
// no group yet takes it over instead.
func (r *GroupReconciler) duplicate(ctx context.Context, w *groupWork) (situation, error) {
	w.requested = false // nothing is read of a group that is not carried out
	if !w.pushes() || w.id == w.connection.groupID(w.leader) {
		w.id = ""
	}
	told := w.duplicateSituation()
	if w.id == "" {
		return told, nil
	}
	if told.retryAfter = w.grace(); told.retryAfter > 0 {
		return told, nil
	}
	w.target = groupSetAside
	return r.converge(ctx, w)
}

func (w *groupWork) duplicateSituation() situation {
	return situation{
		readiness: stalled,
		reason:    v1alpha1.DuplicateDisplayNameReason,
		message: fmt.Sprintf("%s has the same displayName and comes first: it decides, this one is not pushed and gives no role. Rename or delete one of the two.",
			groupReference(w.leader)),
	}
}

// grace is how long the group of a duplicate still stays as it is.
func (w *groupWork) grace() time.Duration {
	now, since := w.connection.options.Now(), time.Time{}
	w.connection.groups.change(w.group.Name, func(entry *groupEntry) {
		if entry.duplicateSince.IsZero() {
			entry.duplicateSince = now
		}
		since = entry.duplicateSince
	})
	return since.Add(duplicateGrace).Sub(now)
}

// nothingToSetAside tells whether a duplicate has no group at LambdaTest, or one that the resource which comes first will take over.
func (w *groupWork) nothingToSetAside(have observedGroup) bool {
	switch {
	case have.group != nil && have.group.id == w.id:
		return w.connection.groupID(w.leader) == "" && sameDisplayName(have.group.displayName, w.group.Spec.DisplayName)
	case have.group != nil || have.known && !have.doubtful || w.id == "":
		w.id = "" // it is not there any more
		return true
	}
	return false
}

const (
	// duplicateGrace is how long a duplicate keeps name and roles at LambdaTest: whoever renames several groups at once passes through
	// states in which two have the same name.
	duplicateGrace = 10 * time.Second
	// ownerRetry is how often a group looks whether another one has given its name up, should no event tell.
	ownerRetry = 5 * time.Second
)
