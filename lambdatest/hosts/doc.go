// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package hosts says which hosts may be called with a token, and refuses addresses that no LambdaTest has when a connection is made. It imports
// nothing of this module.
package hosts
