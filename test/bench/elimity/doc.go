// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command elimity serves users from memory with github.com/elimity-com/scim, for the benchmark that compares lists. It is a separate
// module, so that the operator does not depend on that library.
package main
