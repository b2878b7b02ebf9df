// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// OrganizationReconciler keeps the connection of each LambdaTestOrganization: address, token, limits; and tells how it goes.
type OrganizationReconciler struct {
	client client.Client
	// live reads Secrets, which no cache holds.
	live        client.Reader
	recorder    events.EventRecorder
	connections *connections
	hosts       upstreamHosts
	dial        func(baseURL, token string) (Upstream, error)
	options     Options
}

// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestorganizations,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestorganizations/status,verbs=patch
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestorganizations/finalizers,verbs=update
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create

// Reconcile opens, changes or closes the connection, and writes the organization's status. It makes no call to LambdaTest.
func (r *OrganizationReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	stored := &v1alpha1.LambdaTestOrganization{}
	err := r.client.Get(ctx, request.NamespacedName, stored)
	if apierrors.IsNotFound(err) {
		r.connections.close(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("reading organization: %w", err)
	}
	organization := stored.DeepCopy()
	if !organization.DeletionTimestamp.IsZero() {
		gone, err := r.finalize(ctx, organization)
		if gone || err != nil {
			return ctrl.Result{}, err
		}
	} else if err := r.ensureFinalizer(ctx, organization); err != nil {
		return ctrl.Result{}, err
	}
	connection, fresh := r.connections.open(request.NamespacedName) //nolint:contextcheck // a connection outlives the reconcile that opens it
	if fresh {
		if err := r.recallEverybody(ctx, connection); err != nil {
			r.connections.close(request.NamespacedName)
			return ctrl.Result{}, err
		}
	}
	if err := r.guard().heed(ctx, organization, connection); err != nil {
		return ctrl.Result{}, err
	}
	r.heed(organization, connection)
	now, err := r.connect(ctx, organization, connection)
	if err != nil {
		return ctrl.Result{}, err
	}
	if !organization.DeletionTimestamp.IsZero() {
		if now, err = r.peopleRemain(ctx, organization, now); err != nil {
			return ctrl.Result{}, err
		}
	}
	warned, err := r.checkSCIMTokens(ctx, organization, connection)
	if err != nil {
		return ctrl.Result{}, err
	}
	warned.warn(organization, metav1.NewTime(r.options.Now()))
	r.warnOfRefusals(organization, connection)
	held, err := r.guard().describe(ctx, organization, connection)
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: soonest(soonest(now.retryAfter, warned.again), held)}, r.report(ctx, stored, organization, connection, now)
}

// soonest of two waits, of which zero is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// connect brings the connection into the state that the spec asks for, and says where things stand.
func (r *OrganizationReconciler) connect(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection) (situation, error) {
	if err := r.ensureSCIMToken(ctx, organization); err != nil {
		return situation{}, err
	}
	if organization.Spec.Suspend {
		c.block(suspended(organization.Name))
		return situation{readiness: stalled, reason: v1alpha1.SuspendedReason, message: "No calls are made: set spec.suspend to false to go on."}, nil
	}
	if err := r.hosts.check(organization.Spec.BaseURL); err != nil {
		return r.blocked(c, organization, v1alpha1.InvalidBaseURLReason, err.Error()), nil
	}
	token, problem, err := r.readToken(ctx, organization)
	if err != nil || problem != "" {
		return r.blocked(c, organization, v1alpha1.SecretNotFoundReason, problem), err
	}
	set := settingsOf(organization, token)
	if older := r.connections.olderWithToken(c, set.fingerprint, set.createdAt); older != "" {
		return r.blocked(c, organization, v1alpha1.DuplicateOrganizationReason,
			fmt.Sprintf("%s uses the same token: delete one of the two, or give this one the token of another LambdaTest organization", older)), nil
	}
	if twin := c.lastComparison().twin; twin != "" && r.connections.has(twin) {
		return r.blocked(c, organization, v1alpha1.DuplicateOrganizationReason,
			fmt.Sprintf("%s has the same accounts: delete one of the two, or give this one the token of another LambdaTest organization", twin)), nil
	}
	if current, _ := c.state(); current.fingerprint == set.fingerprint && c.client() != nil {
		c.use(set, nil)
		return r.connected(c), nil
	}
	upstream, err := r.dial(organization.Spec.BaseURL, token)
	if err != nil {
		return r.blocked(c, organization, v1alpha1.SecretNotFoundReason, fmt.Sprintf(
			"the token in Secret %s cannot be used (%v): put the token there as LambdaTest shows it", organization.Spec.TokenSecretRef.Name, err)), nil
	}
	c.use(set, upstream)
	return r.connected(c), nil
}

