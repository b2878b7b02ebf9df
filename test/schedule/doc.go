// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package schedule makes schedules of faults: which one happens when, drawn from a seed before the run. It knows no fault; test/chaos says
// which ones there are. It is test support: nothing that ships imports it.
package schedule
