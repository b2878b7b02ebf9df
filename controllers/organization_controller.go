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
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
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
	written     ownWrites
}

// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestorganizations,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestorganizations/status,verbs=patch
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestorganizations/finalizers,verbs=update
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create

// Reconcile opens, changes or closes the connection, and writes the organization's status. It makes no call to LambdaTest.
func (r *OrganizationReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	organization := &v1alpha1.LambdaTestOrganization{}
	err := r.client.Get(ctx, request.NamespacedName, organization)
	if apierrors.IsNotFound(err) {
		r.connections.close(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("reading organization: %w", err)
	}
	if !organization.DeletionTimestamp.IsZero() {
		gone, err := r.finalize(ctx, organization)
		if gone || err != nil {
			return ctrl.Result{}, err
		}
	} else if err := r.ensureFinalizer(ctx, organization); err != nil {
		return ctrl.Result{}, err
	}
	connection, fresh := r.connections.open(request.NamespacedName, organization.CreationTimestamp.Time) //nolint:contextcheck // a connection outlives the reconcile that opens it
	if fresh {
		if wasCompared(organization) {
			connection.answeredAt(organization.Spec.BaseURL)
		}
		if err := connection.recall(ctx); err != nil {
			r.connections.close(request.NamespacedName)
			return ctrl.Result{}, err
		}
	}
	return r.work(ctx, organization, connection)
}

// work connects the organization and tells how it goes. An error of one step keeps no other step from its work, and is returned at the
// end: what cannot be read is unknown, and the connection and the conditions stay as they are.
func (r *OrganizationReconciler) work(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection) (ctrl.Result, error) {
	unheeded := c.guard.heed(ctx, organization)
	r.heed(organization, c)
	now, unread := r.connect(ctx, organization, c)
	if unread == nil && !organization.DeletionTimestamp.IsZero() {
		now, unread = r.peopleRemain(ctx, organization, now)
	}
	warned, unchecked := r.checkSCIMTokens(ctx, organization, c)
	held, unwritten := r.report(ctx, organization, c, now, warned)
	again := soonest(soonest(now.retryAfter, warned.again), held)
	if apierrors.IsConflict(unwritten) {
		again, unwritten = conflictRetry, nil
	}
	if err := errors.Join(unheeded, unread, unchecked, unwritten); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: again}, nil
}

// soonest of two waits, of which zero is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// connect brings the connection into the state that the spec asks for, and says where things stand. After an error it stays as it is,
// except that a suspended organization makes no calls in any case.
func (r *OrganizationReconciler) connect(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection) (situation, error) {
	if organization.Spec.Suspend {
		return r.suspend(ctx, organization, c)
	}
	if err := r.hosts.check(organization.Spec.BaseURL); err != nil {
		r.connections.release(c, organization.Spec.BaseURL)
		return r.blocked(c, organization, v1alpha1.InvalidBaseURLReason, err.Error()), nil
	}
	token, problem, err := r.readToken(ctx, organization)
	if err != nil {
		c.examined()
		return situation{}, err
	}
	if problem != "" {
		r.connections.release(c, organization.Spec.BaseURL)
		return r.blocked(c, organization, v1alpha1.SecretNotFoundReason, problem), nil
	}
	set := settingsOf(organization, token)
	var upstream Upstream // nil keeps the one in use
	if current, _ := c.state(); current.fingerprint != set.fingerprint || c.client() == nil {
		if upstream, err = r.dial(organization.Spec.BaseURL, token); err != nil {
			r.connections.release(c, organization.Spec.BaseURL)
			return r.blocked(c, organization, v1alpha1.SecretNotFoundReason, fmt.Sprintf(
				"the token in Secret %s cannot be used (%v): put the token there as LambdaTest shows it", organization.Spec.TokenSecretRef.Name, err)), nil
		}
		if waits, err := r.olderOnesFirst(ctx, organization, c); err != nil || waits {
			return situation{retryAfter: takeOverRetry}, err
		}
	}
	return r.use(organization, c, set, upstream), nil
}

// use puts a connection into force, unless another organization is the same one at LambdaTest.
func (r *OrganizationReconciler) use(organization *v1alpha1.LambdaTestOrganization, c *connection, set settings, upstream Upstream) situation {
	switch result := r.connections.take(c, set.identity(), func() { c.use(set, upstream) }); {
	case result.older != "":
		now := r.blocked(c, organization, v1alpha1.DuplicateOrganizationReason, result.problem())
		now.retryAfter = duplicateRetry
		return now
	case result.busy != "":
		return situation{
			readiness: progressing, reason: v1alpha1.ProgressingReason, retryAfter: takeOverRetry,
			message: fmt.Sprintf("%s has the same token and is stopped; its last calls are about to end.", result.busy),
		}
	}
	return r.connected(c)
}

// suspend stops all calls. The token stays the organization's: a younger one that has it as well waits on.
func (r *OrganizationReconciler) suspend(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection) (situation, error) {
	c.block(suspended(organization.Name))
	token, problem, err := r.readToken(ctx, organization)
	switch {
	case err != nil:
		c.examined()
	case problem != "":
		r.connections.release(c, organization.Spec.BaseURL)
	default:
		r.connections.take(c, settingsOf(organization, token).identity(), nil)
	}
	return situation{readiness: stalled, reason: v1alpha1.SuspendedReason, message: "No calls are made: set spec.suspend to false to go on."}, err
}