// heed acts on what people ask for by annotation: a comparison now, or to believe one.
func (r *OrganizationReconciler) heed(organization *v1alpha1.LambdaTestOrganization, c *connection) {
	if c.approve(organization.Annotations[v1alpha1.ApproveDeprovisionAnnotation]) {
		c.sweepNow()
		c.wakeOpen(priorityDrift)
	}
	requested := resyncRequest(organization)
	if requested != "" && requested != organization.Status.LastHandledReconcileAt {
		c.setbacks.clearAll()
		c.lane.renew()
		c.wakeOpen(priorityDrift)
		c.sweepNow()
	}
}

// blocked stops the connection for a reason that somebody has to remove.
func (r *OrganizationReconciler) blocked(c *connection, organization *v1alpha1.LambdaTestOrganization, reason, problem string) situation {
	c.block(notReady(organization.Name, problem))
	return situation{readiness: stalled, reason: reason, message: problem, retryAfter: orgRetry}
}

var errNoAnswer = errors.New("calls for single people fail")

func suspended(organization string) situation {
	return situation{
		readiness: stalled,
		reason:    v1alpha1.SuspendedReason,
		message: fmt.Sprintf("%s %s is suspended, so nothing is changed at LambdaTest: set its spec.suspend to false to go on.",
			v1alpha1.OrganizationKind, organization),
	}
}

// connected says how a working connection does, by its circuit and its last comparison.
func (r *OrganizationReconciler) connected(c *connection) situation {
	set, _ := c.state()
	last := c.lastComparison()
	doubt, suspected := c.suspected()
	switch state, _ := c.lane.state(); {
	case state == "unauthorized":
		return situation{
			readiness: stalled, reason: v1alpha1.UnauthorizedReason,
			message: fmt.Sprintf("LambdaTest refuses the token: put a valid one into Secret %s; it is used at once. If the token is valid, ask for another try with the annotation %s.",
				set.tokenSecret, v1alpha1.ReconcileRequestedAtAnnotation),
		}
	case state == "open":
		return situation{
			readiness: progressing, reason: v1alpha1.UpstreamUnavailableReason,
			message: fmt.Sprintf("LambdaTest does not answer. It is tried again and again; nothing needs to be done here. (%v)", cmp.Or(last.err, errNoAnswer)),
		}
	case suspected:
		return doubt.situation(c.organization.Name)
	case last.err != nil:
		return situation{
			readiness: progressing, reason: v1alpha1.UpstreamUnavailableReason,
			message: fmt.Sprintf("The last comparison was discarded, and is repeated (%v).", last.err),
		}
	case !last.complete:
		return situation{readiness: progressing, reason: v1alpha1.ProgressingReason, message: "The first comparison of the whole organization is under way."}
	}
	return situation{readiness: ready, reason: v1alpha1.SyncedReason, message: "LambdaTest is reached, and compared regularly."}
}

// settingsOf reads what the spec says about the connection.
func settingsOf(organization *v1alpha1.LambdaTestOrganization, token string) settings {
	spec := organization.Spec
	return settings{
		fingerprint:  fingerprint(spec.BaseURL, token),
		baseURL:      spec.BaseURL,
		tokenSecret:  spec.TokenSecretRef.Name,
		syncInterval: max(spec.SyncInterval.Duration, time.Second),
		reportDrift:  spec.DriftPolicy == v1alpha1.DriftReport,
		perSecond:    int(max(spec.RateLimit.RequestsPerSecond, 1)),
		burst:        int(max(spec.RateLimit.Burst, 1)),
		createdAt:    organization.CreationTimestamp.Time,
	}
}

