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

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// Reconciler makes LambdaTest agree with LambdaTestGroups, and requeues their members when their role changes. Where groups are not pushed, it
// only requeues.
type Reconciler struct {
	Client client.Client
	// Live reads from the API server: for decisions that would be wrong if the cache lags behind.
	Live        client.Reader
	Recorder    events.EventRecorder
	Registry    *connection.Registry
	Concurrency int
	written     status.Writes
	releases    status.Releases
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
	// connection and attempt are nil when the organization is not open yet.
	connection *connection.Connection
	attempt    *connection.Attempt
	// ids are the accounts of the members who have one, pending the userNames of those who have none, and former the accounts that these had.
	ids, pending, former []string
	// id of the group at LambdaTest, as far as it is known.
	id string
	// target is what LambdaTest's group is to be, and want the details.
	target target
	want   groups.Wish
	next   change
	// taken says that LambdaTest refused the displayName because another group has it, and sought that this one was looked for.
	taken, sought bool
	// nameHeld is the outcome while another resource's group has the displayName; the rest is done.
	nameHeld status.Outcome
	// absent says that a lookup of this reconcile found no group of the name.
	absent bool
	// requested says that a resync was requested, and that LambdaTest has not answered yet.
	requested bool
	// losing are the members who would lose a role if the guard did not hold the deletion.
	losing []string
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
	if w.attempt != nil {
		w.attempt.LeaveLane()
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
		w.attempt = &connection.Attempt{Connection: w.connection, Place: groups.Place(w.group.Name), Fingerprint: w.fingerprint()}
		if w.isLeaving() {
			w.attempt.Leaving = "Until then this resource stays; to let it go and leave the group as it is, set spec.deletionPolicy: Orphan."
		}
	}
	w.id, err = r.ownID(ctx, w)
	return w, err
}

func (r *Reconciler) reconcile(ctx context.Context, w *work) (status.Outcome, error) {
	if w.group.HasMembersLeftOut() && w.organization != nil {
		// Writing this brings the members into the cache, and the event of that reconciles the group again.
		return status.Progressingf(v1alpha1.ProgressingReason, "The members of the group are being read."), nil
	}
	if w.isLeaving() {
		return r.finalize(ctx, w)
	}
	switch {
	case w.organization == nil:
		return status.Stalledf(v1alpha1.OrganizationNotFoundReason, "There is no %s %q in namespace %s: create it, or delete this resource and name another one.",
			v1alpha1.OrganizationKind, w.group.Spec.OrganizationRef.Name, w.group.Namespace), nil
	case w.connection == nil:
		return status.Outcome{}, nil // all groups of the organization are requeued when it is opened
	}
	if err := r.ensureFinalizer(ctx, w); err != nil {
		return status.Outcome{}, err
	}
	reference := claims.GroupReference(w.group)
	w.connection.Groups.Change(w.group.Name, func(entry *groups.Entry) { entry.Met = true })
	w.connection.Guard.Resolve([]string{reference}, map[string]bool{reference: true})
	if !w.leads() {
		return r.duplicate(ctx, w)
	}
	w.connection.Groups.Change(w.group.Name, func(entry *groups.Entry) { entry.DuplicateSince = time.Time{} })
	switch {
	case !w.pushes():
		w.id, w.requested = "", false
		return status.Readyf(v1alpha1.SyncedReason, "The group decides roles here, and is not pushed: groupMode of %s %s is %s.",
			v1alpha1.OrganizationKind, w.organization.Name, v1alpha1.GroupRolesOnly), nil
	case !w.connection.Accounts.Swept():
		return w.beforeFirstSweep(), nil
	}
	var ids []string
	ids, w.pending, w.former = w.connection.Accounts.Resolve(w.group.Spec.Members)
	w.ids = groups.Ordered(ids)
	w.attempt.Fingerprint = w.fingerprint()
	return r.converge(ctx, w)
}

// beforeFirstSweep is the outcome before the first sweep, which shows which members have an account. A group that was as wanted stays so
// until then.
func (w *work) beforeFirstSweep() status.Outcome {
	current := w.stored.Status.ObservedGeneration == w.stored.Generation
	if current && (status.IsReady(w.stored) || status.HasReason(w.stored, v1alpha1.DriftedReason)) {
		return status.Outcome{}
	}
	if because, blocked := w.attempt.Obstacle(false); blocked {
		return because
	}
	if outcome := w.attempt.WhileWaiting(); outcome != (status.Outcome{}) || current {
		return outcome
	}
	return status.Progressingf(v1alpha1.ProgressingReason, "The accounts at LambdaTest are being read; the group follows once it is known which of its members have one.")
}

func (w *work) leads() bool { return claims.SameGroup(w.leader, w.group) }

func (w *work) pushes() bool { return w.organization.Spec.GroupMode != v1alpha1.GroupRolesOnly }

func (w *work) isLeaving() bool { return !w.group.DeletionTimestamp.IsZero() }

func (w *work) isReleased() bool { return !claims.IsGroupInForce(w.group) }

func (w *work) organizationName() types.NamespacedName {
	return types.NamespacedName{Namespace: w.group.Namespace, Name: w.group.Spec.OrganizationRef.Name}
}

// fingerprint names what is tried; see connection.Attempt.
func (w *work) fingerprint() string {
	return fmt.Sprintf("%d/%t/%s/%s/%d/%s", w.group.Generation, w.group.DeletionTimestamp.IsZero(), w.group.Spec.DeletionPolicy,
		w.organization.Spec.GroupMode, len(w.ids), status.ResyncRequest(w.group))
}

func (r *Reconciler) ensureFinalizer(ctx context.Context, w *work) error {
	group, err := status.EnsureFinalizer(ctx, r.Client, w.group)
	if err == nil {
		r.releases.Restored(group)
	}
	if err == nil && group != w.group {
		w.group, w.stored = group, group.DeepCopy()
	}
	return err
}

// forget drops what is in memory about a group that is gone, and requeues its members.
func (r *Reconciler) forget(group types.NamespacedName) {
	for _, c := range r.Registry.All() {
		if c.Organization.Namespace == group.Namespace {
			c.Lane.Forget(groups.Place(group.Name))
			c.Holdoffs.Clear(groups.Place(group.Name))
			c.WakeMembers(c.Groups.Forget(group.Name))
		}
	}
}
