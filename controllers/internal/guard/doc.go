// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package guard keeps one mistake from taking access or roles away from many people of an organization.
//
//   - policy.go decides, and is pure.
//   - guard.go is the memory. It answers a request at once; an answer that is not written down yet is Pending, and its asker is
//     reconciled again once it is.
//   - write.go writes status.guard: one goroutine for each organization. What the guard knows lives there, so it survives restarts.
//   - report.go has the condition, events and texts about what is held.
//
// The package knows nothing of connections. It imports api, lambdatest, claims, deletion and status.
package guard
