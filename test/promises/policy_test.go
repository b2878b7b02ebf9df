// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import "testing"

func TestAnIntruderWhoSucceedsIsTold(t *testing.T) {
	if found := Intruded(nil); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	if found := Intruded(map[string]int{"org/ada": 2}); len(found) != 1 {
		t.Errorf("found %v", found)
	}
}
