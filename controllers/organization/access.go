// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package organization

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
)

// maxOverdueNamed is how many denials the condition PeopleDeniedButActive names.
const maxOverdueNamed = 5

// warnOfPendingDenials sets a condition while people who were denied long ago can still sign in. It returns when the next denial will be overdue.
func (r *Reconciler) warnOfPendingDenials(organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) time.Duration {
	overdue, next := c.Census.Overdue(r.Registry.Options.Now())
	message := ""
	if len(overdue) > 0 {
		var named []string
		for _, denial := range overdue[:min(len(overdue), maxOverdueNamed)] {
			named = append(named, fmt.Sprintf("%s since %s", denial.By, denial.Since.UTC().Format(time.RFC3339)))
		}
		whom := "1 person is"
		if len(overdue) > 1 {
			whom = fmt.Sprintf("%d people are", len(overdue))
		}
		if len(overdue) > len(named) {
			named = append(named, "…")
		}
		message = fmt.Sprintf("%s denied and can still sign in at LambdaTest, or may be able to, by %s. Why, and what to do by hand: kubectl get ltuser -n %s -o wide | grep %s",
			whom, strings.Join(named, ", "), organization.Namespace, v1alpha1.DeniedButActiveReason)
	}
	r.warnOf(organization, v1alpha1.PeopleDeniedButActiveCondition, v1alpha1.DeniedButActiveReason, message)
	return next
}

// warnOfAdmins sets a condition from when the last active Admin of an organization is gone until there is one again. Before a first one was seen
// it says nothing: LambdaTest may not show roles.
func (r *Reconciler) warnOfAdmins(stored, updated *v1alpha1.LambdaTestOrganization) {
	had := meta.IsStatusConditionTrue(stored.Status.Conditions, v1alpha1.NoActiveAdminCondition) ||
		stored.Status.Admins != nil && *stored.Status.Admins > 0
	message := ""
	if now := updated.Status.Admins; had && now != nil && *now == 0 {
		message = "No account of this organization is Admin and active at LambdaTest any more, so no person can manage the organization or issue its SCIM token there. " +
			"Let a resource make an active person Admin (spec.role: Admin); if LambdaTest refuses that, ask its support."
	}
	if message != "" && !meta.IsStatusConditionTrue(stored.Status.Conditions, v1alpha1.NoActiveAdminCondition) {
		r.Registry.Options.Audit.Write(audit.Line{
			Event: audit.NoActiveAdmin, Namespace: stored.Namespace, Organization: stored.Name,
			Resource: v1alpha1.OrganizationKind + "/" + stored.Name, UID: string(stored.UID),
		}, "")
	}
	r.warnOf(updated, v1alpha1.NoActiveAdminCondition, v1alpha1.NoActiveAdminReason, message)
}
