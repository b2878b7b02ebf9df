// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// resource is what an event can be about.
type resource interface {
	Conditioned
	runtime.Object
}

// RecordTransition records an event when a resource comes into trouble or out of it: when the reason of Ready changes. Users are many: they
// have no events about the whole organization. Of a user who stays ready, another message is news, too. That a user is denied and active has an
// event of its own once it lasts.
func RecordTransition(recorder events.EventRecorder, before, after resource) {
	old, now := ReadyCondition(before), ReadyCondition(after)
	if now == nil {
		return
	}
	_, isUser := after.(*v1alpha1.LambdaTestUser)
	ready, kind := now.Status == metav1.ConditionTrue, corev1.EventTypeWarning
	if ready || now.Reason == v1alpha1.ProgressingReason {
		kind = corev1.EventTypeNormal
	}
	switch {
	case old == nil && ready:
	case old != nil && old.Reason == now.Reason && (!isUser || !ready || old.Message == now.Message):
	case isUser && (isShared(now) || ready && isShared(old)), isUser && now.Reason == v1alpha1.DeniedButActiveReason:
	default:
		recorder.Eventf(after, nil, kind, now.Reason, "Reconcile", "%s", now.Message)
	}
}

// isShared tells whether a condition is about the whole organization.
func isShared(condition *metav1.Condition) bool {
	return slices.Contains(SharedReasons, condition.Reason)
}
