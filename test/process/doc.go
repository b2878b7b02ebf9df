// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package process runs programs beside a test or the development environment and guarantees their end:
// a child outlives neither an orderly stop nor, on Linux, a parent that is killed.
//
// It is test support: nothing that ships imports it. It imports the standard library only.
package process
