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
	message := shortened(now.message, maxMessage-len(closing)) + closing
	put := func(kind string, status metav1.ConditionStatus) {
		meta.SetStatusCondition(&conditions, metav1.Condition{
			Type: kind, Status: status, Reason: now.reason, Message: message,
			ObservedGeneration: object.GetGeneration(), LastTransitionTime: at,
		})
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

// maxMessage is far below what the API server takes, and more than anybody reads.
const maxMessage = 1024

func shortened(message string, limit int) string {
	runes := []rune(message)
	if len(runes) <= limit {
		return message
	}
	return string(runes[:limit]) + "…"
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
