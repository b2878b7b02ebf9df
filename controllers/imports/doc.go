// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package imports is the reconciler that gives each account that no resource claims a LambdaTestUser that only observes, where an organization asks
// for that. It makes no call to LambdaTest. It imports internal, api and lambdatest, and no other reconciler.
package imports
