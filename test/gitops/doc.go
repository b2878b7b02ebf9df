// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package gitops holds scenarios in which people are kept in Git: Flux's own source-controller and kustomize-controller follow a git
// repository on loopback, or resources are applied in the two ways of Argo CD, while an identity provider speaks SCIM to the operator
// and a simulated LambdaTest keeps count of the calls. `make gitops` builds what is needed, runs them and writes a report.
//
// Each scenario has an organization, a repository and, where Flux is in it, a GitRepository and a Kustomization of its own.
package gitops
