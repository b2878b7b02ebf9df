// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package organization

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
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
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/hosts"
)

// Reconciler keeps the connection of each LambdaTestOrganization (address, token, limits) and reports its state.
type Reconciler struct {
	Client client.Client
	// Live reads Secrets, which no cache holds.
	Live     client.Reader
	Recorder events.EventRecorder
	Registry *connection.Registry
	Hosts    hosts.Hosts
	Dial     func(baseURL, token string) (connection.Upstream, error)
	Written  status.Writes

	scimTokens scimTokens
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
		r.close(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("reading organization: %w", err)
	}
	remaining := 0
	if organization.DeletionTimestamp.IsZero() {
		organization, err = status.EnsureFinalizer(ctx, r.Client, organization)
	} else if remaining, err = r.finalize(ctx, organization); remaining == 0 {
		return ctrl.Result{}, err
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	connection, fresh := r.Registry.Open(request.NamespacedName, organization.CreationTimestamp.Time) //nolint:contextcheck // a connection outlives the reconcile that opens it
	if fresh {
		if wasSwept(organization) {
			connection.AnsweredAt(organization.Spec.BaseURL)
		}
		if err := connection.Recall(ctx); err != nil {
			r.Registry.Close(request.NamespacedName)
			return ctrl.Result{}, err
		}
	}
	return r.work(ctx, organization, connection, remaining)
}

// close ends the connection of an organization that is gone.
func (r *Reconciler) close(organization types.NamespacedName) {
	r.Registry.Close(organization)
	r.setSCIMTokens(organization, nil)
}

// work connects the organization and reports its state. An error of one step keeps no other step from its work, and is returned at the
// end: what cannot be read is unknown, and the connection and the conditions stay as they are.
func (r *Reconciler) work(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection.Connection, remaining int) (ctrl.Result, error) {
	unapplied := c.Guard.ApplyAnnotations(ctx, organization)
	r.applyAnnotations(organization, c)
	now, unread := r.connect(ctx, organization, c)
	if unread == nil && remaining > 0 {
		now = peopleRemain(remaining, now)
	}
	warned, unchecked := r.checkSCIMTokens(ctx, organization, c)
	held, unwritten := r.report(ctx, organization, c, now, warned)
	again := status.Soonest(status.Soonest(now.RetryAfter, warned.again), held)
	if apierrors.IsConflict(unwritten) {
		again, unwritten = status.ConflictRetry, nil
	}
	if err := errors.Join(unapplied, unread, unchecked, unwritten); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: again}, nil
}

// connect brings the connection into the state that the spec asks for, and returns the outcome. After an error the connection stays as it
// is, except that a suspended organization makes no calls in any case.
func (r *Reconciler) connect(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) (status.Outcome, error) {
	if organization.Spec.Suspend {
		return r.suspend(ctx, organization, c)
	}
	if err := r.Hosts.Check(organization.Spec.BaseURL); err != nil {
		return r.withoutToken(c, organization, v1alpha1.InvalidBaseURLReason, err.Error()), nil
	}
	token, problem, err := r.readToken(ctx, organization)
	if err != nil {
		c.NoteExamined()
		return status.Outcome{}, err
	}
	if problem != "" {
		return r.withoutToken(c, organization, v1alpha1.SecretNotFoundReason, problem), nil
	}
	set := connection.SettingsOf(organization, token)
	var upstream connection.Upstream // nil keeps the one in use
	if current, _ := c.State(); current.Fingerprint != set.Fingerprint || c.Client() == nil {
		if upstream, err = r.Dial(organization.Spec.BaseURL, token); err != nil {
			return r.withoutToken(c, organization, v1alpha1.SecretNotFoundReason, fmt.Sprintf(
				"the token in Secret %s cannot be used (%v): put the token there as LambdaTest shows it", organization.Spec.TokenSecretRef.Name, err)), nil
		}
		if waits, err := r.olderOnesFirst(ctx, organization, c); err != nil || waits {
			return status.Outcome{RetryAfter: TakeOverRetry}, err
		}
		if waits, err := r.membersFirst(ctx, organization, c); err != nil || waits {
			return status.Outcome{RetryAfter: membersRetry}, err
		}
	}
	return r.use(organization, c, set, upstream), nil
}

