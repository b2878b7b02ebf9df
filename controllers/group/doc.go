// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package group is the reconciler of LambdaTestGroups: it pushes a group with as few calls as possible (plan.go, pure), decides which group at
// LambdaTest is whose (names.go), and requeues members when their role changes. It imports internal, api and lambdatest, and no other
// reconciler.
package group
