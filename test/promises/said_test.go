// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"net/http"
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func TestADenialThatTheProviderWasAnsweredIsDueAlsoWithoutAResource(t *testing.T) {
	const second = time.Second
	op := func(from, to Moment, in UserRequest, out UserAnswer) UserOperation {
		return asked(from*second, to*second, in, out)
	}
	activate := UserRequest{Verb: UserActivate, Active: true}
	refused := UserAnswer{Status: http.StatusNotFound}
	cases := map[string]struct {
		operations []UserOperation
		versions   []Version
		late       bool
	}{
		"no denial":                       {operations: []UserOperation{op(1, 2, create, created)}},
		"acknowledged, and nothing done":  {operations: []UserOperation{op(1, 2, create, created), op(10, 11, deny, denied)}, late: true},
		"refused":                         {operations: []UserOperation{op(1, 2, create, created), op(10, 11, deny, refused)}},
		"of unknown outcome":              {operations: []UserOperation{op(1, 2, create, created), op(10, 0, deny, UserAnswer{})}},
		"taken back at once":              {operations: []UserOperation{op(10, 11, deny, denied), op(13, 14, activate, created)}},
		"taken back, and denied again":    {operations: []UserOperation{op(10, 11, deny, denied), op(13, 14, activate, created), op(20, 21, deny, denied)}, late: true},
		"an activation at the same time":  {operations: []UserOperation{op(10, 12, deny, denied), op(9, 11, activate, created)}},
		"an activation that may come":     {operations: []UserOperation{op(10, 11, deny, denied), op(9, 0, activate, UserAnswer{})}},
		"an activation that was refused":  {operations: []UserOperation{op(10, 11, deny, denied), op(12, 13, activate, refused)}, late: true},
		"the resource was deleted":        {operations: []UserOperation{op(10, 11, deny, denied)}, versions: []Version{{At: 12 * second, Name: "ns/scim-ada", Source: "scim", Gone: true}}},
		"two clients deny, one ends late": {operations: []UserOperation{op(10, 11, deny, denied), op(10, 14, deny, denied)}, late: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := LateDenials(Evidence{
				Subject: "org/ada", Operations: c.operations, Versions: c.versions, End: 100 * second, Bounds: Promised(10 * second),
				Changes: []AccountChange{{At: second, Call: "POST /Users", After: simulator.Account{ID: "1", Active: true}}},
			})
			if late := len(found) > 0; late != c.late {
				t.Errorf("found %v, want late %v", found, c.late)
			}
		})
	}
}
