// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

var groupsCRD = v1alpha1.Resource("lambdatestgroups").String()

// finalize lets a group go. Until then it gives its role, so that the guard can hold what its members would lose. LambdaTest's group is
// deleted, unless
//
//   - the namespace or the definition of groups goes: then members keep what they have;
//   - the organization is gone for good;
//   - the policy is Orphan, or groups are not pushed;
//   - another resource of the displayName takes it over;
//   - it was never LambdaTest's.
func (r *GroupReconciler) finalize(ctx context.Context, w *groupWork) (situation, error) {
	if w.released() {
		r.forget(client.ObjectKeyFromObject(w.group))
		return situation{}, nil
	}
	if may, err := mayDecide(ctx, r.live, w.organizationName(), w.organization, w.connection); err != nil || !may {
		return situation{}, err
	}
	why, free, err := r.farewell(ctx, w)
	switch {
	case err != nil, free && why == note{}:
		return situation{}, err
	case free:
		return situation{}, r.release(ctx, w, why)
	}
	if told, free, err := r.guardDemotions(ctx, w); err != nil || !free {
		return told, err
	}
	heir, deletes, err := r.inheritance(ctx, w)
	switch {
	case err != nil:
		return situation{}, err
	case deletes:
		return r.deleteUpstream(ctx, w)
	case heir == nil:
		return situation{}, r.release(ctx, w, note{corev1.EventTypeNormal, "Released", "LambdaTest's group, if there is one, was left as it is."})
	}
	if err := r.handOver(ctx, w, heir); err != nil {
		return situation{}, err
	}
	return situation{}, r.release(ctx, w, note{corev1.EventTypeNormal, "Released", groupReference(heir) + " takes LambdaTest's group over."})
}

func (w *groupWork) released() bool {
	return !w.group.DeletionTimestamp.IsZero() && !controllerutil.ContainsFinalizer(w.group, v1alpha1.Finalizer)
}

// farewell says whether the group goes without asking anybody, and what to tell; an empty note is that it has to wait for that.
func (r *GroupReconciler) farewell(ctx context.Context, w *groupWork) (note, bool, error) {
	if terminating, err := r.connections.terminations.of(ctx, r.live, w.group.Namespace, namespaceKind); err != nil || terminating {
		return note{corev1.EventTypeNormal, "Orphaned", "LambdaTest's group was left as it is, for the namespace is being deleted."}, terminating, err
	}
	if terminating, err := r.connections.terminations.of(ctx, r.live, groupsCRD, crdKind); err != nil || terminating {
		if err == nil && w.connection != nil {
			if kept, err := r.keepRoles(ctx, w); err != nil || !kept {
				return note{}, true, err
			}
		}
		return note{corev1.EventTypeNormal, "Orphaned", "LambdaTest's group was left as it is, for its definition is being deleted."}, terminating, err
	}
	return note{
		corev1.EventTypeWarning, v1alpha1.OrganizationNotFoundReason,
		"LambdaTest's group was left as it is, for its organization is gone: delete it there if need be.",
	}, w.organization == nil, nil
}

// inheritance tells what becomes of LambdaTest's group: whether it is deleted, else which resource takes it over, if any.
func (r *GroupReconciler) inheritance(ctx context.Context, w *groupWork) (heir *v1alpha1.LambdaTestGroup, deletes bool, err error) {
	if !w.pushes() || w.group.Spec.DeletionPolicy == v1alpha1.GroupDeletionOrphan {
		return nil, false, nil
	}
	heir = w.successor()
	inherits := heir != nil && (w.connection.groupID(heir) == "" || w.connection.groupID(heir) == w.id)
	switch {
	case w.id != "" && inherits:
		return heir, false, nil
	case w.id != "":
		return nil, true, nil
	case !w.leads() || inherits:
		// What there is under the name is the other one's.
		return nil, false, nil
	}
	deletes, err = r.mayHaveCreated(ctx, w)
	return nil, deletes, err
}

// successor is the next resource of the displayName; nil when there is none.
func (w *groupWork) successor() *v1alpha1.LambdaTestGroup {
	return leaderOf(slices.DeleteFunc(slices.Clone(w.family), func(other *v1alpha1.LambdaTestGroup) bool {
		return isSame(other, w.group) || !other.DeletionTimestamp.IsZero()
	}))
}

