// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// "A request that parses and ends in `active: false` always denies" (docs/scim.md). These functions tell, from the JSON alone and
// before anything else of the request is looked at, whether a request does: whatever else is in it, or wrong with it. What they say is the
// condition that the result of the request is checked against, so an attribute that is read in another way cannot undo a denial.

// bodyDenies tells whether a whole user (PUT, POST) says active: false.
func bodyDenies(body map[string]any) bool {
	active, said := activeIn(body)
	return said && !active
}

// patchDenies tells whether the last word of the operations on `active` is false.
func patchDenies(operations []scim.Operation) bool {
	denies := false
	for _, o := range operations {
		if !o.Sets() {
			continue
		}
		if active, said := activeOf(o); said {
			denies = !active
		}
	}
	return denies
}

// activeOf returns what an operation says of `active`.
func activeOf(o scim.Operation) (active, said bool) {
	switch {
	case o.Path == "" || strings.EqualFold(o.Path, userSchema):
		return activeIn(o.Value)
	case namesActive(o.Path):
		return scim.Bool(o.Value)
	default:
		return false, false
	}
}

// activeIn returns what the fields of an object say of `active`. Where they say more than one thing, any false wins.
func activeIn(raw any) (active, said bool) {
	active = true
	for _, reading := range scim.Readings(raw) {
		if list, ok := reading.([]any); ok && len(list) == 1 { // a list of one stands for its element
			reading = list[0]
		}
		fields, _ := reading.(map[string]any)
		for key, value := range fields {
			one, isSaid := false, false
			if strings.EqualFold(key, userSchema) {
				one, isSaid = activeIn(value)
			} else if namesActive(key) {
				one, isSaid = scim.Bool(value)
			}
			if isSaid {
				said, active = true, active && one
			}
		}
	}
	return active && said, said
}

func namesActive(path string) bool {
	return strings.EqualFold(path, "active") || strings.EqualFold(path, userSchema+":active")
}
