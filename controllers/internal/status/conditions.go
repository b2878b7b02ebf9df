// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Conditioned is a resource whose conditions are written here.
type Conditioned interface {
	metav1.Object
	GetConditions() []metav1.Condition
	SetConditions([]metav1.Condition)
}

// Settle alone turns an outcome into conditions, by the rules of kstatus: Ready is always there, Reconciling and Stalled only while
// true and never together. The observed generation advances on failure too.
func Settle(object Conditioned, now Outcome, at metav1.Time) {
	conditions, ready, closing := object.GetConditions(), metav1.ConditionFalse, ""
	if now.Readiness == Ready {
		ready = metav1.ConditionTrue
	}
	if now.Refused {
		closing = tryAgain(object)
	}
	message := Shorten(maxMessage-len(closing), now.Message) + closing
	put := func(kind string, status metav1.ConditionStatus) {
		SetCondition(&conditions, object, metav1.Condition{Type: kind, Status: status, Reason: now.Reason, Message: message, LastTransitionTime: at})
	}
	put(v1alpha1.ReadyCondition, ready)
	for kind, holds := range map[string]bool{
		v1alpha1.ReconcilingCondition: now.Readiness == Progressing,
		v1alpha1.StalledCondition:     now.Readiness == Stalled,
	} {
		if holds {
			put(kind, metav1.ConditionTrue)
		} else {
			meta.RemoveStatusCondition(&conditions, kind)
		}
	}
	object.SetConditions(conditions)
	observeGeneration(object)
}

// SetCondition alone writes conditions, so that none has a message that the API server refuses. It returns whether anything changed.
func SetCondition(conditions *[]metav1.Condition, object metav1.Object, condition metav1.Condition) bool {
	condition.Message = Shorten(maxMessage, condition.Message)
	condition.ObservedGeneration = object.GetGeneration()
	return meta.SetStatusCondition(conditions, condition)
}

func observeGeneration(object Conditioned) {
	switch o := object.(type) {
	case *v1alpha1.LambdaTestUser:
		o.Status.ObservedGeneration = o.Generation
	case *v1alpha1.LambdaTestOrganization:
		o.Status.ObservedGeneration = o.Generation
	case *v1alpha1.LambdaTestGroup:
		o.Status.ObservedGeneration = o.Generation
	}
}

// ReadyCondition is the condition Ready of a resource; nil before it was written.
func ReadyCondition(object Conditioned) *metav1.Condition {
	return meta.FindStatusCondition(object.GetConditions(), v1alpha1.ReadyCondition)
}

// IsReady tells whether the condition Ready is True.
func IsReady(object Conditioned) bool {
	return meta.IsStatusConditionTrue(object.GetConditions(), v1alpha1.ReadyCondition)
}

// IsStalled tells whether a person must act before anything can change.
func IsStalled(object Conditioned) bool {
	return meta.IsStatusConditionTrue(object.GetConditions(), v1alpha1.StalledCondition)
}

// IsReconciling tells whether the status says that the operator is at work.
func IsReconciling(object Conditioned) bool {
	return meta.IsStatusConditionTrue(object.GetConditions(), v1alpha1.ReconcilingCondition)
}

// HasReason tells whether the condition Ready has that reason.
func HasReason(object Conditioned, reason string) bool {
	condition := ReadyCondition(object)
	return condition != nil && condition.Reason == reason
}

// SharedReasons are troubles of a whole organization, which has an event of its own. One more for each of 100 000 people would say the
// same, and keep the API server busy just then.
var SharedReasons = []string{
	v1alpha1.SuspendedReason, v1alpha1.OrganizationNotReadyReason, v1alpha1.OrganizationChangedReason,
	v1alpha1.UnauthorizedReason, v1alpha1.RateLimitedReason,
}

// tryAgain ends every message about a refusal: when the operator tries again, and how to make it try now. It names no point in time, which
// would be a new status with every try.
func tryAgain(object Conditioned) string {
	kind := "ltuser"
	if _, isGroup := object.(*v1alpha1.LambdaTestGroup); isGroup {
		kind = "ltgroup"
	}
	return fmt.Sprintf(" It is tried again by itself, within a minute at first and about every hour later. To try now: kubectl annotate %s %s -n %s %s=\"$(date -u +%%FT%%TZ)\" --overwrite",
		kind, object.GetName(), object.GetNamespace(), v1alpha1.ReconcileRequestedAtAnnotation)
}
