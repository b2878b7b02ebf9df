// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package person is the reconciler of people. Work is keyed by the person that claims are about, so one worker at a time touches an account:
// claims are merged (package claims), a plan is made (plan.go, pure), and at most one call changes the account; the outcome is written to
// each claim (status.go). PreviewPeople makes the same plans without calling. It imports internal, api and lambdatest, and no other
// reconciler.
package person
