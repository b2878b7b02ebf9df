// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/accounts"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// Reconciler makes LambdaTest agree with all LambdaTestUsers about one person.
type Reconciler struct {
	Client client.Client
	// Live reads from the API server: where acting on what the cache has not seen yet would be wrong.
	Live        client.Reader
	Recorder    events.EventRecorder
	Registry    *connection.Registry
	Concurrency int
	// MarkRetention is how long a person whom the identity provider deleted stays denied before the resource is collected.
	MarkRetention time.Duration
	Written       status.Writes
}

// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestusers,verbs=get;list;watch;create;update;patch;delete
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestusers/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile merges the claims about a person, compares with the account, and makes at most one change at LambdaTest.
func (r *Reconciler) Reconcile(ctx context.Context, key claims.PersonKey) (ctrl.Result, error) {
	work, err := r.read(ctx, key)
	result := ctrl.Result{}
	if err == nil {
		result, err = r.reconcile(ctx, work)
	}
	if work.connection != nil && !work.queued {
		// Give back a grant that was not used.
		work.connection.Lane.Forget(work.user)
	}
	if apierrors.IsConflict(err) {
		// Conflict: another writer changed the object. Retry once the cache has caught up.
		return ctrl.Result{RequeueAfter: status.ConflictRetry, Priority: new(max(lane.Change, work.next.priority))}, nil
	}
	if err != nil && work.next.priority == lane.Denial && work.next.step != stepNone {
		// The queue doubles its pause with each failure, but a denial is due soon after the API server is back.
		ctrl.LoggerFrom(ctx).Error(err, "A denial is tried again soon")
		return ctrl.Result{RequeueAfter: lane.DenialBackoffMax / 2, Priority: new(lane.Denial)}, nil
	}
	return result, err
}

// reconcile does the work, and tells how it went.
func (r *Reconciler) reconcile(ctx context.Context, w *work) (ctrl.Result, error) {
	if len(w.Claims) == 0 {
		r.Forget(w.key)
		return ctrl.Result{}, nil
	}
	if may, err := r.mayDecide(ctx, w); err != nil || !may {
		return ctrl.Result{}, err
	}
	// A release that fails must not delay a denial by the claims that stay.
	failed := r.releaseLeaving(ctx, w)
	outcome, err := r.converge(ctx, w)
	if err == nil {
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
	return ctrl.Result{RequeueAfter: status.Soonest(outcome.RetryAfter, later), Priority: new(w.next.priority)}, nil
}

// mayDecide asks the API server only before claims go: whoever stays is told that the organization is not there.
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
	user string // the folded userName, as lane, tables and census name the person
	// organization is nil when there is none, connection when it is not open yet.
	organization *v1alpha1.LambdaTestOrganization
	connection   *connection.Connection
	fromGroups   claims.GroupRole
	// next is the last plan.
	next change
	// calledAt is when the last call began.
	calledAt time.Time
	// refusal is what LambdaTest refused in this reconcile, and may refuse once more without a part of it.
	refusal error
	// lost says that LambdaTest did not find the account by its id.
	lost bool
	// released claims have lost their finalizer: nothing is left to tell them.
	released map[types.UID]bool
	// queued says that the person waits in the lane.
	queued bool
	// requested says that somebody asked for a resync, and that LambdaTest has not answered yet.
	requested bool
	// guarded is what was asked of the guard; kept, unless zero, tells that a rejection keeps something in force.
	guarded guarded
	kept    status.Outcome
}

