// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// conditioned is a resource whose conditions are written here.
type conditioned interface {
	metav1.Object
	GetConditions() []metav1.Condition
	SetConditions([]metav1.Condition)
}

// settle alone turns a situation into conditions, by the rules of kstatus: Ready is always there, Reconciling and Stalled only while
// true and never together. The observed generation advances on failure too.
func settle(object conditioned, now situation, at metav1.Time) {
	conditions := object.GetConditions()
	status := metav1.ConditionFalse
	if now.readiness == ready {
		status = metav1.ConditionTrue
	}
	closing := ""
	if now.refused {
		closing = tryAgain(object)
	}
	message := shortenedTo(maxMessage-len(closing), now.message) + closing
	put := func(kind string, status metav1.ConditionStatus) {
		putCondition(&conditions, object, metav1.Condition{Type: kind, Status: status, Reason: now.reason, Message: message, LastTransitionTime: at})
	}
	put(v1alpha1.ReadyCondition, status)
	for kind, holds := range map[string]bool{
		v1alpha1.ReconcilingCondition: now.readiness == progressing,
		v1alpha1.StalledCondition:     now.readiness == stalled,
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

// putCondition alone writes conditions, so that none has a message that the API server refuses. It says whether anything changed.
func putCondition(conditions *[]metav1.Condition, object metav1.Object, condition metav1.Condition) bool {
	condition.Message = shortenedTo(maxMessage, condition.Message)
	condition.ObservedGeneration = object.GetGeneration()
	return meta.SetStatusCondition(conditions, condition)
}

func observeGeneration(object conditioned) {
	switch o := object.(type) {
	case *v1alpha1.LambdaTestUser:
		o.Status.ObservedGeneration = o.Generation
	case *v1alpha1.LambdaTestOrganization:
		o.Status.ObservedGeneration = o.Generation
	case *v1alpha1.LambdaTestGroup:
		o.Status.ObservedGeneration = o.Generation
	}
}

func readyCondition(object conditioned) *metav1.Condition {
	return meta.FindStatusCondition(object.GetConditions(), v1alpha1.ReadyCondition)
}

func isReady(object conditioned) bool {
	return meta.IsStatusConditionTrue(object.GetConditions(), v1alpha1.ReadyCondition)
}

func isReadyFor(object conditioned, reason string) bool {
	condition := readyCondition(object)
	return condition != nil && condition.Reason == reason
}
