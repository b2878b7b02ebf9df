// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the types of the API group iam.lambdatest.io: an organization (a connection to LambdaTest), a user
// (one party's claim about one person) and a group. It also has their validation rules, condition reasons and well-known names.
//
// It decides nothing and calls nothing. It imports only apimachinery and golang.org/x/text, so that other programs can import it
// without importing the operator.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package="../applyconfiguration"
// +groupName=iam.lambdatest.io
package v1alpha1
