// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"maps"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// "A request that parses and ends in `active: false` always denies" (docs/scim.md). These functions tell, from the JSON alone and
// before anything else of the request is looked at, whether a request does: whatever else is in it, or wrong with it. What they say is the
// condition that the result of the request is checked against, so an attribute that is read in another way cannot undo a denial.

// bodyDenies tells whether a whole user (PUT, POST) says active: false. Where `active` stands more than once, any false is enough.
func bodyDenies(body map[string]any) bool {
	for key, value := range body {
		if nested, ok := value.(map[string]any); ok && strings.EqualFold(key, userSchema) && bodyDenies(nested) {
			return true
		}
		if namesActive(key) {
			if active, ok := scim.Bool(value); ok && !active {
				return true
			}
		}
	}
	return false
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
	if o.Path != "" && !strings.EqualFold(o.Path, userSchema) {
		if !namesActive(o.Path) {
			return false, false
		}
		return scim.Bool(o.Value)
	}
	value := o.Value
	if list, ok := value.([]any); ok && len(list) == 1 {
		value = list[0]
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return false, false
	}
	return activeIn(fields)
}

// activeIn looks through the keys in the order in which PATCH applies them; among several any false wins.
func activeIn(fields map[string]any) (active, said bool) {
	active = true
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		value, ok := false, false
		if nested, isObject := fields[key].(map[string]any); isObject && strings.EqualFold(key, userSchema) {
			value, ok = activeIn(nested)
		} else if namesActive(key) {
			value, ok = scim.Bool(fields[key])
		}
		if ok {
			said, active = true, active && value
		}
	}
	return active && said, said
}

func namesActive(path string) bool {
	return strings.EqualFold(path, "active") || strings.EqualFold(path, userSchema+":active")
}
