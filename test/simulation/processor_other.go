// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package simulation

import "time"

var started = time.Now()

// processorTime is at most the time since the start, where the system does not tell more.
func processorTime() time.Duration { return time.Since(started) }