// handOver notes in the heir's status which group at LambdaTest is its own from now on: found by its name alone, it would be left behind,
// with the roles that it gives, if the heir was renamed meanwhile. The heir has a finalizer by then, for it would be left behind as well if
// the heir was deleted before it is looked at.
func (r *GroupReconciler) handOver(ctx context.Context, w *groupWork, heir *v1alpha1.LambdaTestGroup) error {
	heir, err := r.finalized(ctx, heir)
	if err != nil {
		return err
	}
	if heir.Status.GroupID == w.id {
		return nil
	}
	updated := heir.DeepCopy()
	updated.Status.GroupID = w.id
	if err := r.written.patchStatus(ctx, r.client, heir, updated); err != nil {
		return fmt.Errorf("handing a group over: %w", err)
	}
	w.connection.groups.identify(heir.Name, w.id)
	return nil
}

// mayHaveCreated tells whether LambdaTest may have a group of a resource whose status names none: created by this process, which could
// not write that down yet, or by a leader that did not live to. Who was met alive by this process would be known.
func (r *GroupReconciler) mayHaveCreated(ctx context.Context, w *groupWork) (bool, error) {
	have := w.connection.groups.observe(w.group.Name, "", w.group.Spec.DisplayName)
	if have.group == nil {
		return have.doubtful || !w.connection.groups.look(w.group.Name).met, nil
	}
	holder, err := r.holderOf(ctx, w, have.group.id)
	if err != nil || holder != nil {
		return false, err
	}
	w.id = have.group.id
	return true, nil
}

// deleteUpstream deletes LambdaTest's group, and lets the resource go.
func (r *GroupReconciler) deleteUpstream(ctx context.Context, w *groupWork) (situation, error) {
	if told := w.inTheWay(); told != (situation{}) {
		return told, nil
	}
	if !w.connection.lane.acquire(w.place(), priorityChange, w.past()) {
		w.queued = true
		return w.waiting(), nil
	}
	if w.id == "" {
		return r.findLost(ctx, w)
	}
	have, _ := w.connection.groups.get(w.id)
	err := w.connection.call(ctx, w.place(), "DeleteGroup", func(ctx context.Context, upstream Upstream) error {
		return upstream.DeleteGroup(ctx, w.id)
	})
	if lambdatest.IgnoreNotFound(err) != nil {
		return r.failed(w, err), nil //nolint:nilerr // what failed is told, and tried again or not, by the situation
	}
	if err == nil {
		w.connection.accepted(causeGroupProvisioning)
	}
	w.connection.groups.lost(w.group.Name, w.id, r.connections.options.Now())
	w.connection.gaveUp(have.displayName, "")
	w.connection.doubtRoles(touchedBy(have.groupWish, groupWish{}), r.connections.options.Now())
	return situation{}, r.release(ctx, w, note{corev1.EventTypeNormal, "Deleted", "Deleted the group at LambdaTest."})
}

// findLost looks for a group whose creation was sent and not answered, or not noted. A call of a former leader may still create it.
func (r *GroupReconciler) findLost(ctx context.Context, w *groupWork) (situation, error) {
	w.want, w.next = w.wish(observedGroup{}), groupChange{step: groupLookUp}
	if told := r.carryOut(ctx, w); told != (situation{}) {
		return told, nil
	}
	wait := conflictRetry
	if group, there := w.connection.groups.named(w.want.displayName); there && !w.absent {
		holder, err := r.holderOf(ctx, w, group.id)
		if err != nil {
			return situation{}, err
		}
		if holder == nil {
			w.id = group.id
		}
	}
	if w.absent {
		wait = max(wait, w.connection.formerLeaderUntil().Sub(r.connections.options.Now()))
		if wait == conflictRetry {
			w.connection.groups.change(w.group.Name, func(entry *groupEntry) { entry.met = true })
		}
	}
	return situation{readiness: progressing, reason: v1alpha1.ProgressingReason, message: "The group is being deleted at LambdaTest.", retryAfter: wait}, nil
}

// release takes the finalizer away, and tells the members. They may look before the cache shows it: they are told again once it does.
func (r *GroupReconciler) release(ctx context.Context, w *groupWork, why note) error {
	before := w.group.DeepCopy()
	controllerutil.RemoveFinalizer(w.group, v1alpha1.Finalizer)
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := client.IgnoreNotFound(r.client.Patch(ctx, w.group, patch)); err != nil {
		return fmt.Errorf("removing finalizer: %w", err)
	}
	r.recorder.Eventf(w.stored, nil, why.kind, why.reason, "Release", "%s", why.note)
	if w.connection != nil {
		w.connection.guard.settle([]string{groupReference(w.group)}, nil)
		w.connection.wakeMembers(membersOf(w.group))
	}
	return nil
}

