// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"maps"
	"slices"
)

// Moved returns the resources that were written, created or deleted between two looks at their resourceVersions, by name. While nothing
// changes there should be none.
func Moved(before, after map[string]string) []Violation {
	var found []Violation
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if before[name] != after[name] {
			found = append(found, violationf("quiet", name, "resourceVersion went from %q to %q while nothing changed", before[name], after[name]))
		}
	}
	return found
}

// Written returns a violation when there were writes at LambdaTest while nothing changed.
func Written(writes int) []Violation {
	if writes == 0 {
		return nil
	}
	return []Violation{violationf("quiet", "", "%d writes at LambdaTest while nothing changed", writes)}
}
