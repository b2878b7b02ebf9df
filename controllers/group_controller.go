// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// GroupReconciler makes LambdaTest agree with LambdaTestGroups, and tells their members when their role changes. Where groups are not
// pushed, that is all it does.
type GroupReconciler struct {
	client client.Client
	// live reads from the API server: where acting on what the cache has not seen yet would be wrong.
	live        client.Reader
	recorder    events.EventRecorder
	connections *connections
	concurrency int
	written     ownWrites
}

// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestgroups,verbs=get;list;watch;update;patch
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestgroups/status,verbs=patch

// groupWork is one reconcile of a group: what was read, and what came of it.
type groupWork struct {
	// stored is the cache's own; group is the copy that is changed.
	stored, group *v1alpha1.LambdaTestGroup
	// family are the groups of this displayName; of all of them, leader is carried out. It may be the group itself.
	family       []*v1alpha1.LambdaTestGroup
	leader       *v1alpha1.LambdaTestGroup
	organization *v1alpha1.LambdaTestOrganization
	connection   *connection
	// ids are the accounts of the members who have one, pending the userNames of those who have none.
	ids, pending []string
	// id of the group at LambdaTest, as far as it is known.
	id string
	// target is what LambdaTest's group is to be, and want the details.
	target groupTarget
	want   groupWish
	next   groupChange
	// taken says that LambdaTest refused the displayName because another group has it, and sought that this one was looked for.
	taken, sought bool
	// nameHeld is what to tell while another resource's group has the displayName; the rest is done.
	nameHeld situation
	// absent says that a lookup of this reconcile found no group of the name.
	absent bool
	queued bool
	// requested says that somebody asked for a resync, and that LambdaTest has not answered yet.
	requested bool
}

// Reconcile compares a group with what LambdaTest has, and makes at most one change there.
func (r *GroupReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	w, err := r.look(ctx, request)
	if err != nil {
		return ctrl.Result{}, err
	}
	if w == nil {
		r.forget(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	now, err := r.carryOn(ctx, w)
	if w.connection != nil && !w.queued {
		w.connection.lane.forget(w.place())
	}
	if err == nil {
		err = r.report(ctx, w, now)
	}
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: conflictRetry}, nil
	}
	return ctrl.Result{RequeueAfter: now.retryAfter}, err
}

// look reads everything that a decision depends on; nil when the group is gone.
func (r *GroupReconciler) look(ctx context.Context, request ctrl.Request) (*groupWork, error) {
	w := &groupWork{stored: &v1alpha1.LambdaTestGroup{}}
	if err := r.client.Get(ctx, request.NamespacedName, w.stored, client.UnsafeDisableDeepCopy); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, nil //nolint:nilnil // gone is no error, and there is nothing to return
		}
		return nil, fmt.Errorf("reading group: %w", err)
	}
	var err error
	if w.stored, err = r.shown(ctx, w); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, nil //nolint:nilnil // gone, and the cache does not show it yet
		}
		return nil, err
	}
	w.group = w.stored.DeepCopy()
	asked := resyncRequest(w.group)
	w.requested = asked != "" && asked != w.stored.Status.LastHandledReconcileAt
	if w.family, err = (groupRoles{r.client}).family(ctx, w.group); err != nil {
		return nil, err
	}
	w.leader = leaderOf(w.family)
	organization := &v1alpha1.LambdaTestOrganization{}
	err = r.client.Get(ctx, w.organizationName(), organization, client.UnsafeDisableDeepCopy)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading organization: %w", err)
	}
	if err == nil {
		w.organization = organization
		w.connection, _ = r.connections.find(w.organizationName())
	}
	if w.connection != nil {
		w.connection.groups.begin(w.group.Name, w.group.UID)
	}
	w.id, err = r.ownID(ctx, w)
	return w, err
}

func (r *GroupReconciler) carryOn(ctx context.Context, w *groupWork) (situation, error) {
	if !w.group.DeletionTimestamp.IsZero() {
		return r.finalize(ctx, w)
	}
	if now, there := w.withoutConnection(); there {
		return now, nil
	}
	if err := r.ensureFinalizer(ctx, w); err != nil {
		return situation{}, err
	}
	w.connection.groups.change(w.group.Name, func(entry *groupEntry) { entry.met = true })
	w.connection.guard.settle([]string{groupReference(w.group)}, map[string]bool{groupReference(w.group): true})
	if !w.leads() {
		return r.duplicate(ctx, w)
	}
	w.connection.groups.change(w.group.Name, func(entry *groupEntry) { entry.duplicateSince = time.Time{} })
	switch {
	case !w.pushes():
		return w.rolesOnly(), nil
	case !w.connection.accounts.compared():
		return w.beforeComparison(), nil
	}
	w.resolve()
	return r.converge(ctx, w)
}

