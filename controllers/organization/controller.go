// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package organization

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
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/hosts"
)

// Reconciler keeps the connection of each LambdaTestOrganization: address, token, limits; and tells how it goes.
type Reconciler struct {
	Client client.Client
	// Live reads Secrets, which no cache holds.
	Live     client.Reader
	Recorder events.EventRecorder
	Registry *connection.Registry
	Hosts    hosts.Hosts
	Dial     func(baseURL, token string) (connection.Upstream, error)
	Written  status.Writes
}

// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestorganizations,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestorganizations/status,verbs=patch
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestorganizations/finalizers,verbs=update
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create

// Reconcile opens, changes or closes the connection, and writes the organization's status. It makes no call to LambdaTest.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	organization := &v1alpha1.LambdaTestOrganization{}
	err := r.Client.Get(ctx, request.NamespacedName, organization)
	if apierrors.IsNotFound(err) {
		r.Registry.Close(request.NamespacedName)
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
	connection, fresh := r.Registry.Open(request.NamespacedName, organization.CreationTimestamp.Time) //nolint:contextcheck // a connection outlives the reconcile that opens it
	if fresh {
		if wasCompared(organization) {
			connection.AnsweredAt(organization.Spec.BaseURL)
		}
		if err := connection.Recall(ctx); err != nil {
			r.Registry.Close(request.NamespacedName)
			return ctrl.Result{}, err
		}
	}
	return r.work(ctx, organization, connection)
}

// work connects the organization and tells how it goes. An error of one step keeps no other step from its work, and is returned at the
// end: what cannot be read is unknown, and the connection and the conditions stay as they are.
func (r *Reconciler) work(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) (ctrl.Result, error) {
	unheeded := c.Guard.ApplyAnnotations(ctx, organization)
	r.applyAnnotations(organization, c)
	now, unread := r.connect(ctx, organization, c)
	if unread == nil && !organization.DeletionTimestamp.IsZero() {
		now, unread = r.peopleRemain(ctx, organization, now)
	}
	warned, unchecked := r.checkSCIMTokens(ctx, organization, c)
	held, unwritten := r.report(ctx, organization, c, now, warned)
	again := status.Soonest(status.Soonest(now.RetryAfter, warned.again), held)
	if apierrors.IsConflict(unwritten) {
		again, unwritten = status.ConflictRetry, nil
	}
	if err := errors.Join(unheeded, unread, unchecked, unwritten); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: again}, nil
}

// connect brings the connection into the state that the spec asks for, and says where things stand. After an error it stays as it is,
// except that a suspended organization makes no calls in any case.
func (r *Reconciler) connect(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) (status.Outcome, error) {
	if organization.Spec.Suspend {
		return r.suspend(ctx, organization, c)
	}
	if err := r.Hosts.Check(organization.Spec.BaseURL); err != nil {
		r.Registry.ReleaseLogin(c, organization.Spec.BaseURL)
		return r.blocked(c, organization, v1alpha1.InvalidBaseURLReason, err.Error()), nil
	}
	token, problem, err := r.readToken(ctx, organization)
	if err != nil {
		c.NoteExamined()
		return status.Outcome{}, err
	}
	if problem != "" {
		r.Registry.ReleaseLogin(c, organization.Spec.BaseURL)
		return r.blocked(c, organization, v1alpha1.SecretNotFoundReason, problem), nil
	}
	set := connection.SettingsOf(organization, token)
	var upstream connection.Upstream // nil keeps the one in use
	if current, _ := c.State(); current.Fingerprint != set.Fingerprint || c.Client() == nil {
		if upstream, err = r.Dial(organization.Spec.BaseURL, token); err != nil {
			r.Registry.ReleaseLogin(c, organization.Spec.BaseURL)
			return r.blocked(c, organization, v1alpha1.SecretNotFoundReason, fmt.Sprintf(
				"the token in Secret %s cannot be used (%v): put the token there as LambdaTest shows it", organization.Spec.TokenSecretRef.Name, err)), nil
		}
		if waits, err := r.olderOnesFirst(ctx, organization, c); err != nil || waits {
			return status.Outcome{RetryAfter: TakeOverRetry}, err
		}
	}
	return r.use(organization, c, set, upstream), nil
}

