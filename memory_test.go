// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime/debug"
	"testing"
)

func TestMemoryStaysBelowNineTenthsOfTheContainersLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for _, test := range []struct {
		limit, goMemLimit string
		want              int64
	}{
		{"", "", 1 << 40},
		{"536870910", "", 483183819},
		{"536870910", "100MiB", 1 << 40}, // Go has set it when the process began
	} {
		debug.SetMemoryLimit(1 << 40)
		t.Setenv(memoryLimitVariable, test.limit)
		t.Setenv("GOMEMLIMIT", test.goMemLimit)
		if err := followMemoryLimit(); err != nil {
			t.Error(err)
		}
		if got := debug.SetMemoryLimit(-1); got != test.want {
			t.Errorf("%s=%q, GOMEMLIMIT=%q: limit %d, want %d", memoryLimitVariable, test.limit, test.goMemLimit, got, test.want)
		}
	}
	for _, wrong := range []string{"512Mi", "-1", "0"} {
		t.Setenv(memoryLimitVariable, wrong)
		t.Setenv("GOMEMLIMIT", "")
		if followMemoryLimit() == nil {
			t.Errorf("%s=%q is accepted", memoryLimitVariable, wrong)
		}
	}
}
