// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"fmt"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func TestAPruneTakesNoMoreThanTheGuardLetsGo(t *testing.T) {
	for taken, over := range map[int]bool{10: false, 11: true, 20: true} {
		changes := map[string][]AccountChange{}
		var crew []string
		for i := range 20 {
			name := fmt.Sprintf("crew-%d@example.com", i)
			crew = append(crew, name)
			changes["org/"+name] = []AccountChange{{At: 1, After: simulator.Account{ID: "1", Active: true}}}
			if i < taken {
				changes["org/"+name] = append(changes["org/"+name], AccountChange{At: 10})
			}
		}
		if found := OverGuard("org", crew, changes, 5); (len(found) > 0) != over {
			t.Errorf("%d taken: found %v, want over %v", taken, found, over)
		}
	}
}
