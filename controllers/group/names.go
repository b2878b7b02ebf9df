// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// ownID is the id of the resource's group, unless it is another resource's now.
func (r *Reconciler) ownID(ctx context.Context, w *work) (string, error) {
	id := w.group.Status.GroupID
	if w.connection != nil {
		id = w.connection.GroupID(w.group)
	}
	if id == "" {
		return "", nil
	}
	holder, err := r.holderOf(ctx, w, id)
	if err != nil || holder != nil && !claims.SameGroup(holder, w.group) {
		return "", err
	}
	return id, nil
}

// holderOf returns the resource whose group at LambdaTest this is: of several, the first by precedence. Two have it for a moment while
// one takes it over from the other, which gives it up then.
func (r *Reconciler) holderOf(ctx context.Context, w *work, id string) (*v1alpha1.LambdaTestGroup, error) {
	holders, err := claims.ListGroups(ctx, r.Client, w.group.Namespace, client.MatchingFields{claims.GroupIDIndex: claims.GroupIDKey(w.group, id)})
	if err != nil {
		return nil, err
	}
	if len(holders) > 0 || w.connection == nil {
		return claims.LeaderOf(holders), nil
	}
	for _, resource := range w.connection.Groups.Holders(id) {
		holder := &v1alpha1.LambdaTestGroup{}
		err := r.Client.Get(ctx, w.connection.GroupKey(resource), holder, client.UnsafeDisableDeepCopy)
		if client.IgnoreNotFound(err) != nil {
			return nil, fmt.Errorf("reading group: %w", err)
		}
		if err == nil {
			holders = append(holders, holder)
		}
	}
	return claims.LeaderOf(holders), nil
}

// takeOver makes the group that has the name the resource's own, unless it is the one of a resource of another displayName.
func (r *Reconciler) takeOver(ctx context.Context, w *work, id string) (because status.Outcome, blocked bool, err error) {
	holder, err := r.holderOf(ctx, w, id)
	if err != nil {
		return status.Outcome{}, true, err
	}
	if holder != nil && !claims.SameGroup(holder, w.group) && claims.FamilyOf(holder) != claims.FamilyOf(w.group) {
		return w.heldBy(holder), true, nil
	}
	w.id = id
	return status.Outcome{}, false, nil
}

// makeRoom says what is in the way of a displayName that another group has; zero is nothing, as for the group that makes room itself.
func (r *Reconciler) makeRoom(ctx context.Context, w *work) (status.Outcome, error) {
	other, known := w.connection.Groups.Named(w.want.DisplayName)
	if !known || other.ID == w.id {
		return status.Outcome{}, nil
	}
	holder, err := r.holderOf(ctx, w, other.ID)
	switch {
	case err != nil:
		return status.Outcome{}, err
	case holder == nil && w.sought:
		return w.nameTaken(), nil
	case holder == nil:
		return status.Outcome{}, nil // what is known of it may be old: LambdaTest decides
	}
	circle, err := r.circle(ctx, w, holder)
	if err != nil || len(circle) == 0 {
		return w.heldBy(holder), err
	}
	first := claims.LeaderOf(circle)
	switch {
	case !claims.SameGroup(first, w.group):
		w.connection.Wake(lane.Change, groups.Place(first.Name))
		return w.heldBy(holder), nil
	case w.stored.Status.GroupID != w.id:
		// The status must say which group it is before its name no longer does.
		return w.heldBy(holder), nil
	}
	w.target = makesRoom
	return status.Outcome{}, nil
}