// use puts a connection into force, unless another organization is the same one at LambdaTest.
func (r *Reconciler) use(organization *v1alpha1.LambdaTestOrganization, c *connection.Connection, set connection.Settings, upstream connection.Upstream) status.Outcome {
	switch result := r.Registry.TakeLogin(c, set.Login(), func() { c.Use(set, upstream) }); {
	case result.Older != "":
		now := r.blocked(c, organization, v1alpha1.DuplicateOrganizationReason, result.Problem())
		now.RetryAfter = duplicateRetry
		return now
	case result.Busy != "":
		return status.Outcome{
			Readiness: status.Progressing, Reason: v1alpha1.ProgressingReason, RetryAfter: TakeOverRetry,
			Message: fmt.Sprintf("%s has the same token and is stopped; its last calls are about to end.", result.Busy),
		}
	}
	return r.connected(c)
}

// suspend stops all calls. The token stays the organization's: a younger one that has it as well waits on.
func (r *Reconciler) suspend(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) (status.Outcome, error) {
	c.Block(Suspended(organization.Name))
	token, problem, err := r.readToken(ctx, organization)
	switch {
	case err != nil:
		c.NoteExamined()
	case problem != "":
		r.Registry.ReleaseLogin(c, organization.Spec.BaseURL)
	default:
		r.Registry.TakeLogin(c, connection.SettingsOf(organization, token).Login(), nil)
	}
	return status.Stalledf(v1alpha1.SuspendedReason, "No calls are made: set spec.suspend to false to go on."), err
}

// olderOnesFirst tells whether an organization that was a duplicate before the start waits for the first look at older ones at the same
// address: one of them is the other one.
func (r *Reconciler) olderOnesFirst(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) (bool, error) {
	if c.Client() != nil || !status.HasReason(organization, v1alpha1.DuplicateOrganizationReason) || r.Registry.Options.Now().After(c.OpenedAt.Add(OlderOnesPatience)) {
		return false, nil
	}
	var list v1alpha1.LambdaTestOrganizationList
	if err := r.Client.List(ctx, &list); err != nil {
		return false, fmt.Errorf("listing organizations: %w", err)
	}
	for i := range list.Items {
		other := &list.Items[i]
		name := client.ObjectKeyFromObject(other)
		if other.Spec.BaseURL == organization.Spec.BaseURL && c.IsYoungerThan(name, other.CreationTimestamp.Time) && !r.Registry.Examined(name) {
			return true, nil
		}
	}
	return false, nil
}

// wasCompared tells, by what its status says, whether a sweep has succeeded with the present spec.
func wasCompared(organization *v1alpha1.LambdaTestOrganization) bool {
	return organization.Status.Unclaimed != nil && organization.Status.ObservedGeneration == organization.Generation &&
		!status.HasReason(organization, v1alpha1.InvalidBaseURLReason)
}

// applyAnnotations acts on what people ask for by annotation: a sweep now, or to believe one.
func (r *Reconciler) applyAnnotations(organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) {
	if c.ApproveMismatch(organization.Annotations[v1alpha1.ApproveDeprovisionAnnotation]) {
		c.SweepNow()
		c.WakeOpen(lane.Drift)
	}
	requested := status.ResyncRequest(organization)
	if requested != "" && requested != organization.Status.LastHandledReconcileAt && c.IsNewRequest(requested) {
		c.Holdoffs.ClearAll()
		c.Lane.Renew()
		c.WakeOpen(lane.Drift)
		c.SweepNow()
	}
}

// blocked stops the connection for a reason that somebody has to remove.
func (r *Reconciler) blocked(c *connection.Connection, organization *v1alpha1.LambdaTestOrganization, reason, problem string) status.Outcome {
	c.Block(connection.NotReady(organization.Name, problem))
	return status.Outcome{Readiness: status.Stalled, Reason: reason, Message: problem, RetryAfter: orgRetry}
}

var errNoAnswer = errors.New("calls for single people fail")

// Suspended is what people are told while their organization is suspended.
func Suspended(organization string) status.Outcome {
	return status.Stalledf(v1alpha1.SuspendedReason, "%s %s is suspended, so nothing is changed at LambdaTest: set its spec.suspend to false to go on.",
		v1alpha1.OrganizationKind, organization)
}

