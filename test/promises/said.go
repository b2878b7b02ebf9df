// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import "slices"

// SaidByProvider returns the times in which the provider had certainly denied a person, as versions of a claim that no resource has: a
// denial counts from its answer until the first request that may take it back. It ends as well when the provider's resource ends.
func SaidByProvider(operations []UserOperation, versions []Version) []Version {
	var said []Version
	for _, denial := range operations {
		active, sets := denial.In.SetsActive()
		if active || !sets || !denial.Out.Acknowledged() {
			continue
		}
		from, to := denial.Return, takenBack(denial, operations, versions)
		if from < to {
			said = append(said,
				Version{At: from, Name: providerSays, Subject: denial.Subject, Counts: true, Denies: true},
				Version{At: to, Name: providerSays, Subject: denial.Subject})
		}
	}
	return joined(said)
}

// providerSays is the name of what the provider said. No resource has a name without a slash.
const providerSays = "the provider"

// takenBack is when a denial may have ended.
func takenBack(denial UserOperation, operations []UserOperation, versions []Version) Moment {
	end := Forever
	for _, o := range operations {
		active, sets := o.In.SetsActive()
		mayActivate := sets && active && (o.Out.Unknown || o.Out.Acknowledged())
		if mayActivate && o.Return >= denial.Call {
			end = min(end, o.Call)
		}
	}
	for _, v := range versions {
		if v.Source == sourceSCIM && !v.Counts && v.At >= denial.Call {
			end = min(end, v.At)
		}
	}
	return end
}

// sourceSCIM is the source of resources that the endpoint writes.
const sourceSCIM = "scim"

// joined are times of denials that may overlap, as changes of one claim.
func joined(said []Version) []Version {
	slices.SortStableFunc(said, func(a, b Version) int {
		if a.At != b.At {
			return int(a.At - b.At)
		}
		return boolRank(a.Denies) - boolRank(b.Denies)
	})
	var changes []Version
	depth := 0
	for _, v := range said {
		before := depth > 0
		if v.Denies {
			depth++
		} else {
			depth--
		}
		if v.Denies = depth > 0; v.Denies != before {
			changes = append(changes, v)
		}
	}
	return changes
}

func boolRank(b bool) int {
	if b {
		return 0
	}
	return 1
}