// circle follows who waits for whose name, from the holder of the wanted one on: the groups that wait for each other if that leads back
// to the resource, else none.
func (r *Reconciler) circle(ctx context.Context, w *work, holder *v1alpha1.LambdaTestGroup) ([]*v1alpha1.LambdaTestGroup, error) {
	circle := []*v1alpha1.LambdaTestGroup{w.group}
	for next := holder; next != nil; {
		if claims.SameGroup(next, w.group) {
			return circle, nil
		}
		if slices.ContainsFunc(circle, func(other *v1alpha1.LambdaTestGroup) bool { return claims.SameGroup(other, next) }) {
			return nil, nil // these wait for each other, and the resource for one of them
		}
		family, err := claims.GroupRoles{Reader: r.Client}.Family(ctx, next)
		if err != nil {
			return nil, err
		}
		other, known := w.connection.Groups.Named(next.Spec.DisplayName)
		if !known || !next.DeletionTimestamp.IsZero() || !claims.SameGroup(claims.LeaderOf(family), next) {
			return nil, nil // it waits for nothing
		}
		circle = append(circle, next)
		if next, err = r.holderOf(ctx, w, other.ID); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// heldBy is the outcome while another resource's group has the displayName.
func (w *work) heldBy(holder *v1alpha1.LambdaTestGroup) status.Outcome {
	needs := v1alpha1.FoldDisplayName(w.group.Spec.DisplayName)
	w.connection.Groups.Change(w.group.Name, func(entry *groups.Entry) { entry.Needs = needs })
	return status.Outcome{
		Readiness: status.Progressing, Reason: v1alpha1.ProgressingReason,
		Message: fmt.Sprintf("The group of %s still has the name %q at LambdaTest; this one follows once that is renamed or deleted.",
			claims.GroupReference(holder), w.group.Spec.DisplayName),
		RetryAfter: ownerRetry,
	}
}

// nameTaken is a refusal: the group that has the displayName at LambdaTest is no resource's.
func (w *work) nameTaken() status.Outcome {
	return w.attempt.Refused(connection.Holdoff{Cause: connection.CauseDisplayName(w.want.DisplayName)}, v1alpha1.UpstreamRejectedReason,
		"LambdaTest has another group named %q: rename or delete it there, or choose another displayName.", w.want.DisplayName)
}

// duplicate is what to do about a group while another resource of its displayName is carried out. What LambdaTest has of it is set aside,
// so that it gives no role and its name is free, and keeps its id for when the resource is renamed. A resource that comes first and has
// no group yet takes it over instead.
func (r *Reconciler) duplicate(ctx context.Context, w *work) (status.Outcome, error) {
	w.requested = false // nothing is read of a group that is not carried out
	if !w.pushes() || w.id == w.connection.GroupID(w.leader) {
		w.id = ""
	}
	outcome := w.duplicateOutcome()
	if w.id == "" {
		return outcome, nil
	}
	if outcome.RetryAfter = w.grace(); outcome.RetryAfter > 0 {
		return outcome, nil
	}
	w.target = setAside
	return r.converge(ctx, w)
}

func (w *work) duplicateOutcome() status.Outcome {
	return status.Stalledf(v1alpha1.DuplicateDisplayNameReason, "%s has the same displayName and comes first: it decides, this one is not pushed and gives no role. Rename or delete one of the two.",
		claims.GroupReference(w.leader))
}

// grace is how long the group of a duplicate still stays as it is.
func (w *work) grace() time.Duration {
	now, since := w.connection.Options.Now(), time.Time{}
	w.connection.Groups.Change(w.group.Name, func(entry *groups.Entry) {
		if entry.DuplicateSince.IsZero() {
			entry.DuplicateSince = now
		}
		since = entry.DuplicateSince
	})
	return since.Add(DuplicateGrace).Sub(now)
}

// nothingToSetAside tells whether a duplicate has no group at LambdaTest, or one that the resource which comes first will take over.
func (w *work) nothingToSetAside(have groups.Observed) bool {
	switch {
	case have.Group != nil && have.Group.ID == w.id:
		return w.connection.GroupID(w.leader) == "" && claims.SameDisplayName(have.Group.DisplayName, w.group.Spec.DisplayName)
	case have.Group != nil || have.Known && !have.Doubtful || w.id == "":
		w.id = "" // the group is gone at LambdaTest
		return true
	}
	return false
}

const (
	// DuplicateGrace is how long a duplicate keeps name and roles at LambdaTest: while several groups are renamed at once, two may have the
	// same name for a moment.
	DuplicateGrace = 10 * time.Second
	// ownerRetry is how often a group checks whether another one has given its name up, should no event requeue it.
	ownerRetry = 5 * time.Second
)
