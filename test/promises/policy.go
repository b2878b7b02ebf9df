// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"maps"
	"slices"
)

// Intruded returns the people whose provider resources another client than the operator could change.
func Intruded(byPerson map[string]int) []Violation {
	var found []Violation
	for _, whom := range slices.Sorted(maps.Keys(byPerson)) {
		found = append(found, violationf("admission policy", whom, "another client changed the resource of the identity provider %d times", byPerson[whom]))
	}
	return found
}
