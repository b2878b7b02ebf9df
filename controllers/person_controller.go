// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

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
)

// PersonReconciler makes LambdaTest agree with all LambdaTestUsers about one person.
type PersonReconciler struct {
	client client.Client
	// live reads from the API server: where acting on what the cache has not seen yet would be wrong.
	live        client.Reader
	recorder    events.EventRecorder
	connections *connections
	concurrency int
	// markRetention is how long a person whom the identity provider deleted stays denied before the resource is collected.
	markRetention time.Duration
	written       ownWrites
}

// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestusers,verbs=get;list;watch;create;update;patch;delete
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestusers/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile merges the claims about a person, compares with the account, and makes at most one change at LambdaTest.
func (r *PersonReconciler) Reconcile(ctx context.Context, key PersonKey) (ctrl.Result, error) {
	work, err := r.look(ctx, key)
	result := ctrl.Result{}
	if err == nil {
		result, err = r.carryOn(ctx, work)
	}
	if work.connection != nil && !work.queued {
		// A turn that was not needed is somebody else's.
		work.connection.lane.forget(work.user)
	}
	if apierrors.IsConflict(err) {
		// Somebody wrote meanwhile: the cache is about to show it.
		return ctrl.Result{RequeueAfter: conflictRetry, Priority: new(max(priorityChange, work.next.priority))}, nil
	}
	if err != nil && work.next.priority == priorityDenial && work.next.step != stepNone {
		// The queue doubles its pause with every failure, and a denial is due soon after the API server is back.
		ctrl.LoggerFrom(ctx).Error(err, "A denial is tried again soon")
		return ctrl.Result{RequeueAfter: denialBackoffMax / 2, Priority: new(priorityDenial)}, nil
	}
	return result, err
}

// carryOn does the work, and tells how it went.
func (r *PersonReconciler) carryOn(ctx context.Context, w *personWork) (ctrl.Result, error) {
	if len(w.claims) == 0 {
		r.forget(w.key)
		return ctrl.Result{}, nil
	}
	if may, err := r.mayDecide(ctx, w); err != nil || !may {
		return ctrl.Result{}, err
	}
	// A release that fails must not delay a denial by the claims that stay.
	failed := r.letGo(ctx, w)
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
	return ctrl.Result{RequeueAfter: soonest(outcome.retryAfter, later), Priority: new(w.next.priority)}, nil
}

// mayDecide asks the API server only before claims go: whoever stays is told that the organization is not there.
func (r *PersonReconciler) mayDecide(ctx context.Context, w *personWork) (bool, error) {
	if w.organization == nil && len(w.leaving) == 0 {
		return true, nil
	}
	return mayDecide(ctx, r.live, w.key.organization(), w.organization, w.connection)
}

// personWork is one reconcile of a person: what was read, and what came of it.
type personWork struct {
	person
	key  PersonKey
	user string // the folded userName, as lanes, tables and ledgers name the person
	// organization is nil when there is none, connection when it is not open yet.
	organization *v1alpha1.LambdaTestOrganization
	connection   *connection
	fromGroups   groupRole
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
	kept    situation
}

// look reads everything that a decision depends on.
func (r *PersonReconciler) look(ctx context.Context, key PersonKey) (*personWork, error) {
	work := &personWork{key: key, user: key.UserName, released: map[types.UID]bool{}}
	all, err := claimsAbout(ctx, r.client, key)
	if err != nil || len(all) == 0 {
		return work, err
	}
	organization := &v1alpha1.LambdaTestOrganization{}
	err = r.client.Get(ctx, key.organization(), organization, client.UnsafeDisableDeepCopy)
	switch {
	case err == nil:
		work.organization = organization
		if connection, open := r.connections.find(key.organization()); open {
			connection.ledger.expect(key.UserName)
			work.connection = connection
		}
	case apierrors.IsNotFound(err):
		err = nil
	}
	if err == nil {
		work.fromGroups, err = groupRoles{r.client}.of(ctx, key, nil)
	}
	if err != nil {
		return work, fmt.Errorf("reading about a person: %w", err)
	}
	work.person = merge(all, work.fromGroups)
	for _, claim := range all {
		if isGone(claim) {
			work.released[claim.UID] = true
		}
	}
	work.recall()
	work.leaveGroups()
	work.keep()
	return work, nil
}

// recall takes what status remembers for known where memory has nothing, as after a restart.
func (w *personWork) recall() {
	for _, claim := range w.claims {
		if w.connection != nil && claim.Status.AccountID != "" && claim.Status.Account != nil {
			w.connection.accounts.remember(w.user, rememberedAccount(claim))
		}
		requested := resyncRequest(claim)
		w.requested = w.requested || requested != "" && requested != claim.Status.LastHandledReconcileAt
	}
}

// ensureFinalizers comes before the first change at LambdaTest, and before a claim is told that all is well: from then on none goes
// without its account being settled. Not earlier, so that a backlog writes at the pace of its calls.
func (r *PersonReconciler) ensureFinalizers(ctx context.Context, w *personWork) error {
	for i, claim := range w.claims {
		if !claim.DeletionTimestamp.IsZero() || !isFull(claim) || controllerutil.ContainsFinalizer(claim, v1alpha1.Finalizer) {
			continue
		}
		updated := claim.DeepCopy()
		controllerutil.AddFinalizer(updated, v1alpha1.Finalizer)
		patch := client.MergeFromWithOptions(claim, client.MergeFromWithOptimisticLock{})
		if err := r.client.Patch(ctx, updated, patch); err != nil {
			return fmt.Errorf("adding finalizer: %w", err)
		}
		w.claims[i] = updated
	}
	// What is wanted stays: the guard may have changed it.
	wanted, denial := w.desired, w.denial
	w.person = merge(w.claims, w.fromGroups)
	w.desired, w.denial = wanted, denial
	return nil
}

// forget drops what is in memory about a person whom no claim is about.
func (r *PersonReconciler) forget(key PersonKey) {
	connection, ok := r.connections.opening(key.organization())
	if !ok {
		return
	}
	connection.lane.forget(key.UserName)
	connection.ledger.strike(key.UserName)
	connection.setbacks.clear(key.UserName)
	connection.accounts.forget(key.UserName)
}

// SetupWithManager adds the controller to the manager.
func (r *PersonReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return builder.TypedControllerManagedBy[PersonKey](mgr).
		Named("person").
		WatchesRawSource(source.TypedKind(mgr.GetCache(), &v1alpha1.LambdaTestUser{}, claimEvents(r.client), noticing(&r.written, claimChanged()))).
		WatchesRawSource(r.connections.people.source()).
		WithOptions(controller.TypedOptions[PersonKey]{
			MaxConcurrentReconciles: r.concurrency,
			RateLimiter:             personRateLimiter(r.connections.options.Backoff),
		}).
		WithLogConstructor(func(key *PersonKey) logr.Logger {
			log := mgr.GetLogger().WithName("person")
			if key == nil {
				return log
			}
			return log.WithValues("namespace", key.Namespace, "organization", key.Organization, "person", key.digest())
		}).
		Complete(r)
}

// conflictRetry is how long the cache gets to show what somebody else wrote.
const conflictRetry = 200 * time.Millisecond
