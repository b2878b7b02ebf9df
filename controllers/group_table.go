// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// groups is what is in memory about the groups of an organization: one entry for each resource, and one for each id at LambdaTest.
type groups struct {
	mu        sync.Mutex
	resources map[string]*groupEntry
	byID      map[string]sighting
}

// groupEntry is what is known about one LambdaTestGroup. Forgetting the resource is forgetting its entry.
type groupEntry struct {
	// uid tells a resource from a later one of the same name.
	uid types.UID
	// id is the group's at LambdaTest. The status may not have it yet: a resource that is renamed right after its group was created must
	// not get another group.
	id string
	// absent is the displayName, folded, that was looked up and not found, until the next listing. A group that waits for its turn to be
	// created need not spend it on another lookup.
	absent string
	// doubtful says that a change was sent, and that its outcome is unknown.
	doubtful bool
	// met says that this process has seen the resource alive, or that LambdaTest certainly has nothing of it.
	met bool
	// open says that something is to be done.
	open bool
	// given is what the resource gave to whom when its members were last told; nil before.
	given *contribution
	// awaits are the folded userNames, in order, of the members who have no account yet.
	awaits []string
	// needs is the displayName, folded, that the group of another resource has and that this one waits for.
	needs string
	// duplicateSince is since when another resource of the displayName is carried out instead; zero is not.
	duplicateSince time.Time
}

// sighting is what LambdaTest said about one id: a group, or that there is none.
type sighting struct {
	group upstreamGroup
	// name is the displayName, folded.
	name string
	gone bool
	at   time.Time
}

func sighted(group upstreamGroup, at time.Time) sighting {
	return sighting{group: group, name: v1alpha1.FoldDisplayName(group.displayName), at: at}
}

// contribution is what a resource gives to its members.
type contribution struct {
	// pushed says that the group is LambdaTest's, too.
	pushed bool
	roles  []string
	// members are folded userNames, in order; none while another resource of the same displayName is carried out.
	members []string
}

func newGroups() *groups {
	return &groups{resources: map[string]*groupEntry{}, byID: map[string]sighting{}}
}

// entry returns the entry of a resource, a new one if there is none.
func (g *groups) entry(resource string) *groupEntry {
	entry, ok := g.resources[resource]
	if !ok {
		entry = &groupEntry{}
		g.resources[resource] = entry
	}
	return entry
}

// look returns a copy of the entry of a resource.
func (g *groups) look(resource string) groupEntry {
	g.mu.Lock()
	defer g.mu.Unlock()
	if entry, ok := g.resources[resource]; ok {
		return *entry
	}
	return groupEntry{}
}

// change changes the entry of a resource.
func (g *groups) change(resource string, change func(*groupEntry)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(g.entry(resource))
}

// begin is for a resource that is about to be looked at, which tells anew what it needs. What is known about an earlier resource of the
// name is forgotten, but for what its members were told.
func (g *groups) begin(resource string, uid types.UID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	entry := g.entry(resource)
	if entry.uid != uid {
		*entry = groupEntry{uid: uid, given: entry.given}
	}
	entry.needs = ""
}

// forget forgets a resource, and returns whose role that may change.
func (g *groups) forget(resource string) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	entry, ok := g.resources[resource]
	delete(g.resources, resource)
	if !ok || entry.given == nil || len(entry.given.roles) == 0 {
		return nil
	}
	return entry.given.members
}

// saw takes a group that an answer showed; at is when the call ended.
func (g *groups) saw(group upstreamGroup, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.byID[group.id] = sighted(group, at)
}

// found takes the answer that there is a group.
func (g *groups) found(resource string) {
	g.change(resource, func(entry *groupEntry) { entry.doubtful, entry.absent = false, "" })
}

// identify notes what the group of a resource is known by; empty is that it has none.
func (g *groups) identify(resource, id string) {
	g.change(resource, func(entry *groupEntry) { entry.id = id })
}

// missed takes the answer that there is no group of the name.
func (g *groups) missed(resource, displayName string) {
	g.change(resource, func(entry *groupEntry) { entry.doubtful, entry.absent = false, v1alpha1.FoldDisplayName(displayName) })
}

// lost takes the answer that there is no such group.
func (g *groups) lost(resource, id string, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.byID[id] = sighting{gone: true, at: at}
	entry := g.entry(resource)
	entry.id, entry.doubtful = "", false
}

// doubt marks that the outcome of a change is unknown.
func (g *groups) doubt(resource string) {
	g.change(resource, func(entry *groupEntry) { entry.doubtful, entry.absent = true, "" })
}