// guardDemotions asks before members lose a role, all of them at once: LambdaTest's group cannot go by halves. The provider's own
// deletion asks nobody. It says whether the group may go, and else what to tell.
func (r *GroupReconciler) guardDemotions(ctx context.Context, w *groupWork) (told situation, free bool, err error) {
	if !w.leads() || len(w.group.Spec.Roles) == 0 || deletedByProvider(w.group) {
		return situation{}, true, nil
	}
	entry, err := r.demotions(ctx, w)
	if err != nil || entry == "" {
		return situation{}, true, err
	}
	reference := groupReference(w.group)
	w.connection.guard.settle([]string{reference}, nil, entry)
	switch w.connection.guard.ask(guardRequest{kind: guardDemotion, entries: []string{entry}, asker: w.place()}) {
	case guardAdmits:
		return situation{}, true, nil
	case guardPonders:
		return situation{}, false, nil
	case guardDefers:
		return deferred(w.organization.Name), false, nil
	case guardHolds:
	case guardRejected:
		return situation{}, false, r.release(ctx, w, note{corev1.EventTypeNormal, "Orphaned", "LambdaTest's group, and the roles that it gave, were left as they are: the deletion was rejected."})
	}
	w.connection.wakeMembers(membersOf(w.group))
	return situation{
		readiness: stalled, reason: v1alpha1.DemotionHeldReason,
		message: fmt.Sprintf("With this group, %d people would lose a role, more than spec.deprovisionGuard of %s %s allows within an hour, so it is held. %s",
			peopleIn(entry), v1alpha1.OrganizationKind, w.organization.Name, whereToDecide(w.organization.Name)),
	}, false, nil
}

// keepRoles lets the members keep what the group gave them, as after a rejection. It says whether that is written down.
func (r *GroupReconciler) keepRoles(ctx context.Context, w *groupWork) (bool, error) {
	entry, err := r.demotions(ctx, w)
	if err != nil || entry == "" {
		return true, err
	}
	request := guardRequest{kind: guardKeep, entries: []string{entry}, asker: w.place()}
	return w.connection.guard.ask(request) == guardRejected, nil
}

// demotions is the guard's entry for the people who would lose a role with the group; empty when nobody would.
func (r *GroupReconciler) demotions(ctx context.Context, w *groupWork) (string, error) {
	hash, people := sha256.New(), 0
	for _, user := range membersOf(w.group) {
		account, known := w.connection.accounts.get(user)
		if !known || !account.Active {
			continue
		}
		left, err := r.roleWithout(ctx, w.group, memberKey(w.group, user))
		if err != nil {
			return "", err
		}
		if demotes(v1alpha1.Role(account.Role), left) {
			people++
			fmt.Fprintln(hash, account.ID, account.Role, left)
		}
	}
	if people == 0 {
		return "", nil
	}
	return fmt.Sprintf("%s: %d people lose a role (%s)", groupReference(w.group), people, hex.EncodeToString(hash.Sum(nil))[:12]), nil
}

// roleWithout is the role that a member would have once the group is gone; none while it makes no difference.
func (r *GroupReconciler) roleWithout(ctx context.Context, group *v1alpha1.LambdaTestGroup, key PersonKey) (v1alpha1.Role, error) {
	roles := groupRoles{r.client}
	now, err := roles.of(ctx, key, nil)
	if err != nil || !isSame(now.group, group) {
		return "", err
	}
	then, err := roles.of(ctx, key, group)
	if err != nil {
		return "", err
	}
	all, err := claimsAbout(ctx, r.client, key)
	if err != nil {
		return "", err
	}
	merged := merge(all, then)
	if len(merged.living) == 0 {
		return "", nil
	}
	if merged.desired.effective.Role == "" {
		return v1alpha1.RoleUser, nil
	}
	return merged.desired.effective.Role, nil
}

// deletedByProvider tells whether the identity provider deleted the group: the SCIM endpoint says so right before.
func deletedByProvider(group *v1alpha1.LambdaTestGroup) bool {
	at, err := time.Parse(time.RFC3339, group.Annotations[v1alpha1.DeletedByProviderAnnotation])
	return err == nil && v1alpha1.IsSCIM(group) && group.DeletionTimestamp.Sub(at).Abs() < providerDeletion
}

// providerDeletion is how long after the endpoint's word a deletion is believed to be the provider's.
const providerDeletion = time.Minute
