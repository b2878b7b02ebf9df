// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// SetupWithManager adds the controller to the manager.
func (r *GroupReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("group").
		For(&v1alpha1.LambdaTestGroup{}, builder.WithPredicates(noticing(&r.written, groupChanged()))).
		Watches(&v1alpha1.LambdaTestGroup{}, r.families(), builder.WithPredicates(groupChanged())).
		Watches(&v1alpha1.LambdaTestOrganization{}, handler.EnqueueRequestsFromMapFunc(r.groupsOf), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(r.connections.groups.source()).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.concurrency}).
		Complete(r)
}

// groupChanged lets pass what people and providers write, and that a group was let go; status is the operator's own.
func groupChanged() predicate.Predicate {
	letGo := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return !groupCounts(e.ObjectNew.(*v1alpha1.LambdaTestGroup)) && groupCounts(e.ObjectOld.(*v1alpha1.LambdaTestGroup))
	}}
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, predicate.LabelChangedPredicate{}, letGo)
}

// families looks again at everybody of the displayNames that a group has and had: who is carried out may be another one now. And at the
// members of a group that was let go: the cache shows it from now on, whoever looked before.
func (r *GroupReconciler) families() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	enqueueFamilies := func(ctx context.Context, q queue, objects ...client.Object) {
		for _, object := range objects {
			group := object.(*v1alpha1.LambdaTestGroup)
			family, err := groupRoles{r.client}.family(ctx, group)
			if err != nil {
				ctrl.LoggerFrom(ctx).Error(err, "listing the groups of a displayName")
				continue
			}
			for _, other := range family {
				if !isSame(other, group) {
					q.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(other)})
				}
			}
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) {
			if !e.IsInInitialList {
				enqueueFamilies(ctx, q, e.Object)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			before, after := e.ObjectOld.(*v1alpha1.LambdaTestGroup), e.ObjectNew.(*v1alpha1.LambdaTestGroup)
			if groupCounts(before) && !groupCounts(after) {
				r.wakeFormerMembers(after)
			}
			if familyOf(before) != familyOf(after) || before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() {
				enqueueFamilies(ctx, q, before, after)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			r.wakeFormerMembers(e.Object.(*v1alpha1.LambdaTestGroup))
			enqueueFamilies(ctx, q, e.Object)
		},
	}
}

// wakeFormerMembers does not ask what the group gave them: that was another leader's business, perhaps.
func (r *GroupReconciler) wakeFormerMembers(group *v1alpha1.LambdaTestGroup) {
	organization := types.NamespacedName{Namespace: group.Namespace, Name: group.Spec.OrganizationRef.Name}
	if c, open := r.connections.find(organization); open && len(group.Spec.Roles) > 0 {
		c.wakeMembers(membersOf(group))
	}
}

// groupsOf lists the groups of an organization.
func (r *GroupReconciler) groupsOf(ctx context.Context, organization client.Object) []reconcile.Request {
	requests, err := requestsOfGroups(ctx, r.client, client.ObjectKeyFromObject(organization))
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the groups of a changed organization")
	}
	return requests
}

func requestsOfGroups(ctx context.Context, reader client.Reader, organization types.NamespacedName) ([]reconcile.Request, error) {
	groups, err := listGroups(ctx, reader, organization.Namespace, client.MatchingFields{groupOrganizationIndex: organization.Name})
	requests := make([]reconcile.Request, len(groups))
	for i, group := range groups {
		requests[i] = reconcile.Request{NamespacedName: client.ObjectKeyFromObject(group)}
	}
	return requests, err
}

// sweepGroups compares all groups of an organization that has any: page by page, complete and consistent or not at all.
func (c *connection) sweepGroups(ctx context.Context) error {
	if !c.groups.wanted() {
		return nil
	}
	begun, found := c.options.Now(), map[string]upstreamGroup{}
	for start, more := 1, true; more; {
		page, err := c.groupPage(ctx, start)
		if err != nil {
			return fmt.Errorf("comparing groups: %w", err)
		}
		for _, group := range page.Items {
			found[group.ID] = upstreamGroupOf(group)
		}
		if start, more = page.Next(); !more && len(found) != page.Total {
			return errors.New("comparing groups: the list does not show as many as it says")
		}
	}
	taken := map[string]struct{}{}
	for _, group := range found {
		taken[causeDisplayName(group.displayName)] = struct{}{}
	}
	c.setbacks.expedite(func(cause string) bool {
		_, still := taken[cause]
		return strings.HasPrefix(cause, displayNamePrefix) && !still
	})
	for _, resource := range c.groups.replace(found, begun) {
		c.wake(priorityDrift, groupPlace(resource))
	}
	return nil
}

func (c *connection) groupPage(ctx context.Context, start int) (lambdatest.Page[lambdatest.Group], error) {
	var page lambdatest.Page[lambdatest.Group]
	if err := c.lane.wait(ctx, sweeper, prioritySweep); err != nil {
		return page, err
	}
	err := c.call(ctx, sweeper, "ListGroups", func(ctx context.Context, upstream Upstream) error {
		var err error
		page, err = upstream.ListGroups(ctx, start, groupPageSize)
		return err
	})
	return page, err
}

// groupPageSize keeps a page of groups of 10 000 members each below what the client reads.
const groupPageSize = 5

func (c *connection) groupNamed(resource string) types.NamespacedName {
	return types.NamespacedName{Namespace: c.organization.Namespace, Name: resource}
}
