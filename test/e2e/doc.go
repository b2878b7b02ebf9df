// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e holds scenarios that run against the whole product: two replicas of the operator as processes, under their shipped
// permissions, a real API server, and a simulated LambdaTest. `make e2e` runs them and writes a report.
//
// Each scenario has an organization of its own, so none sees another's people, and a label that names the promise.
package e2e
