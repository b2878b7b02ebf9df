// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package gitops contains scenarios in which users are declared in Git: Flux's source-controller and kustomize-controller follow a git
// repository on loopback, or resources are applied in the two ways of Argo CD, while an identity provider sends SCIM requests to the
// operator and a simulated LambdaTest records the calls. `make gitops` builds Flux, runs the scenarios and writes a report.
//
// Each scenario has its own organization and repository and, with Flux, its own GitRepository and Kustomization.
package gitops