// olderOnesFirst tells whether an organization that was a duplicate before the start waits for the first look at older ones at the same
// address: one of them is the other one.
func (r *OrganizationReconciler) olderOnesFirst(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection) (bool, error) {
	if c.client() != nil || !isReadyFor(organization, v1alpha1.DuplicateOrganizationReason) || r.connections.options.Now().After(c.openedAt.Add(olderOnesPatience)) {
		return false, nil
	}
	var list v1alpha1.LambdaTestOrganizationList
	if err := r.client.List(ctx, &list); err != nil {
		return false, fmt.Errorf("listing organizations: %w", err)
	}
	for i := range list.Items {
		other := &list.Items[i]
		name := client.ObjectKeyFromObject(other)
		if other.Spec.BaseURL == organization.Spec.BaseURL && c.isYoungerThan(name, other.CreationTimestamp.Time) && !r.connections.examined(name) {
			return true, nil
		}
	}
	return false, nil
}

// wasCompared tells, by what its status says, whether a comparison has succeeded with the present spec.
func wasCompared(organization *v1alpha1.LambdaTestOrganization) bool {
	return organization.Status.Unclaimed != nil && organization.Status.ObservedGeneration == organization.Generation &&
		!isReadyFor(organization, v1alpha1.InvalidBaseURLReason)
}

// heed acts on what people ask for by annotation: a comparison now, or to believe one.
func (r *OrganizationReconciler) heed(organization *v1alpha1.LambdaTestOrganization, c *connection) {
	if c.approve(organization.Annotations[v1alpha1.ApproveDeprovisionAnnotation]) {
		c.sweepNow()
		c.wakeOpen(priorityDrift)
	}
	requested := resyncRequest(organization)
	if requested != "" && requested != organization.Status.LastHandledReconcileAt && c.isNewRequest(requested) {
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
	case last.baseURL != set.baseURL && (lambdatest.IsForeign(last.err) || lambdatest.IsNotFound(last.err)):
		return misdirected(set.baseURL, last.err)
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

// misdirected tells that no comparison ever succeeded at an address where something else answers. After a first success the same answer
// is an outage: then the address is right, and a proxy may be in trouble.
func misdirected(baseURL string, err error) situation {
	var answer *lambdatest.Error
	code := ""
	if errors.As(err, &answer) {
		code = fmt.Sprintf(" (%d)", answer.Status)
	}
	return situation{
		readiness: stalled, reason: v1alpha1.InvalidBaseURLReason,
		message: fmt.Sprintf("Something other than LambdaTest's SCIM API answered at %s%s: check spec.baseURL. It is tried again by itself, less and less often.", baseURL, code),
	}
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
	if err != nil {
		return situation{}, err
	}
	what := "1 LambdaTestUser or LambdaTestGroup still needs this organization: delete it"
	if remaining > 1 {
		what = fmt.Sprintf("%d LambdaTestUsers and LambdaTestGroups still need this organization: delete them", remaining)
	}
	return situation{
		readiness: stalled, reason: v1alpha1.PeopleRemainReason,
		message:    fmt.Sprintf("%s, with deletionPolicy: Orphan if LambdaTest shall not be called. (%s)", what, now.message),
		retryAfter: countsInterval,
	}, nil
}

// report writes the organization's status, if it differs, and returns when the guard has more to tell. The guard writes a part of the
// same status: a write that meets one of those is made once more, on top of it.
func (r *OrganizationReconciler) report(
	ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection, now situation, warned warning,
) (again time.Duration, err error) {
	err = retry.RetryOnConflict(wait.Backoff{Steps: 2}, func() error {
		stored := organization.DeepCopy()
		if err := r.written.refresh(ctx, r.live, stored); err != nil {
			return err
		}
		again, err = r.reportOn(ctx, stored, c, now, warned)
		return err
	})
	return again, client.IgnoreNotFound(err)
}

// reportOn writes what differs from a status that is stored. Counts and readiness stay while nothing is known of them.
func (r *OrganizationReconciler) reportOn(
	ctx context.Context, stored *v1alpha1.LambdaTestOrganization, c *connection, now situation, warned warning,
) (time.Duration, error) {
	updated := stored.DeepCopy()
	describeOrganization(updated, c)
	// After a restart, what was told holds until the first comparison says otherwise.
	untold := now.readiness == silent ||
		now.reason == v1alpha1.ProgressingReason && isReady(stored) && stored.Status.ObservedGeneration == stored.Generation
	if untold {
		stored.Status.DeepCopyInto(&updated.Status)
	} else {
		settle(updated, now, metav1.NewTime(r.connections.options.Now()))
		r.warnOfRefusals(updated, c)
	}
	updated.Status.LastHandledReconcileAt = resyncRequest(updated)
	warned.warn(updated, metav1.NewTime(r.connections.options.Now()))
	again, unknown := c.guard.describe(ctx, updated)
	if equality.Semantic.DeepEqual(stored.Status, updated.Status) {
		return again, unknown
	}
	if err := r.written.patchStatus(ctx, r.client, stored, updated); err != nil {
		return again, errors.Join(unknown, err)
	}
	if !untold {
		r.recordTransition(stored, updated)
	}
	return again, unknown
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
	into := &organization.Status
	into.SCIMTokenSecret = organization.SCIMTokenSecretName()
	into.People, into.Active = count(sum.people), count(sum.active)
	into.Synced, into.Failing = count(sum.synced), count(sum.failing)
	into.Drifted, into.PendingDenials = count(sum.drifted), count(sum.pendingDenials)
	if last.complete {
		into.Unclaimed = count(unclaimed)
	}
}

func count(n int) *int32 { return new(int32(n)) } //nolint:gosec // people are far fewer than two billion

// SetupWithManager adds the controller to the manager.
func (r *OrganizationReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("organization").
		For(&v1alpha1.LambdaTestOrganization{}, builder.WithPredicates(noticing(&r.written, organizationChanged()))).
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
