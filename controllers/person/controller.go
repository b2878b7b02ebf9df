// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// Reconciler makes LambdaTest agree with all LambdaTestUsers about one person.
type Reconciler struct {
	Client client.Client
	// Live reads from the API server: for decisions that would be wrong if the cache lags behind.
	Live        client.Reader
	Recorder    events.EventRecorder
	Registry    *connection.Registry
	Concurrency int
	// MarkRetention is how long a person whom the identity provider deleted stays denied before the resource is deleted.
	MarkRetention time.Duration
	Written       status.Writes
	releases      status.Releases
}

// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestusers,verbs=get;list;watch;create;update;patch;delete
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestusers/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile merges the claims about a person, compares with the account, and makes at most one change at LambdaTest.
func (r *Reconciler) Reconcile(ctx context.Context, key claims.PersonKey) (ctrl.Result, error) {
	w, err := r.read(ctx, key)
	result := ctrl.Result{}
	if err == nil {
		result, err = r.reconcile(ctx, w)
	}
	if w.attempt != nil {
		w.attempt.LeaveLane()
	}
	if apierrors.IsConflict(err) {
		// Conflict: another writer changed the object. Retry once the cache has caught up.
		return ctrl.Result{RequeueAfter: status.ConflictRetry, Priority: new(max(lane.Change, w.next.priority))}, nil
	}
	if err != nil && w.next.priority == lane.Denial && w.next.step != stepNone {
		// The queue doubles its pause with each failure, but a denial must follow soon after the API server is back.
		ctrl.LoggerFrom(ctx).Error(err, "A denial is tried again soon")
		return ctrl.Result{RequeueAfter: lane.DenialBackoffMax / 2, Priority: new(lane.Denial)}, nil
	}
	return result, err
}

func (r *Reconciler) reconcile(ctx context.Context, w *work) (ctrl.Result, error) {
	if len(w.Claims) == 0 {
		r.forget(w.key)
		return ctrl.Result{}, nil
	}
	if may, err := r.mayDecide(ctx, w); err != nil || !may {
		return ctrl.Result{}, err
	}
	// A release that fails must not delay a denial by the claims that stay.
	failed := r.releaseLeaving(ctx, w)
	outcome, err := r.converge(ctx, w)
	if err == nil {
		outcome = w.deniedButActive(outcome)
		err = r.report(ctx, w, outcome)
	}
	if err := errors.Join(failed, err); err != nil {
		return ctrl.Result{}, err
	}
	w.settleGuard()
	if err := r.retireImports(ctx, w); err != nil {
		return ctrl.Result{}, err
	}
	later, err := r.collect(ctx, w, outcome)
	if err != nil {
		return ctrl.Result{}, err
	}
	later = status.Soonest(later, r.warnOfPending(w, outcome))
	again := status.Soonest(outcome.RetryAfter, later)
	if !w.unreported {
		return ctrl.Result{RequeueAfter: again, Priority: new(w.next.priority)}, nil
	}
	priority := w.next.priority
	if w.next.step == stepNone && again == 0 {
		priority = lane.InitialList // only statuses are left to write
	}
	return ctrl.Result{RequeueAfter: status.Soonest(again, status.ConflictRetry), Priority: &priority}, nil
}

// mayDecide asks the API server for a missing organization only before claims are released: otherwise the status says that it is missing.
func (r *Reconciler) mayDecide(ctx context.Context, w *work) (bool, error) {
	if w.organization == nil && len(w.Leaving) == 0 {
		return true, nil
	}
	return connection.MayDecide(ctx, r.Live, w.key.OrganizationKey(), w.organization, w.connection)
}