// connected says how a working connection does, by its circuit and its last sweep.
func (r *Reconciler) connected(c *connection.Connection) status.Outcome {
	set, _ := c.State()
	last := c.LastSweep()
	doubt, suspected := c.Mismatch()
	switch state, _ := c.Lane.State(); {
	case last.BaseURL != set.BaseURL && (lambdatest.IsForeign(last.Err) || lambdatest.IsNotFound(last.Err)):
		return misdirected(set.BaseURL, last.Err)
	case state == "unauthorized":
		return status.Stalledf(v1alpha1.UnauthorizedReason, "LambdaTest refuses the token: put a valid one into Secret %s; it is used at once. If the token is valid, ask for another try with the annotation %s.",
			set.TokenSecret, v1alpha1.ReconcileRequestedAtAnnotation)
	case state == "open":
		return status.Progressingf(v1alpha1.UpstreamUnavailableReason, "LambdaTest does not answer. It is tried again and again; nothing needs to be done here. (%v)", cmp.Or(last.Err, errNoAnswer))
	case suspected:
		return doubt.Outcome(c.Organization.Name)
	case last.Err != nil:
		return status.Progressingf(v1alpha1.UpstreamUnavailableReason, "The last comparison was discarded, and is repeated (%v).", last.Err)
	case !last.Complete:
		return status.Progressingf(v1alpha1.ProgressingReason, "The first comparison of the whole organization is under way.")
	}
	return status.Readyf(v1alpha1.SyncedReason, "LambdaTest is reached, and compared regularly.")
}

// misdirected tells that no sweep ever succeeded at an address where something else answers. After a first success the same answer
// is an outage: then the address is right, and a proxy may be in trouble.
func misdirected(baseURL string, err error) status.Outcome {
	var answer *lambdatest.Error
	code := ""
	if errors.As(err, &answer) {
		code = fmt.Sprintf(" (%d)", answer.Status)
	}
	return status.Stalledf(v1alpha1.InvalidBaseURLReason, "Something other than LambdaTest's SCIM API answered at %s%s: check spec.baseURL. It is tried again by itself, less and less often.", baseURL, code)
}

func (r *Reconciler) ensureFinalizer(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) error {
	if controllerutil.ContainsFinalizer(organization, v1alpha1.Finalizer) {
		return nil
	}
	before := organization.DeepCopy()
	controllerutil.AddFinalizer(organization, v1alpha1.Finalizer)
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Patch(ctx, organization, patch); err != nil {
		return fmt.Errorf("adding finalizer: %w", err)
	}
	return nil
}

