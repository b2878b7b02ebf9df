// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package expect

import (
	"fmt"

	"github.com/onsi/gomega/gcustom"
	"github.com/onsi/gomega/types"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Conditioned is a resource with conditions.
type Conditioned interface {
	metav1.Object
	GetConditions() []metav1.Condition
}

// HaveCondition matches a resource with a condition of that type, status and reason for its current generation.
func HaveCondition(kind string, status metav1.ConditionStatus, reason string) types.GomegaMatcher {
	return gcustom.MakeMatcher(func(object Conditioned) (bool, error) {
		found := meta.FindStatusCondition(object.GetConditions(), kind)
		return found != nil && found.Status == status && found.Reason == reason && found.ObservedGeneration == object.GetGeneration(), nil
	}).WithTemplate("Expected the conditions of {{.Actual.GetName}} (generation {{.Actual.GetGeneration}}) {{.To}} include {{.Data}}:\n{{format .Actual.GetConditions 1}}").
		WithTemplateData(fmt.Sprintf("%s=%s, %s", kind, status, reason))
}

// BeReady matches a resource that is Ready with that reason, and neither Reconciling nor Stalled, by the rules of kstatus.
func BeReady(reason string) types.GomegaMatcher { return standing("ready", reason) }

// BeProgressing matches a resource that is not Ready with that reason, while the operator continues by itself.
func BeProgressing(reason string) types.GomegaMatcher { return standing("progressing", reason) }

// BeStalled matches a resource that is not Ready with that reason until a person acts.
func BeStalled(reason string) types.GomegaMatcher { return standing("stalled", reason) }

func standing(wanted, reason string) types.GomegaMatcher {
	return gcustom.MakeMatcher(func(object Conditioned) (bool, error) {
		if wrong := KstatusViolation(object); wrong != "" {
			return false, fmt.Errorf("%s breaks a rule of kstatus: %s", object.GetName(), wrong)
		}
		conditions := object.GetConditions()
		found := meta.FindStatusCondition(conditions, v1alpha1.ReadyCondition)
		return found != nil && found.Reason == reason && found.ObservedGeneration == object.GetGeneration() && howItStands(conditions) == wanted, nil
	}).WithTemplate("Expected {{.Actual.GetName}} (generation {{.Actual.GetGeneration}}) {{.To}} be {{.Data}}:\n{{format .Actual.GetConditions 1}}").
		WithTemplateData(wanted + ", " + reason)
}

func howItStands(conditions []metav1.Condition) string {
	switch {
	case meta.IsStatusConditionTrue(conditions, v1alpha1.ReadyCondition):
		return "ready"
	case meta.IsStatusConditionTrue(conditions, v1alpha1.StalledCondition):
		return "stalled"
	case meta.IsStatusConditionTrue(conditions, v1alpha1.ReconcilingCondition):
		return "progressing"
	}
	return "neither"
}

// KstatusViolation returns the rule of kstatus that the conditions break, or "".
func KstatusViolation(object Conditioned) string {
	conditions := object.GetConditions()
	isReady := meta.IsStatusConditionTrue(conditions, v1alpha1.ReadyCondition)
	reconciling := meta.FindStatusCondition(conditions, v1alpha1.ReconcilingCondition)
	stalled := meta.FindStatusCondition(conditions, v1alpha1.StalledCondition)
	switch {
	case reconciling != nil && reconciling.Status != metav1.ConditionTrue, stalled != nil && stalled.Status != metav1.ConditionTrue:
		return "Reconciling and Stalled must be absent when they are not true"
	case reconciling != nil && stalled != nil:
		return "Reconciling and Stalled must not both be true"
	case isReady && (reconciling != nil || stalled != nil):
		return "Ready must not be true together with Reconciling or Stalled"
	case len(conditions) > 0 && meta.FindStatusCondition(conditions, v1alpha1.ReadyCondition) == nil:
		return "Ready must always be present"
	}
	for _, condition := range conditions {
		if condition.Message == "" || condition.ObservedGeneration > object.GetGeneration() {
			return condition.Type + " has no message, or its observedGeneration is above the generation"
		}
	}
	return ""
}
