// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package groups is what is known of the groups of an organization at LambdaTest: one entry for each LambdaTestGroup, and one for each
// id. It makes no call and plans no change. It imports api and lambdatest.
package groups
