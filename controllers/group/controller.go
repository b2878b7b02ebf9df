// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// Reconciler makes LambdaTest agree with LambdaTestGroups, and tells their members when their role changes. Where groups are not
// pushed, that is all it does.
type Reconciler struct {
	Client client.Client
	// Live reads from the API server: where acting on what the cache has not seen yet would be wrong.
	Live        client.Reader
	Recorder    events.EventRecorder
	Registry    *connection.Registry
	Concurrency int
	written     status.Writes
}

// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestgroups,verbs=get;list;watch;update;patch
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestgroups/status,verbs=patch

// work is one reconcile of a group: what was read, and what came of it.
type work struct {
	// stored is the cache's own; group is the copy that is changed.
	stored, group *v1alpha1.LambdaTestGroup
	// family are the groups of this displayName; of all of them, leader is carried out. It may be the group itself.
	family       []*v1alpha1.LambdaTestGroup
	leader       *v1alpha1.LambdaTestGroup
	organization *v1alpha1.LambdaTestOrganization
	connection   *connection.Connection
	// ids are the accounts of the members who have one, pending the userNames of those who have none.
	ids, pending []string
	// id of the group at LambdaTest, as far as it is known.
	id string
	// target is what LambdaTest's group is to be, and want the details.
	target target
	want   groups.Wish
	next   change
	// taken says that LambdaTest refused the displayName because another group has it, and sought that this one was looked for.
	taken, sought bool
	// nameHeld is what to tell while another resource's group has the displayName; the rest is done.
	nameHeld status.Outcome
	// absent says that a lookup of this reconcile found no group of the name.
	absent bool
	queued bool
	// requested says that somebody asked for a resync, and that LambdaTest has not answered yet.
	requested bool
}

// Reconcile compares a group with what LambdaTest has, and makes at most one change there.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	w, err := r.read(ctx, request)
	if err != nil {
		return ctrl.Result{}, err
	}
	if w == nil {
		r.forget(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	now, err := r.reconcile(ctx, w)
	if w.connection != nil && !w.queued {
		w.connection.Lane.Forget(w.place())
	}
	if err == nil {
		err = r.report(ctx, w, now)
	}
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: status.ConflictRetry}, nil
	}
	return ctrl.Result{RequeueAfter: now.RetryAfter}, err
}

// read reads everything that a decision depends on; nil when the group is gone.
func (r *Reconciler) read(ctx context.Context, request ctrl.Request) (*work, error) {
	w := &work{stored: &v1alpha1.LambdaTestGroup{}}
	if err := r.Client.Get(ctx, request.NamespacedName, w.stored, client.UnsafeDisableDeepCopy); err != nil {
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
	asked := status.ResyncRequest(w.group)
	w.requested = asked != "" && asked != w.stored.Status.LastHandledReconcileAt
	if w.family, err = (claims.GroupRoles{Reader: r.Client}).Family(ctx, w.group); err != nil {
		return nil, err
	}
	w.leader = claims.LeaderOf(w.family)
	organization := &v1alpha1.LambdaTestOrganization{}
	err = r.Client.Get(ctx, w.organizationName(), organization, client.UnsafeDisableDeepCopy)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading organization: %w", err)
	}
	if err == nil {
		w.organization = organization
		w.connection, _ = r.Registry.Find(w.organizationName())
	}
	if w.connection != nil {
		w.connection.Groups.Begin(w.group.Name, w.group.UID)
	}
	w.id, err = r.ownID(ctx, w)
	return w, err
}

func (r *Reconciler) reconcile(ctx context.Context, w *work) (status.Outcome, error) {
	if !w.group.DeletionTimestamp.IsZero() {
		return r.finalize(ctx, w)
	}
	if now, there := w.withoutConnection(); there {
		return now, nil
	}
	if err := r.ensureFinalizer(ctx, w); err != nil {
		return status.Outcome{}, err
	}
	w.connection.Groups.Change(w.group.Name, func(entry *groups.Entry) { entry.Met = true })
	w.connection.Guard.Resolve([]string{claims.GroupReference(w.group)}, map[string]bool{claims.GroupReference(w.group): true})
	if !w.leads() {
		return r.duplicate(ctx, w)
	}
	w.connection.Groups.Change(w.group.Name, func(entry *groups.Entry) { entry.DuplicateSince = time.Time{} })
	switch {
	case !w.pushes():
		return w.rolesOnly(), nil
	case !w.connection.Accounts.Swept():
		return w.beforeFirstSweep(), nil
	}
	w.resolve()
	return r.converge(ctx, w)
}

