// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CreatedAnnotation is the RFC 3339 time, with fractions of a second, at which the SCIM endpoint created a resource: lists are in this order, and
// Kubernetes keeps whole seconds.
const CreatedAnnotation = "iam.lambdatest.io/created"

// createdTolerance is by how much the clocks of the operator and of the API server may differ. After a restore they differ by more: then the
// resource was created by the restore.
const createdTolerance = 2 * time.Second

// CreatedAt returns the time at which a resource was created: that of CreatedAnnotation where Kubernetes has the same within createdTolerance.
func CreatedAt(o metav1.Object) time.Time {
	created := o.GetCreationTimestamp().Time
	if created.Nanosecond() != 0 { // of the operator's cache, which puts the exact time there
		return created
	}
	text, annotated := o.GetAnnotations()[CreatedAnnotation]
	if !annotated {
		return created
	}
	exact, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || exact.Sub(created).Abs() > createdTolerance {
		return created
	}
	return exact
}
