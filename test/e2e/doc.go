// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e contains scenarios that run against the whole product: two replicas of the operator as processes with their shipped
// permissions, a real API server, and a simulated LambdaTest. `make e2e` runs them and writes a report.
//
// Each scenario has its own organization, so that it sees no people of another scenario, and a label that names the promise.
package e2e