// withoutConnection is what can be said while the organization cannot be asked, and whether that is all there is to say.
func (w *work) withoutConnection() (status.Outcome, bool) {
	switch {
	case w.organization == nil:
		return status.Stalledf(v1alpha1.OrganizationNotFoundReason, "There is no %s %q in namespace %s: create it, or delete this resource and name another one.",
			v1alpha1.OrganizationKind, w.group.Spec.OrganizationRef.Name, w.group.Namespace), true
	case w.connection == nil:
		// The organization was not looked at yet; all its groups are looked at again then.
		return status.Outcome{}, true
	}
	return status.Outcome{}, false
}

// beforeFirstSweep is what can be said before the first sweep: members are told from their accounts, and it tells which there are.
// A group that was as wanted stays so until then.
func (w *work) beforeFirstSweep() status.Outcome {
	current := w.stored.Status.ObservedGeneration == w.stored.Generation
	if current && (status.IsReady(w.stored) || status.HasReason(w.stored, v1alpha1.DriftedReason)) {
		return status.Outcome{}
	}
	if told := w.obstacle(); told != (status.Outcome{}) {
		return told
	}
	if told := w.whileWaiting(); told != (status.Outcome{}) || current {
		return told
	}
	return status.Progressingf(v1alpha1.ProgressingReason, "The accounts at LambdaTest are being read; the group follows once it is known which of its members have one.")
}

func (w *work) rolesOnly() status.Outcome {
	w.id, w.requested = "", false
	return status.Readyf(v1alpha1.SyncedReason, "The group decides roles here, and is not pushed: groupMode of %s %s is %s.",
		v1alpha1.OrganizationKind, w.organization.Name, v1alpha1.GroupRolesOnly)
}

// resolve finds the accounts of the members.
func (w *work) resolve() {
	ids, without := w.connection.Accounts.Resolve(w.group.Spec.Members)
	w.ids, w.pending = groups.Ordered(ids), without
}

func (w *work) leads() bool { return claims.SameGroup(w.leader, w.group) }

func (w *work) pushes() bool { return w.organization.Spec.GroupMode != v1alpha1.GroupRolesOnly }

// wish is what LambdaTest's group should be, given what it is.
func (w *work) wish(have groups.Observed) groups.Wish {
	if have.Group == nil || w.target == declared {
		return groups.Wish{DisplayName: w.group.Spec.DisplayName, Roles: groups.RoleNames(w.group.Spec.Roles), Members: w.ids}
	}
	aside := groups.Wish{DisplayName: AsideName(have.Group.ID), Members: have.Group.Members}
	if w.target == makesRoom {
		aside.Roles = have.Group.Roles
	}
	return aside
}

func (w *work) organizationName() types.NamespacedName {
	return types.NamespacedName{Namespace: w.group.Namespace, Name: w.group.Spec.OrganizationRef.Name}
}

func (w *work) place() string { return groups.Place(w.group.Name) }

func (r *Reconciler) ensureFinalizer(ctx context.Context, w *work) error {
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
func (r *Reconciler) finalized(ctx context.Context, group *v1alpha1.LambdaTestGroup) (*v1alpha1.LambdaTestGroup, error) {
	if controllerutil.ContainsFinalizer(group, v1alpha1.Finalizer) {
		return group, nil
	}
	updated := group.DeepCopy()
	controllerutil.AddFinalizer(updated, v1alpha1.Finalizer)
	patch := client.MergeFromWithOptions(group, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Patch(ctx, updated, patch); err != nil {
		return nil, fmt.Errorf("adding finalizer: %w", err)
	}
	return updated, nil
}

// forget drops what is in memory about a group that is gone, and tells its members.
func (r *Reconciler) forget(group types.NamespacedName) {
	for _, c := range r.Registry.All() {
		if c.Organization.Namespace == group.Namespace {
			c.Lane.Forget(groups.Place(group.Name))
			c.Holdoffs.Clear(groups.Place(group.Name))
			c.WakeMembers(c.Groups.Forget(group.Name))
		}
	}
}
