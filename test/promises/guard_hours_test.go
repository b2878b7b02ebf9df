// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// crew are people of one organization, all active from the first minute on. How each of them goes is said by their number.
func crew(size int, goes func(i int) ([]Version, []AccountChange)) []Evidence {
	all := make([]Evidence, size)
	for i := range all {
		subject := fmt.Sprintf("org/crew-%d", i)
		versions, changes := goes(i)
		claim := Version{At: time.Minute, Name: "ns/" + subject, Subject: subject, Counts: true, Role: "Admin"}
		e := Evidence{Subject: subject, Versions: []Version{claim}, Bounds: Promised(10 * time.Second)}
		for _, v := range versions {
			v.Name, v.Subject = claim.Name, subject
			e.Versions = append(e.Versions, v)
		}
		e.Changes = append([]AccountChange{{At: time.Minute, Call: "POST /Users", After: adminOn}}, changes...)
		all[i] = e
	}
	return all
}

func TestNoMorePeopleGoInAnHourThanTheGuardLetsGo(t *testing.T) {
	const minute, hour = time.Minute, time.Hour
	stay := func() ([]Version, []AccountChange) { return nil, nil }
	deleted := func(at Moment) ([]Version, []AccountChange) {
		return []Version{{At: at, Deleting: true}}, []AccountChange{turned(at+time.Second, adminOn, adminOff)}
	}
	heldFirst := func(at Moment) ([]Version, []AccountChange) {
		held := metav1.Condition{Status: metav1.ConditionFalse, Reason: v1alpha1.DeprovisionHeldReason}
		return []Version{{At: at, Deleting: true, Ready: held}}, []AccountChange{turned(at+30*minute, adminOn, adminOff)}
	}
	denied := func(at Moment) ([]Version, []AccountChange) {
		return []Version{{At: at, Counts: true, Denies: true}}, []AccountChange{turned(at+time.Second, adminOn, adminOff)}
	}
	observed := func(at Moment) ([]Version, []AccountChange) { // the claims observe from then on
		return []Version{{At: at}}, []AccountChange{turned(at+time.Second, adminOn, adminOff)}
	}
	revived := func(at Moment) ([]Version, []AccountChange) { // the denying claim goes, and another one stays
		return []Version{{At: 2 * minute, Counts: true, Denies: true}}, []AccountChange{turned(2*minute, adminOn, adminOff), turned(at+time.Second, adminOff, adminOn)}
	}
	many := func(most int, how func(Moment) ([]Version, []AccountChange), at Moment) func(int) ([]Version, []AccountChange) {
		return func(i int) ([]Version, []AccountChange) {
			if i >= most {
				return stay()
			}
			return how(at)
		}
	}
	twoHours := func(i int) ([]Version, []AccountChange) {
		if i >= 20 {
			return stay()
		}
		return deleted(hour * Moment(1+2*(i/10)))
	}
	outage := []Period{{From: hour, To: 2 * hour, Whom: "org"}}
	cases := map[string]struct {
		people    []Evidence
		limits    GuardLimits
		approvals []Moment
		trouble   []Period
		over      bool
	}{
		"as many as it lets go":          {people: crew(40, many(10, deleted, hour))},
		"one more":                       {people: crew(40, many(11, deleted, hour)), over: true},
		"a fifth of many":                {people: crew(100, many(20, deleted, hour))},
		"one more than a fifth of many":  {people: crew(100, many(21, deleted, hour)), over: true},
		"half of few":                    {people: crew(6, many(3, deleted, hour))},
		"more than half of few":          {people: crew(6, many(4, deleted, hour)), over: true},
		"the only person":                {people: crew(1, many(1, deleted, hour))},
		"explicit denials":               {people: crew(40, many(40, denied, hour))},
		"an edit, and no deletion":       {people: crew(40, many(20, observed, hour))},
		"in two hours":                   {people: crew(40, twoHours)},
		"limits of its own":              {people: crew(40, many(3, deleted, hour)), limits: GuardLimits{Minimum: 2, Percent: 5}, over: true},
		"held, and never approved":       {people: crew(40, many(20, heldFirst, hour)), over: true},
		"held, and approved":             {people: crew(40, many(20, heldFirst, hour)), approvals: []Moment{hour + 10*minute}},
		"held, and approved afterwards":  {people: crew(40, many(20, heldFirst, hour)), approvals: []Moment{3 * hour}, over: true},
		"let go before and after outage": {people: crew(40, many(20, deleted, 2*hour+minute)), trouble: outage},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			limits := c.limits
			if limits == (GuardLimits{}) {
				limits = DefaultGuard()
			}
			for i := range c.people {
				c.people[i].Trouble = c.trouble
			}
			found := OverGuardInAnHour("org", c.people, limits, c.approvals)
			if over := len(found) > 0; over != c.over {
				t.Errorf("found %v, want over %v", found, c.over)
			}
		})
	}

	t.Run("a denying resource is deleted", func(t *testing.T) {
		people := crew(40, many(12, revived, hour))
		for i := range 12 {
			denial := Version{At: 2 * minute, Name: "ns/denial", Subject: people[i].Subject, Counts: true, Denies: true}
			gone := Version{At: hour, Name: "ns/denial", Subject: people[i].Subject, Deleting: true}
			people[i].Versions = append(people[i].Versions[:1], denial, gone)
		}
		if found := OverGuardInAnHour("org", people, DefaultGuard(), nil); len(found) != 1 {
			t.Errorf("found %v", found)
		}
	})
	t.Run("a group is deleted", func(t *testing.T) {
		people := crew(40, many(12, func(at Moment) ([]Version, []AccountChange) {
			return nil, []AccountChange{turned(at+time.Second, adminOn, userOn)}
		}, hour))
		for i := range 12 {
			people[i].Versions[0].Role = ""
			members := map[string]bool{personOf(people[i].Subject): true}
			people[i].GroupVersions = []Version{
				{At: minute, Name: "ns/admins", Subject: "org/admins", Counts: true, Roles: "Admin", Members: members},
				{At: hour, Name: "ns/admins", Subject: "org/admins", Deleting: true},
			}
		}
		if found := OverGuardInAnHour("org", people, DefaultGuard(), nil); len(found) != 1 {
			t.Errorf("found %v", found)
		}
		for i := range people {
			for j := range people[i].GroupVersions {
				people[i].GroupVersions[j].Source = "scim"
			}
		}
		if found := OverGuardInAnHour("org", people, DefaultGuard(), nil); len(found) != 0 {
			t.Errorf("by the provider: found %v", found)
		}
	})
}
