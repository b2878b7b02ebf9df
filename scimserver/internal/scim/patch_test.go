// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWithLeavesTheOriginal(t *testing.T) {
	o := Object{"a": "1"}
	before := maps.Clone(o)
	_ = o.With("a", "2")
	_ = o.With("a", nil)
	if !cmp.Equal(o, before) {
		t.Error("with changed its receiver")
	}
}
