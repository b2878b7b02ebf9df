// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command simulator serves a simulated LambdaTest, until it is interrupted. Its
// first line of output is its URL: the API is at /api/scim below it, and what
// else it answers is told in package simulator.
package main