// finalize lets the organization go once nobody needs it, and says whether it has gone. Until then it works on.
func (r *Reconciler) finalize(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (bool, error) {
	remaining, err := r.remaining(ctx, organization)
	if err != nil || remaining > 0 {
		return false, err
	}
	r.Registry.Close(client.ObjectKeyFromObject(organization))
	if !controllerutil.ContainsFinalizer(organization, v1alpha1.Finalizer) {
		return true, nil
	}
	before := organization.DeepCopy()
	controllerutil.RemoveFinalizer(organization, v1alpha1.Finalizer)
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := client.IgnoreNotFound(r.Client.Patch(ctx, organization, patch)); err != nil {
		return false, fmt.Errorf("removing finalizer: %w", err)
	}
	return true, nil
}

// remaining counts the claims that still need the organization. Those that only observe need nothing.
func (r *Reconciler) remaining(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (int, error) {
	remaining := 0
	err := claims.Visit(ctx, r.Client, client.ObjectKeyFromObject(organization), func(claim *v1alpha1.LambdaTestUser) {
		if controllerutil.ContainsFinalizer(claim, v1alpha1.Finalizer) {
			remaining++
		}
	})
	if err != nil {
		return remaining, err
	}
	groups, err := claims.ListGroups(ctx, r.Client, organization.Namespace, client.MatchingFields{claims.GroupOrganizationIndex: organization.Name})
	for _, group := range groups {
		if controllerutil.ContainsFinalizer(group, v1alpha1.Finalizer) {
			remaining++
		}
	}
	return remaining, err
}

// peopleRemain tells an organization that is being deleted what keeps it.
func (r *Reconciler) peopleRemain(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, now status.Outcome) (status.Outcome, error) {
	remaining, err := r.remaining(ctx, organization)
	if err != nil {
		return status.Outcome{}, err
	}
	what := "1 LambdaTestUser or LambdaTestGroup still needs this organization: delete it"
	if remaining > 1 {
		what = fmt.Sprintf("%d LambdaTestUsers and LambdaTestGroups still need this organization: delete them", remaining)
	}
	return status.Outcome{
		Readiness: status.Stalled, Reason: v1alpha1.PeopleRemainReason,
		Message:    fmt.Sprintf("%s, with deletionPolicy: Orphan if LambdaTest shall not be called. (%s)", what, now.Message),
		RetryAfter: connection.CountsInterval,
	}, nil
}

// report writes the organization's status, if it differs, and returns when the guard has more to tell. The guard writes a part of the
// same status: a write that meets one of those is made once more, on top of it.
func (r *Reconciler) report(
	ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection.Connection, now status.Outcome, warned warning,
) (again time.Duration, err error) {
	err = retry.RetryOnConflict(wait.Backoff{Steps: 2}, func() error {
		stored := organization.DeepCopy()
		if err := r.Written.Refresh(ctx, r.Live, stored); err != nil {
			return err
		}
		again, err = r.reportOn(ctx, stored, c, now, warned)
		return err
	})
	return again, client.IgnoreNotFound(err)
}

// reportOn writes what differs from a status that is stored. Counts and readiness stay while nothing is known of them.
func (r *Reconciler) reportOn(
	ctx context.Context, stored *v1alpha1.LambdaTestOrganization, c *connection.Connection, now status.Outcome, warned warning,
) (time.Duration, error) {
	updated := stored.DeepCopy()
	describe(updated, c)
	// After a restart, what was told holds until the first sweep says otherwise.
	untold := now.Readiness == status.Silent ||
		now.Reason == v1alpha1.ProgressingReason && status.IsReady(stored) && stored.Status.ObservedGeneration == stored.Generation
	if untold {
		stored.Status.DeepCopyInto(&updated.Status)
	} else {
		status.Settle(updated, now, metav1.NewTime(r.Registry.Options.Now()))
		r.warnOfRefusals(updated, c)
	}
	updated.Status.LastHandledReconcileAt = status.ResyncRequest(updated)
	warned.warn(updated, metav1.NewTime(r.Registry.Options.Now()))
	again, unknown := c.Guard.Describe(ctx, updated)
	if equality.Semantic.DeepEqual(stored.Status, updated.Status) {
		return again, unknown
	}
	if err := r.Written.Patch(ctx, r.Client, stored, updated); err != nil {
		return again, errors.Join(unknown, err)
	}
	if !untold {
		r.recordTransition(stored, updated)
	}
	return again, unknown
}

func (r *Reconciler) recordTransition(before, after *v1alpha1.LambdaTestOrganization) {
	old, now := status.ReadyCondition(before), status.ReadyCondition(after)
	if old != nil && old.Reason == now.Reason {
		return
	}
	kind := corev1.EventTypeNormal
	if now.Status != metav1.ConditionTrue && now.Reason != v1alpha1.ProgressingReason {
		kind = corev1.EventTypeWarning
	}
	r.Recorder.Eventf(after, nil, kind, now.Reason, "Reconcile", "%s", now.Message)
}

// describe fills in everything but the conditions.
func describe(organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) {
	sum, _ := c.Census.Counts()
	last := c.LastSweep()
	state, _ := c.Lane.State()
	unclaimed := max(c.Accounts.Size()-sum.Accounts, 0)
	connection.ObserveCounts(c.Organization, sum, unclaimed, state)
	into := &organization.Status
	into.SCIMTokenSecret = organization.SCIMTokenSecretName()
	into.People, into.Active = status.Int32(sum.People), status.Int32(sum.Active)
	into.Synced, into.Failing = status.Int32(sum.Synced), status.Int32(sum.Failing)
	into.Drifted, into.PendingDenials = status.Int32(sum.Drifted), status.Int32(sum.PendingDenials)
	if last.Complete {
		into.Unclaimed = status.Int32(unclaimed)
	}
}

// SetupWithManager adds the controller to the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("organization").
		For(&v1alpha1.LambdaTestOrganization{}, builder.WithPredicates(status.IgnoringOwnWrites(&r.Written, Changed()))).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.organizationsOfSecret)).
		WatchesRawSource(r.Registry.Organizations.Source()).
		WithOptions(controller.Options{MaxConcurrentReconciles: organizationConcurrency}).
		Complete(r)
}

// Changed lets pass what people write; counts and conditions are the operator's own.
func Changed() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
}

// organizationsOfSecret finds whose token a Secret may hold.
func (r *Reconciler) organizationsOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	var list v1alpha1.LambdaTestOrganizationList
	if err := r.Client.List(ctx, &list, client.InNamespace(secret.GetNamespace())); err != nil {
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
