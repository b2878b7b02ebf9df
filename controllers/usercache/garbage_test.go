// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import "testing"

func TestGarbageIsBoundedInBytesAndInPercent(t *testing.T) {
	for inUse, want := range map[uint64]int{0: 400, 10 << 20: 400, 40 << 20: 100, 80 << 20: 50, 160 << 20: 25, 1 << 30: 20} {
		if got := garbagePercent(inUse); got != want {
			t.Errorf("with %d bytes in use: %d %%, want %d %%", inUse, got, want)
		}
	}
}
