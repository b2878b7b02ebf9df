// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
)

// intruded tells in whose name somebody but the operator could say something.
func intruded(byPerson map[string]int) []violation {
	var found []violation
	for _, whom := range slices.Sorted(maps.Keys(byPerson)) {
		found = append(found, violation{Check: "admission policy", Whom: whom, Detail: fmt.Sprintf(
			"somebody else changed what the identity provider says, %d times", byPerson[whom])})
	}
	return found
}
