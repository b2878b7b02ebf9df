// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import "testing"

func TestWhatIsWrittenWhileNothingChangesIsTold(t *testing.T) {
	before := map[string]string{"a": "1", "b": "2", "c": "3"}
	if found := Moved(before, map[string]string{"a": "1", "b": "2", "c": "3"}); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	if found := Moved(before, map[string]string{"a": "1", "b": "4", "d": "5"}); len(found) != 3 {
		t.Errorf("found %v, want b, c and d", found)
	}
}
