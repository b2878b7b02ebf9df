// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the nouns of the API group iam.lambdatest.io: an organization (a connection to LambdaTest), a user
// (one party's claim about one person) and a group, with their rules, condition reasons and well-known names.
//
// It decides nothing and calls nothing. It imports apimachinery and golang.org/x/text only, so that other programs can use it
// without taking the operator along.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package="../applyconfiguration"
// +groupName=iam.lambdatest.io
package v1alpha1