// work is one reconcile of a person: what was read, and what came of it.
type work struct {
	claims.Person
	key  claims.PersonKey
	now  time.Time // when the reconcile began
	user string    // the folded userName, as lane, tables and census name the person
	// organization is nil when there is none; connection and attempt are nil when it is not open yet.
	organization *v1alpha1.LambdaTestOrganization
	connection   *connection.Connection
	attempt      *connection.Attempt
	fromGroups   claims.GroupRole
	// requested says that a resync was requested, and that LambdaTest has not answered yet.
	requested bool

	// next is the last plan, under these constraints.
	next  change
	given constraints
	// calledAt is when the last call began.
	calledAt time.Time
	// refusal is what LambdaTest refused in this reconcile, and may refuse once more without a part of it.
	refusal error
	// final, unless nil, is a refusal of a change that is believed if LambdaTest still shows the account.
	final error
	// created says that this reconcile created the account.
	created bool
	// trouble is the reason why a denial is not carried out.
	trouble string
	// lost says that LambdaTest did not find the account by its id.
	lost bool
	// unreported says that statuses are left to write.
	unreported bool
	// released claims have lost their finalizer: their status is not written any more.
	released sets.Set[types.UID]
	// guarded is what was asked of the guard. kept, unless zero, says that a rejection keeps something in force.
	guarded guarded
	kept    status.Outcome
}

// read reads everything that a decision depends on.
func (r *Reconciler) read(ctx context.Context, key claims.PersonKey) (*work, error) {
	w := &work{key: key, now: r.Registry.Options.Now(), user: key.UserName, released: sets.New[types.UID]()}
	all, err := claims.About(ctx, r.Client, key)
	if err != nil || len(all) == 0 {
		return w, err
	}
	organization := &v1alpha1.LambdaTestOrganization{}
	err = r.Client.Get(ctx, key.OrganizationKey(), organization, client.UnsafeDisableDeepCopy)
	switch {
	case err == nil:
		w.organization = organization
		if c, open := r.Registry.Find(key.OrganizationKey()); open {
			c.Census.Expect(key.UserName)
			w.connection, w.attempt = c, &connection.Attempt{Connection: c, Place: key.UserName}
		}
	case apierrors.IsNotFound(err):
		err = nil
	}
	if err == nil {
		w.fromGroups, err = claims.GroupRoles{Reader: r.Client, MaxRole: w.maxRole()}.Of(ctx, key, nil)
	}
	if err != nil {
		return w, fmt.Errorf("reading about a person: %w", err)
	}
	w.Person = claims.Merge(all, w.fromGroups, w.maxRole())
	for _, claim := range all {
		if claims.IsReleased(claim) {
			w.released.Insert(claim.UID)
		}
	}
	w.recallStatus()
	w.defaultRoleAfterGroups()
	w.keep()
	return w, nil
}

func (w *work) maxRole() v1alpha1.Role { return claims.MaxRoleOf(w.organization) }

// recallStatus fills in from status what memory does not have, as after a restart.
func (w *work) recallStatus() {
	for _, claim := range w.Claims {
		if w.connection != nil {
			w.connection.Accounts.Recall(w.user, claim)
		}
		requested := status.ResyncRequest(claim)
		w.requested = w.requested || requested != "" && requested != claim.Status.LastHandledReconcileAt
	}
}

// ensureFinalizers comes before the first change at LambdaTest, and before a status says that all is well: from then on no claim is gone
// before its account is settled. Not earlier, so that a backlog writes at the pace of its calls.
func (r *Reconciler) ensureFinalizers(ctx context.Context, w *work) error {
	for i, claim := range w.Claims {
		if !claim.DeletionTimestamp.IsZero() || !claims.IsFull(claim) {
			continue
		}
		var err error
		if w.Claims[i], err = status.EnsureFinalizer(ctx, r.Client, claim); err != nil {
			return err
		}
		r.releases.Restored(claim)
	}
	// Keep what is desired: the guard may have changed it since the merge.
	desired, denial := w.Desired, w.Denial
	w.Person = claims.Merge(w.Claims, w.fromGroups, w.maxRole())
	w.Desired, w.Denial = desired, denial
	return nil
}

// forget drops what is in memory about a person without claims.
func (r *Reconciler) forget(key claims.PersonKey) {
	c, ok := r.Registry.Opening(key.OrganizationKey())
	if !ok {
		return
	}
	c.Lane.Forget(key.UserName)
	c.Census.Remove(key.UserName)
	c.Holdoffs.Clear(key.UserName)
	c.Accounts.Forget(key.UserName)
	c.SetBacks.Forget(key.UserName)
}
