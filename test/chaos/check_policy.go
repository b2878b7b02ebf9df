// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
)

// intruded returns the people whose provider resources another client than the operator could change.
func intruded(byPerson map[string]int) []violation {
	var found []violation
	for _, whom := range slices.Sorted(maps.Keys(byPerson)) {
		found = append(found, violation{Check: "admission policy", Whom: whom, Detail: fmt.Sprintf(
			"another client changed the resource of the identity provider %d times", byPerson[whom])})
	}
	return found
}
