// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"maps"
	"slices"
	"strings"
)

// Record is everything that was recorded in one run. Violations compares it with the promises.
type Record struct {
	// Users and Groups are the requests of providers, and their answers.
	Users  []UserOperation
	Groups []GroupOperation
	// People and GroupVersions are the versions of resources.
	People, GroupVersions []Version
	// Changes are LambdaTest's records by subject; ChangesOf makes them for one organization.
	Changes map[string][]AccountChange
	// Trouble are the faults. Terms say which replica led when; the Whom of a term without a leader is empty.
	Trouble, Terms []Period
	// Guards are the limits of organizations, where the check of the guard's hours is wanted, and Approvals when their held sets were approved.
	Guards    map[string]GuardLimits
	Approvals map[string][]Moment
	// End is when the record ends.
	End    Moment
	Bounds Bounds
}

// Evidence is what was recorded about one person.
type Evidence struct {
	Subject    string
	Operations []UserOperation
	// Versions are those of the resources that claim the person, GroupVersions those of groups with the person as member at some time.
	Versions, GroupVersions []Version
	Changes                 []AccountChange
	// Trouble are the faults that affected the organization.
	Trouble, Terms []Period
	End            Moment
	Bounds         Bounds
}

// Evidence splits the record by person, in the order of their subjects.
func (r *Record) Evidence() []Evidence {
	people, operations := bySubject(r.People), BySubject(r.Users)
	groups := byMember(r.GroupVersions)
	subjects := map[string]bool{}
	for _, names := range [][]string{keysOf(people), keysOf(operations), keysOf(r.Changes)} {
		for _, name := range names {
			subjects[name] = true
		}
	}
	trouble := map[string][]Period{}
	var all []Evidence
	for _, subject := range slices.Sorted(maps.Keys(subjects)) {
		organization := OrganizationOf(subject)
		if _, known := trouble[organization]; !known {
			trouble[organization] = TroubleOf(organization, r.Trouble, r.Terms)
		}
		all = append(all, Evidence{
			Subject: subject, Operations: operations[subject], Versions: people[subject], GroupVersions: groups[subject],
			Changes: r.Changes[subject], Trouble: trouble[organization], Terms: r.Terms, End: r.End, Bounds: r.Bounds,
		})
	}
	return all
}

func keysOf[T any](parts map[string]T) []string { return slices.Collect(maps.Keys(parts)) }

func bySubject(versions []Version) map[string][]Version {
	parts := map[string][]Version{}
	for _, v := range versions {
		parts[v.Subject] = append(parts[v.Subject], v)
	}
	return parts
}

// byMember gives each person the versions of the groups that they were ever in.
func byMember(versions []Version) map[string][]Version {
	members := map[string]map[string]bool{}
	for _, v := range versions {
		if members[v.Name] == nil {
			members[v.Name] = map[string]bool{}
		}
		for person := range v.Members {
			members[v.Name][OrganizationOf(v.Subject)+"/"+person] = true
		}
	}
	parts := map[string][]Version{}
	for _, v := range versions {
		for subject := range members[v.Name] {
			if strings.HasPrefix(subject, OrganizationOf(v.Subject)+"/") {
				parts[subject] = append(parts[subject], v)
			}
		}
	}
	return parts
}

// Violations runs the checks of what was recorded. Pictures of histories that are not linearizable get paths that begin with pictures.
func (r *Record) Violations(pictures string) []Violation {
	var found []Violation
	reasons, evidence := ReasonsOf(r.People, r.GroupVersions), r.Evidence()
	for _, e := range evidence {
		found = slices.Concat(found, LateDenials(e), NeedlessWrites(e, reasons[e.Subject]), IdleWrites(e), Unasked(e), Misled(e))
	}
	for _, organization := range slices.Sorted(maps.Keys(r.Guards)) {
		found = append(found, OverGuardInAnHour(organization, evidence, r.Guards[organization], r.Approvals[organization])...)
	}
	return slices.Concat(found,
		LostUsers(r.Users), LostGroups(r.Groups), CreatedTwice(r.Changes),
		Linearizable("user", r.Users, UserModel(), pictures), Linearizable("group", r.Groups, GroupModel(), pictures))
}
