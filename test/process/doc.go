// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package process runs programs for a test or the development environment, and guarantees that they end:
// after an orderly stop, and on Linux also when the parent is killed.
//
// It is test support: nothing that ships imports it. It imports only the standard library.
package process
