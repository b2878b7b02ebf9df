// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"testing"
	"time"
)

func TestWhatTheClaimsAboutAPersonAskFor(t *testing.T) {
	claim := func(name, source, role string, year int) Version {
		return Version{Name: name, Subject: "org/ada", Source: source, Role: role, Counts: true, Created: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)}
	}
	denying := func(v Version) Version { v.Denies = true; return v }
	observing := func(v Version) Version { v.Counts = false; return v }
	group := func(name, subject, roles string, year int, members ...string) Version {
		v := Version{Name: name, Subject: subject, Roles: roles, Counts: true, Members: map[string]bool{}, Created: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)}
		for _, member := range members {
			v.Members[member] = true
		}
		return v
	}
	git, okta := claim("ns/git", "", "User", 2022), claim("ns/scim", "scim", "Admin", 2020)
	cases := map[string]struct {
		claims, groups []Version
		want           Desired
	}{
		"nobody claims":                              {want: Desired{}},
		"one claim":                                  {claims: []Version{okta}, want: Desired{Claimed: true, Role: "Admin"}},
		"a declared role before the provider's":      {claims: []Version{okta, git}, want: Desired{Claimed: true, Role: "User"}},
		"an unset declared role":                     {claims: []Version{okta, claim("ns/git", "", "", 2022)}, want: Desired{Claimed: true, Role: "Admin"}},
		"a denial of one":                            {claims: []Version{denying(okta), git}, want: Desired{Claimed: true, Denied: true, Role: "User"}},
		"one that only observes":                     {claims: []Version{observing(denying(git))}, want: Desired{}},
		"the older of two declared ones":             {claims: []Version{claim("ns/a", "", "Guest", 2023), git}, want: Desired{Claimed: true, Role: "User"}},
		"a younger one sets no role":                 {claims: []Version{claim("ns/a", "", "", 2021), git}, want: Desired{Claimed: true}},
		"a younger one denies":                       {claims: []Version{git, denying(claim("ns/a", "", "Guest", 2023))}, want: Desired{Claimed: true, Denied: true, Role: "User"}},
		"a role from a group":                        {claims: []Version{git}, groups: []Version{group("ns/g", "org/qa", "Guest", 2022, "ada")}, want: Desired{Claimed: true, Role: "Guest", FromGroup: true}},
		"the highest of all groups":                  {claims: []Version{git}, groups: []Version{group("ns/g", "org/qa", "Guest", 2022, "ada"), group("ns/h", "org/web", "Guest User", 2022, "ada")}, want: Desired{Claimed: true, Role: "User", FromGroup: true}},
		"the highest of one group":                   {claims: []Version{git}, groups: []Version{group("ns/g", "org/qa", "Admin Guest", 2022, "ada")}, want: Desired{Claimed: true, Role: "Admin", FromGroup: true}},
		"a group of others":                          {claims: []Version{git}, groups: []Version{group("ns/g", "org/qa", "Admin", 2022, "bob")}, want: Desired{Claimed: true, Role: "User"}},
		"a group without a role":                     {claims: []Version{git}, groups: []Version{group("ns/g", "org/qa", "", 2022, "ada")}, want: Desired{Claimed: true, Role: "User"}},
		"a group of another organization":            {claims: []Version{git}, groups: []Version{group("ns/g", "other/qa", "Admin", 2022, "ada")}, want: Desired{Claimed: true, Role: "User"}},
		"of two groups of one name the older counts": {claims: []Version{git}, groups: []Version{group("ns/g", "org/qa", "Admin", 2023, "ada"), group("ns/h", "org/qa", "Guest", 2022, "ada")}, want: Desired{Claimed: true, Role: "Guest", FromGroup: true}},
		"a member without a claim":                   {groups: []Version{group("ns/g", "org/qa", "Admin", 2022, "ada")}, want: Desired{Role: "Admin", FromGroup: true}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Merge("org/ada", c.claims, c.groups); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