// use puts a connection into force, unless another organization is the same one at LambdaTest.
func (r *Reconciler) use(organization *v1alpha1.LambdaTestOrganization, c *connection.Connection, set connection.Settings, upstream connection.Upstream) status.Outcome {
	result := r.Registry.TakeLogin(c, set.Login(), func() { c.Use(set, upstream) })
	switch {
	case result.Older != "":
		now := r.blocked(c, organization, v1alpha1.DuplicateOrganizationReason, result.Problem())
		now.RetryAfter = duplicateRetry
		return now
	case result.Busy != "":
		now := status.Progressingf(v1alpha1.ProgressingReason, "%s has the same token and is stopped; its last calls are about to end.", result.Busy)
		now.RetryAfter = TakeOverRetry
		return now
	}
	return connected(c)
}

// suspend stops all calls. The token stays the organization's: a younger organization that has it as well waits on.
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

// withoutToken stops the connection of an organization that has no token that can be used, and lets another organization have the token
// that it had.
func (r *Reconciler) withoutToken(c *connection.Connection, organization *v1alpha1.LambdaTestOrganization, reason, problem string) status.Outcome {
	r.Registry.ReleaseLogin(c, organization.Spec.BaseURL)
	return r.blocked(c, organization, reason, problem)
}

// blocked stops the connection for a reason that a person has to remove.
func (r *Reconciler) blocked(c *connection.Connection, organization *v1alpha1.LambdaTestOrganization, reason, problem string) status.Outcome {
	c.Block(connection.NotReady(organization.Name, problem))
	return status.Outcome{Readiness: status.Stalled, Reason: reason, Message: problem, RetryAfter: orgRetry}
}

// olderOnesFirst tells whether an organization that was a duplicate before the start waits until the tokens of all older organizations at
// the same address were read: one of these is the other organization of the two.
func (r *Reconciler) olderOnesFirst(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) (bool, error) {
	if c.Client() != nil || !status.HasReason(organization, v1alpha1.DuplicateOrganizationReason) || r.Registry.Options.Now().After(c.OpenedAt.Add(OlderOnesPatience)) {
		return false, nil
	}
	address := connection.Address(organization.Spec.BaseURL)
	var list v1alpha1.LambdaTestOrganizationList
	if err := r.Client.List(ctx, &list); err != nil {
		return false, fmt.Errorf("listing organizations: %w", err)
	}
	for i := range list.Items {
		other := &list.Items[i]
		name := client.ObjectKeyFromObject(other)
		if connection.Address(other.Spec.BaseURL) == address && c.IsYoungerThan(name, other.CreationTimestamp.Time) && !r.Registry.Examined(name) {
			return true, nil
		}
	}
	return false, nil
}

// membersFirst tells whether an organization waits with its first call, because the cache does not hold the members of one of its groups yet:
// without them, the role that the group gives a person is unknown. The group's reconciler is about to have them read.
func (r *Reconciler) membersFirst(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) (bool, error) {
	if c.Client() != nil || r.Registry.Options.Now().After(c.OpenedAt.Add(membersPatience)) {
		return false, nil
	}
	groups, err := claims.ListGroups(ctx, r.Client, organization.Namespace, client.MatchingFields{claims.GroupOrganizationIndex: organization.Name})
	return slices.ContainsFunc(groups, (*v1alpha1.LambdaTestGroup).HasMembersLeftOut), err
}

// wasSwept tells, by the status, whether a sweep has succeeded with the present spec.
func wasSwept(organization *v1alpha1.LambdaTestOrganization) bool {
	return organization.Status.Unclaimed != nil && organization.Status.ObservedGeneration == organization.Generation &&
		!status.HasReason(organization, v1alpha1.InvalidBaseURLReason)
}

// applyAnnotations carries out what people ask for by annotation: a sweep now, or to believe the last one.
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

// finalize releases the organization once no claim needs it, and returns how many do. Until then the organization works on.
func (r *Reconciler) finalize(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (int, error) {
	remaining, err := r.remaining(ctx, organization)
	if err != nil || remaining > 0 {
		return remaining, err
	}
	r.close(client.ObjectKeyFromObject(organization))
	_, err = status.RemoveFinalizer(ctx, r.Client, organization)
	return 0, err
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

// Changed passes what people write: the operator itself writes counts and conditions only.
func Changed() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
}

// organizationsOfSecret finds the organizations whose tokens a Secret may hold.
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