func (r *OrganizationReconciler) ensureFinalizer(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) error {
	if controllerutil.ContainsFinalizer(organization, v1alpha1.Finalizer) {
		return nil
	}
	before := organization.DeepCopy()
	controllerutil.AddFinalizer(organization, v1alpha1.Finalizer)
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, organization, patch); err != nil {
		return fmt.Errorf("adding finalizer: %w", err)
	}
	return nil
}

// finalize lets the organization go once nobody needs it, and says whether it has gone. Until then it works on.
func (r *OrganizationReconciler) finalize(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (bool, error) {
	remaining, err := r.remaining(ctx, organization)
	if err != nil || remaining > 0 {
		return false, err
	}
	r.connections.close(client.ObjectKeyFromObject(organization))
	if !controllerutil.ContainsFinalizer(organization, v1alpha1.Finalizer) {
		return true, nil
	}
	before := organization.DeepCopy()
	controllerutil.RemoveFinalizer(organization, v1alpha1.Finalizer)
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := client.IgnoreNotFound(r.client.Patch(ctx, organization, patch)); err != nil {
		return false, fmt.Errorf("removing finalizer: %w", err)
	}
	return true, nil
}

// remaining counts the claims that still need the organization. Those that only observe need nothing.
func (r *OrganizationReconciler) remaining(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (int, error) {
	remaining := 0
	err := visitClaims(ctx, r.client, client.ObjectKeyFromObject(organization), func(claim *v1alpha1.LambdaTestUser) {
		if controllerutil.ContainsFinalizer(claim, v1alpha1.Finalizer) {
			remaining++
		}
	})
	if err != nil {
		return remaining, err
	}
	groups, err := listGroups(ctx, r.client, organization.Namespace, client.MatchingFields{groupOrganizationIndex: organization.Name})
	for _, group := range groups {
		if controllerutil.ContainsFinalizer(group, v1alpha1.Finalizer) {
			remaining++
		}
	}
	return remaining, err
}

// peopleRemain tells an organization that is being deleted what keeps it.
func (r *OrganizationReconciler) peopleRemain(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, now situation) (situation, error) {
	remaining, err := r.remaining(ctx, organization)
	return situation{
		readiness: stalled, reason: v1alpha1.PeopleRemainReason,
		message: fmt.Sprintf("%d LambdaTestUsers and LambdaTestGroups still need this organization: delete them, with deletionPolicy: Orphan if LambdaTest shall not be called. (%s)",
			remaining, now.message),
		retryAfter: countsInterval,
	}, err
}

// recallEverybody prepares a newly opened connection: the accounts that people's status remembers are known from now on, so that the
// first comparison notices when they are gone. Then the connection is open, and whoever was sent away before is looked at again. Whoever
// was settled then is left to the review.
func (r *OrganizationReconciler) recallEverybody(ctx context.Context, c *connection) error {
	if err := r.guard().load(ctx, c); err != nil {
		return err
	}
	err := visitClaims(ctx, r.client, c.organization, func(claim *v1alpha1.LambdaTestUser) {
		user := personKeyOf(claim).UserName
		if claim.Status.AccountID != "" && claim.Status.Account != nil {
			c.accounts.remember(user, rememberedAccount(claim))
		}
		if !c.ledger.recall(user, remembered(claim)) {
			c.accounts.forget(user)
		}
	})
	if err != nil {
		return err
	}
	c.ledger.recalled()
	close(c.recalled)
	return r.wakeEverybody(ctx, c)
}

// wakeEverybody looks again at all who were sent away because the organization was not open. It lists them once it is: who comes later
// is not sent away.
func (r *OrganizationReconciler) wakeEverybody(ctx context.Context, c *connection) error {
	err := visitClaims(ctx, r.client, c.organization, func(claim *v1alpha1.LambdaTestUser) {
		if !wasSettled(claim) { // the others are reviewed
			r.connections.people.add(priorityOf(claim, true), personKeyOf(claim))
		}
	})
	if err != nil {
		return err
	}
	groups, err := requestsOfGroups(ctx, r.client, c.organization)
	if err != nil {
		return err
	}
	r.connections.groups.add(priorityInitialList, groups...)
	return nil
}

// report writes the organization's status, if it differs.
func (r *OrganizationReconciler) report(ctx context.Context, stored, organization *v1alpha1.LambdaTestOrganization, c *connection, now situation) error {
	describeOrganization(organization, c)
	if now.reason == v1alpha1.ProgressingReason && isReady(stored) && stored.Status.ObservedGeneration == stored.Generation {
		return nil // after a restart, what was told holds until the first comparison says otherwise
	}
	settle(organization, now, metav1.NewTime(r.options.Now()))
	if equality.Semantic.DeepEqual(stored.Status, organization.Status) {
		return nil
	}
	if err := client.IgnoreNotFound(r.client.Status().Patch(ctx, organization, client.MergeFrom(stored))); err != nil {
		return fmt.Errorf("writing status: %w", err)
	}
	r.recordTransition(stored, organization)
	return nil
}

func (r *OrganizationReconciler) recordTransition(before, after *v1alpha1.LambdaTestOrganization) {
	old, now := readyCondition(before), readyCondition(after)
	if old != nil && old.Reason == now.Reason {
		return
	}
	kind := corev1.EventTypeNormal
	if now.Status != metav1.ConditionTrue && now.Reason != v1alpha1.ProgressingReason {
		kind = corev1.EventTypeWarning
	}
	r.recorder.Eventf(after, nil, kind, now.Reason, "Reconcile", "%s", now.Message)
}

// describeOrganization fills in everything but the conditions.
func describeOrganization(organization *v1alpha1.LambdaTestOrganization, c *connection) {
	sum, _ := c.ledger.counts()
	last := c.lastComparison()
	state, _ := c.lane.state()
	unclaimed := max(c.accounts.size()-sum.accounts, 0)
	observeCounts(c.organization, sum, unclaimed, state)
	status := &organization.Status
	status.LastHandledReconcileAt = resyncRequest(organization)
	status.SCIMTokenSecret = organization.SCIMTokenSecretName()
	status.People, status.Active = count(sum.people), count(sum.active)
	status.Synced, status.Failing = count(sum.synced), count(sum.failing)
	status.Drifted, status.PendingDenials = count(sum.drifted), count(sum.pendingDenials)
	if last.complete {
		status.Unclaimed = count(unclaimed)
	}
}

func count(n int) *int32 { return new(int32(n)) } //nolint:gosec // people are far fewer than two billion

// SetupWithManager adds the controller to the manager.
func (r *OrganizationReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("organization").
		For(&v1alpha1.LambdaTestOrganization{}, builder.WithPredicates(organizationChanged())).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.organizationsOfSecret)).
		WatchesRawSource(r.connections.organizations.source()).
		WithOptions(controller.Options{MaxConcurrentReconciles: organizationConcurrency}).
		Complete(r)
}

// organizationChanged lets pass what people write; counts and conditions are the operator's own.
func organizationChanged() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
}

// organizationsOfSecret finds whose token a Secret may hold.
func (r *OrganizationReconciler) organizationsOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	var list v1alpha1.LambdaTestOrganizationList
	if err := r.client.List(ctx, &list, client.InNamespace(secret.GetNamespace())); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing organizations of a changed Secret")
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		organization := &list.Items[i]
		if secret.GetName() == organization.Spec.TokenSecretRef.Name || secret.GetName() == organization.SCIMTokenSecretName() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(organization)})
		}
	}
	return requests
}