// read reads everything that a decision depends on.
func (r *Reconciler) read(ctx context.Context, key claims.PersonKey) (*work, error) {
	work := &work{key: key, user: key.UserName, released: map[types.UID]bool{}}
	all, err := claims.About(ctx, r.Client, key)
	if err != nil || len(all) == 0 {
		return work, err
	}
	organization := &v1alpha1.LambdaTestOrganization{}
	err = r.Client.Get(ctx, key.OrganizationKey(), organization, client.UnsafeDisableDeepCopy)
	switch {
	case err == nil:
		work.organization = organization
		if connection, open := r.Registry.Find(key.OrganizationKey()); open {
			connection.Census.Expect(key.UserName)
			work.connection = connection
		}
	case apierrors.IsNotFound(err):
		err = nil
	}
	if err == nil {
		work.fromGroups, err = claims.GroupRoles{Reader: r.Client}.Of(ctx, key, nil)
	}
	if err != nil {
		return work, fmt.Errorf("reading about a person: %w", err)
	}
	work.Person = claims.Merge(all, work.fromGroups)
	for _, claim := range all {
		if claims.IsReleased(claim) {
			work.released[claim.UID] = true
		}
	}
	work.recallStatus()
	work.defaultRoleAfterGroups()
	work.keep()
	return work, nil
}

// recallStatus takes what status remembers for known where memory has nothing, as after a restart.
func (w *work) recallStatus() {
	for _, claim := range w.Claims {
		if w.connection != nil && claim.Status.AccountID != "" && claim.Status.Account != nil {
			w.connection.Accounts.Remember(w.user, accounts.Remembered(claim))
		}
		requested := status.ResyncRequest(claim)
		w.requested = w.requested || requested != "" && requested != claim.Status.LastHandledReconcileAt
	}
}

// ensureFinalizers comes before the first change at LambdaTest, and before a claim is told that all is well: from then on none goes
// without its account being settled. Not earlier, so that a backlog writes at the pace of its calls.
func (r *Reconciler) ensureFinalizers(ctx context.Context, w *work) error {
	for i, claim := range w.Claims {
		if !claim.DeletionTimestamp.IsZero() || !claims.IsFull(claim) || controllerutil.ContainsFinalizer(claim, v1alpha1.Finalizer) {
			continue
		}
		updated := claim.DeepCopy()
		controllerutil.AddFinalizer(updated, v1alpha1.Finalizer)
		patch := client.MergeFromWithOptions(claim, client.MergeFromWithOptimisticLock{})
		if err := r.Client.Patch(ctx, updated, patch); err != nil {
			return fmt.Errorf("adding finalizer: %w", err)
		}
		w.Claims[i] = updated
	}
	// Keep what is desired: the guard may have changed it since the merge.
	wanted, denial := w.Desired, w.Denial
	w.Person = claims.Merge(w.Claims, w.fromGroups)
	w.Desired, w.Denial = wanted, denial
	return nil
}

// Forget drops what is in memory about a person whom no claim is about.
func (r *Reconciler) Forget(key claims.PersonKey) {
	connection, ok := r.Registry.Opening(key.OrganizationKey())
	if !ok {
		return
	}
	connection.Lane.Forget(key.UserName)
	connection.Census.Remove(key.UserName)
	connection.Holdoffs.Clear(key.UserName)
	connection.Accounts.Forget(key.UserName)
}

// SetupWithManager adds the controller to the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return builder.TypedControllerManagedBy[claims.PersonKey](mgr).
		Named("person").
		WatchesRawSource(source.TypedKind(mgr.GetCache(), &v1alpha1.LambdaTestUser{}, claimEvents(r.Client), status.IgnoringOwnWrites(&r.Written, claimChanged()))).
		WatchesRawSource(r.Registry.People.Source()).
		WithOptions(controller.TypedOptions[claims.PersonKey]{
			MaxConcurrentReconciles: r.Concurrency,
			RateLimiter:             personRateLimiter(r.Registry.Options.Backoff),
		}).
		WithLogConstructor(func(key *claims.PersonKey) logr.Logger {
			log := mgr.GetLogger().WithName("person")
			if key == nil {
				return log
			}
			return log.WithValues("namespace", key.Namespace, "organization", key.Organization, "person", key.Digest())
		}).
		Complete(r)
}
