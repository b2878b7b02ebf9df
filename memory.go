// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
)

// memoryLimitVariable is the limit of the container in bytes; the manifests take it from resources.limits.memory.
const memoryLimitVariable = "MEMORY_LIMIT"

// followMemoryLimit lets Go collect harder before the process reaches nine tenths of the container's limit: the rest is for what Go does not
// count. GOMEMLIMIT, which Go itself reads, wins.
func followMemoryLimit() error {
	text := os.Getenv(memoryLimitVariable)
	if text == "" || os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	limit, err := strconv.ParseInt(text, 10, 64)
	if err != nil || limit <= 0 {
		return fmt.Errorf("%s is a number of bytes, not %q", memoryLimitVariable, text)
	}
	debug.SetMemoryLimit(limit / 10 * 9)
	return nil
}