// withoutConnection is what can be said while the organization cannot be asked, and whether that is all there is to say.
func (w *groupWork) withoutConnection() (situation, bool) {
	switch {
	case w.organization == nil:
		return situation{
			readiness: stalled,
			reason:    v1alpha1.OrganizationNotFoundReason,
			message: fmt.Sprintf("There is no %s %q in namespace %s: create it, or delete this resource and name another one.",
				v1alpha1.OrganizationKind, w.group.Spec.OrganizationRef.Name, w.group.Namespace),
		}, true
	case w.connection == nil:
		// The organization was not looked at yet; all its groups are looked at again then.
		return situation{}, true
	}
	return situation{}, false
}

// beforeComparison is what can be said before the first comparison: members are told from their accounts, and it tells which there are.
// A group that was as wanted stays so until then.
func (w *groupWork) beforeComparison() situation {
	current := w.stored.Status.ObservedGeneration == w.stored.Generation
	if current && (isReady(w.stored) || isReadyFor(w.stored, v1alpha1.DriftedReason)) {
		return situation{}
	}
	if told := w.inTheWay(); told != (situation{}) {
		return told
	}
	if told := w.waiting(); told != (situation{}) || current {
		return told
	}
	return situation{
		readiness: progressing, reason: v1alpha1.ProgressingReason,
		message: "The accounts at LambdaTest are being read; the group follows once it is known which of its members have one.",
	}
}

func (w *groupWork) rolesOnly() situation {
	w.id, w.requested = "", false
	return situation{
		readiness: ready, reason: v1alpha1.SyncedReason,
		message: fmt.Sprintf("The group decides roles here, and is not pushed: groupMode of %s %s is %s.",
			v1alpha1.OrganizationKind, w.organization.Name, v1alpha1.GroupRolesOnly),
	}
}

// resolve finds the accounts of the members.
func (w *groupWork) resolve() {
	ids, without := w.connection.accounts.resolve(w.group.Spec.Members)
	w.ids, w.pending = ordered(ids), without
}

func (w *groupWork) leads() bool { return isSame(w.leader, w.group) }

func (w *groupWork) pushes() bool { return w.organization.Spec.GroupMode != v1alpha1.GroupRolesOnly }

// wish is what LambdaTest's group should be, given what it is.
func (w *groupWork) wish(have observedGroup) groupWish {
	if have.group == nil || w.target == groupDeclared {
		return groupWish{displayName: w.group.Spec.DisplayName, roles: roleNames(w.group.Spec.Roles), members: w.ids}
	}
	aside := groupWish{displayName: asideName(have.group.id), members: have.group.members}
	if w.target == groupMakesRoom {
		aside.roles = have.group.roles
	}
	return aside
}

func (w *groupWork) organizationName() types.NamespacedName {
	return types.NamespacedName{Namespace: w.group.Namespace, Name: w.group.Spec.OrganizationRef.Name}
}

// groupPlacePrefix begins the places of groups in the lane; no userName begins so.
const groupPlacePrefix = "\x00group/"

// groupPlace is the name under which a group waits in the lane.
func groupPlace(resource string) string { return groupPlacePrefix + resource }

func (w *groupWork) place() string { return groupPlace(w.group.Name) }

// groupAt is the way back, if it is the place of a group.
func groupAt(place string) (string, bool) { return strings.CutPrefix(place, groupPlacePrefix) }

func (r *GroupReconciler) ensureFinalizer(ctx context.Context, w *groupWork) error {
	if controllerutil.ContainsFinalizer(w.group, v1alpha1.Finalizer) {
		return nil
	}
	group, err := r.finalized(ctx, w.group)
	if err != nil {
		return err
	}
	w.group, w.stored = group, group.DeepCopy()
	return nil
}

// finalized returns a group with our finalizer: the same, or a copy to which it was added.
func (r *GroupReconciler) finalized(ctx context.Context, group *v1alpha1.LambdaTestGroup) (*v1alpha1.LambdaTestGroup, error) {
	if controllerutil.ContainsFinalizer(group, v1alpha1.Finalizer) {
		return group, nil
	}
	updated := group.DeepCopy()
	controllerutil.AddFinalizer(updated, v1alpha1.Finalizer)
	patch := client.MergeFromWithOptions(group, client.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, updated, patch); err != nil {
		return nil, fmt.Errorf("adding finalizer: %w", err)
	}
	return updated, nil
}

// forget drops what is in memory about a group that is gone, and tells its members.
func (r *GroupReconciler) forget(group types.NamespacedName) {
	for _, c := range r.connections.all() {
		if c.organization.Namespace == group.Namespace {
			c.lane.forget(groupPlace(group.Name))
			c.setbacks.clear(groupPlace(group.Name))
			c.wakeMembers(c.groups.forget(group.Name))
		}
	}
}
