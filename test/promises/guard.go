// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"strings"
)

// OverGuard reports whether a prune deactivated more accounts than the guard allows in an hour: ten, or a fifth of the active people.
func OverGuard(organization string, crew []string, changes map[string][]AccountChange, pruned Moment) []Violation {
	active, taken := 0, 0
	for subject, ofPerson := range changes {
		isCrew := contains(crew, strings.TrimPrefix(subject, organization+"/"))
		if OrganizationOf(subject) != organization {
			continue
		}
		was, is := activeAt(ofPerson, pruned), activeAt(ofPerson, Forever)
		if was {
			active++
		}
		if isCrew && was && !is {
			taken++
		}
	}
	if most := max(10, active/5); taken > most {
		return []Violation{violationf("guard", organization,
			"a prune of %d people deactivated %d of %d active accounts, but the guard allows %d", len(crew), taken, active, most)}
	}
	return nil
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// activeAt reports whether an account was active at that time.
func activeAt(changes []AccountChange, at Moment) bool {
	active := false
	for _, c := range changes {
		if c.At <= at {
			active = c.After.Active
		}
	}
	return active
}