// observe returns what is known about the group of a resource: by the id that it has, else by its name.
func (g *groups) observe(resource, id, displayName string) observedGroup {
	entry := g.look(resource)
	if entry.doubtful {
		return observedGroup{doubtful: true}
	}
	g.mu.Lock()
	seen, known := g.byID[id]
	g.mu.Unlock()
	if known && !seen.gone {
		return observedGroup{group: &seen.group, known: true}
	}
	if id != "" && !known {
		return observedGroup{}
	}
	if group, known := g.named(displayName); known {
		return observedGroup{group: &group, known: true}
	}
	return observedGroup{known: entry.absent == v1alpha1.FoldDisplayName(displayName)}
}

// named returns the group that has a displayName at LambdaTest, as far as it is known: of several, the one that was seen last.
func (g *groups) named(displayName string) (upstreamGroup, bool) {
	folded := v1alpha1.FoldDisplayName(displayName)
	g.mu.Lock()
	defer g.mu.Unlock()
	var last sighting
	for _, seen := range g.byID {
		if !seen.gone && seen.name == folded && (last.group.id == "" || seen.at.After(last.at)) {
			last = seen
		}
	}
	return last.group, last.group.id != ""
}

// get returns a group by its id.
func (g *groups) get(id string) (upstreamGroup, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	seen, known := g.byID[id]
	return seen.group, known && !seen.gone
}

// holders are the resources that are known to have a group.
func (g *groups) holders(id string) []string {
	return g.where(func(entry *groupEntry) bool { return entry.id == id })
}

// where lists the resources of which something holds.
func (g *groups) where(holds func(*groupEntry) bool) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var found []string
	for resource, entry := range g.resources {
		if holds(entry) {
			found = append(found, resource)
		}
	}
	return found
}

// wanted tells whether there is any resource that is pushed: else what LambdaTest has is of no use.
func (g *groups) wanted() bool {
	return len(g.where(func(entry *groupEntry) bool { return entry.given != nil && entry.given.pushed })) > 0
}

// replace takes a complete listing, and returns the resources whose group differs from what was known before. What was read or lost after
// the listing began is newer.
func (g *groups) replace(listing map[string]upstreamGroup, begun time.Time) (changed []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	differs := map[string]bool{}
	for id, seen := range g.byID {
		if _, listed := listing[id]; !listed && seen.at.Before(begun) {
			delete(g.byID, id)
			differs[id] = !seen.gone
		}
	}
	for id, group := range listing {
		before, known := g.byID[id]
		if known && !before.at.Before(begun) {
			continue
		}
		differs[id] = !known || before.gone || !before.group.equal(group)
		g.byID[id] = sighted(group, begun)
	}
	for resource, entry := range g.resources {
		entry.absent = ""
		if entry.id != "" && differs[entry.id] {
			changed = append(changed, resource)
		}
	}
	return changed
}

func (g upstreamGroup) equal(other upstreamGroup) bool {
	return g.displayName == other.displayName && slices.Equal(g.roles, other.roles) && slices.Equal(g.members, other.members)
}

// contribute notes what a resource gives now, and returns whose role that may change.
func (g *groups) contribute(resource string, now contribution, fresh bool) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	entry := g.entry(resource)
	before := entry.given
	entry.given = &now
	if before == nil {
		if !fresh {
			// After a restart everybody is looked at anyway.
			return nil
		}
		before = &contribution{}
	}
	if slices.Equal(before.roles, now.roles) && before.pushed == now.pushed {
		if len(now.roles) == 0 {
			return nil
		}
		return append(missing(before.members, now.members), missing(now.members, before.members)...)
	}
	return append(slices.Clone(before.members), missing(now.members, before.members)...)
}

// listOpen returns the places in the lane of resources for which something is to be done.
func (g *groups) listOpen() []string {
	places := g.where(func(entry *groupEntry) bool { return entry.open })
	for i, resource := range places {
		places[i] = groupPlace(resource)
	}
	return places
}

// awaits returns the resources that wait for somebody's account, and for how many accounts each.
func (g *groups) awaits(user string) map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting := map[string]int{}
	for resource, entry := range g.resources {
		if _, waits := slices.BinarySearch(entry.awaits, user); waits {
			waiting[resource] = len(entry.awaits)
		}
	}
	return waiting
}

// givenRole is the highest role that LambdaTest's groups give an account.
func (g *groups) givenRole(account string) v1alpha1.Role {
	g.mu.Lock()
	defer g.mu.Unlock()
	var best v1alpha1.Role
	for _, seen := range g.byID {
		if _, member := slices.BinarySearch(seen.group.members, account); !member {
			continue
		}
		for _, role := range seen.group.roles {
			if v1alpha1.Role(role).Rank() > best.Rank() {
				best = v1alpha1.Role(role)
			}
		}
	}
	return best
}
