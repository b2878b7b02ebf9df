// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package controllers makes LambdaTest agree with the LambdaTestUsers, LambdaTestGroups and LambdaTestOrganizations of a cluster.
package controllers
