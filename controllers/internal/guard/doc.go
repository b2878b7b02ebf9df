// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package guard keeps one mistake from taking access or roles away from many. The policy (policy.go) is pure; the memory (guard.go)
// answers at once; one goroutine for each organization writes status.guard (store.go). Who asks never waits: an answer that is not known yet
// wakes the asker. It knows nothing of connections. It imports api, lambdatest, claims, deletion and status.
package guard
