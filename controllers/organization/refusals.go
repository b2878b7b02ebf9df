// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package organization

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// warnOfRefusals counts the people whom LambdaTest refuses in a condition of the organization, with an event when there are the first
// ones. The identity provider was answered before LambdaTest was asked, and so takes them for provisioned.
func (r *Reconciler) warnOfRefusals(organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) {
	sum, _ := c.Census.Counts()
	if sum.Refused == 0 {
		meta.RemoveStatusCondition(&organization.Status.Conditions, v1alpha1.PeopleRefusedCondition)
		return
	}
	message := refusedMessage(organization, sum.Refused)
	if !meta.IsStatusConditionTrue(organization.Status.Conditions, v1alpha1.PeopleRefusedCondition) {
		r.Recorder.Eventf(organization, nil, corev1.EventTypeWarning, v1alpha1.PeopleRefusedCondition, "Reconcile", "%s", message)
	}
	status.SetCondition(&organization.Status.Conditions, organization, metav1.Condition{
		Type: v1alpha1.PeopleRefusedCondition, Status: metav1.ConditionTrue, Reason: v1alpha1.UpstreamRejectedReason, Message: message,
		LastTransitionTime: metav1.NewTime(r.Registry.Options.Now()),
	})
}

func refusedMessage(organization *v1alpha1.LambdaTestOrganization, people int) string {
	whom := "1 person"
	if people > 1 {
		whom = fmt.Sprintf("%d people", people)
	}
	return fmt.Sprintf("LambdaTest refuses %s, or a part of what is wanted for them; the identity provider does not see this. Who and why: "+
		"kubectl get ltuser -n %s --field-selector spec.organizationRef.name=%s -o wide | grep -E '%s'",
		whom, organization.Namespace, organization.Name, strings.Join(connection.RefusalReasons, "|"))
}
