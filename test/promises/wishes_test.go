// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

const patchCall = "PATCH /Users/{id}"

// turned is a call that changes an account.
func turned(at Moment, before, after simulator.Account) AccountChange {
	return AccountChange{At: at, Call: patchCall, Before: before, After: after}
}

var (
	userOn, userOff   = simulator.Account{ID: "1", Active: true, Role: "User"}, simulator.Account{ID: "1", Role: "User"}
	adminOn, adminOff = simulator.Account{ID: "1", Active: true, Role: "Admin"}, simulator.Account{ID: "1", Role: "Admin"}
)

func TestACallThatNoClaimAskedForIsTold(t *testing.T) {
	const minute = time.Minute
	claims := func(at Moment, denies bool, role string) Version {
		return Version{At: at, Name: "ns/ada", Subject: "org/ada", Counts: true, Denies: denies, Role: role}
	}
	ended := Version{At: 10 * minute, Name: "ns/ada", Subject: "org/ada", Gone: true}
	held := ended
	held.Gone, held.Deleting, held.Ready = false, true, metav1.Condition{Status: metav1.ConditionFalse, Reason: v1alpha1.DemotionHeldReason}
	group := Version{At: minute, Name: "ns/qa", Subject: "org/qa", Counts: true, Roles: "Admin", Members: map[string]bool{"ada": true}}
	left := Version{At: 10 * minute, Name: "ns/qa", Subject: "org/qa", Counts: true, Roles: "Admin", Members: map[string]bool{"bob": true}}
	cases := map[string]struct {
		versions, groups []Version
		change           AccountChange
		unasked          bool
	}{
		"a denial":                               {versions: []Version{claims(minute, false, "User"), claims(10*minute, true, "User")}, change: turned(11*minute, userOn, userOff)},
		"off, and nobody denies":                 {versions: []Version{claims(minute, false, "User")}, change: turned(11*minute, userOn, userOff), unasked: true},
		"off, because the claim is gone":         {versions: []Version{claims(minute, false, "User"), ended}, change: turned(11*minute, userOn, userOff)},
		"off, a denial that was taken back":      {versions: []Version{claims(minute, true, "User"), claims(10*minute, false, "User")}, change: turned(10*minute+20*time.Second, userOn, userOff)},
		"off, a denial of long ago":              {versions: []Version{claims(minute, true, "User"), claims(10*minute, false, "User")}, change: turned(11*minute, userOn, userOff), unasked: true},
		"off, before the record sees the denial": {versions: []Version{claims(minute, false, "User"), claims(10*minute, true, "User")}, change: turned(10*minute-time.Second, userOn, userOff)},
		"on, for a claim":                        {versions: []Version{claims(minute, false, "User")}, change: turned(2*minute, userOff, userOn)},
		"on, and denied":                         {versions: []Version{claims(minute, true, "User")}, change: turned(2*minute, userOff, userOn), unasked: true},
		"on, and no claim":                       {change: turned(2*minute, userOff, userOn), unasked: true},
		"the role of the claim":                  {versions: []Version{claims(minute, false, "Admin")}, change: turned(2*minute, userOn, adminOn)},
		"a role of no claim":                     {versions: []Version{claims(minute, false, "User")}, change: turned(2*minute, userOn, adminOn), unasked: true},
		"a lower role of no claim":               {versions: []Version{claims(minute, false, "Admin")}, change: turned(2*minute, adminOn, userOn), unasked: true},
		"an unset role, and User":                {versions: []Version{claims(minute, false, "")}, change: turned(2*minute, adminOn, userOn), unasked: true},
		"User, switched on":                      {versions: []Version{claims(minute, false, "")}, change: turned(2*minute, adminOff, userOn)},
		"the role of a group":                    {versions: []Version{claims(minute, false, "User")}, groups: []Version{group}, change: turned(2*minute, userOn, adminOn)},
		"User, after the last group":             {versions: []Version{claims(minute, false, "")}, groups: []Version{group, left}, change: turned(11*minute, adminOn, userOn)},
		"what the guard held stays in force":     {versions: []Version{claims(minute, false, "Admin"), held}, change: turned(20*minute, userOff, adminOn)},
		"an edit at LambdaTest":                  {versions: []Version{claims(minute, false, "User")}, change: AccountChange{At: 11 * minute, Before: userOn, After: userOff}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := Unasked(Evidence{
				Subject: "org/ada", Versions: c.versions, GroupVersions: c.groups, Changes: []AccountChange{c.change}, Bounds: Promised(10 * time.Second),
			})
			if unasked := len(found) > 0; unasked != c.unasked {
				t.Errorf("found %v, want unasked %v", found, c.unasked)
			}
		})
	}
}

func TestAClaimThatSaysSyncedWhileItIsNotSoIsTold(t *testing.T) {
	const minute = time.Minute
	says := func(at Moment, denies bool, reason string) Version {
		return Version{
			At: at, Name: "ns/ada", Subject: "org/ada", Counts: true, Denies: denies, Current: true,
			Ready: metav1.Condition{Status: metav1.ConditionTrue, Reason: reason},
		}
	}
	const synced = v1alpha1.SyncedReason
	on := AccountChange{At: minute, Call: "POST /Users", After: userOn}
	edited := AccountChange{At: 5 * minute, Before: userOn, After: userOff}
	outdated := says(2*minute, true, synced)
	outdated.Current = false
	cases := map[string]struct {
		versions []Version
		changes  []AccountChange
		trouble  []Period
		misled   bool
	}{
		"it is so":                               {versions: []Version{says(minute, false, synced)}, changes: []AccountChange{on}},
		"no account":                             {versions: []Version{says(minute, false, synced)}, misled: true},
		"denied, and still on":                   {versions: []Version{says(minute, true, synced)}, changes: []AccountChange{on}, misled: true},
		"denied, and says DeniedButActive":       {versions: []Version{says(minute, true, v1alpha1.DeniedButActiveReason)}, changes: []AccountChange{on}},
		"about an earlier generation":            {versions: []Version{says(minute, false, synced), outdated}, changes: []AccountChange{on}},
		"edited at LambdaTest, and corrected":    {versions: []Version{says(minute, false, synced)}, changes: []AccountChange{on, edited, turned(5*minute+9*time.Second, userOff, userOn)}},
		"edited at LambdaTest, and never seen":   {versions: []Version{says(minute, false, synced)}, changes: []AccountChange{on, edited}, misled: true},
		"edited at LambdaTest, which was away":   {versions: []Version{says(minute, false, synced), says(18*minute, false, "UpstreamUnavailable")}, changes: []AccountChange{on, edited}, trouble: []Period{{From: 4 * minute, To: 18 * minute}}},
		"the resource is gone, and says no more": {versions: []Version{says(minute, false, synced), {At: 2 * minute, Name: "ns/ada", Subject: "org/ada", Gone: true}}, changes: []AccountChange{on}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := Misled(Evidence{
				Subject: "org/ada", Versions: c.versions, Changes: c.changes, Trouble: c.trouble, End: 20 * minute, Bounds: Promised(10 * time.Second),
			})
			if misled := len(found) > 0; misled != c.misled {
				t.Errorf("found %v, want misled %v", found, c.misled)
			}
		})
	}
}
