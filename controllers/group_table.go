// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// groups is what is in memory about the groups of an organization: those that LambdaTest has, and what LambdaTestGroups contribute.
type groups struct {
	mu sync.Mutex
	// byID are LambdaTest's own, and when each was read.
	byID   map[string]upstreamGroup
	readAt map[string]time.Time
	// gone are ids that LambdaTest no longer knew when it was asked.
	gone map[string]struct{}
	// ids are what the groups of resources are known by, which a status may not have yet: whoever renames a resource right after its group
	// was created must not get another group.
	ids map[string]string
	// absent are the displayNames, folded, that were looked up for resources and not found, until the next listing. Who waits for a turn
	// to create a group need not spend it on another lookup.
	absent map[string]string
	// doubtful are resources for which a change was sent, and nobody knows what came of it.
	doubtful map[string]struct{}
	// contributions are what each resource gave to whom when its members were last told.
	contributions map[string]contribution
	// met are resources that this process has seen alive: what LambdaTest has of them is known, or is in status.
	met map[string]struct{}
	// open are resources for which something is to be done.
	open map[string]struct{}
	// awaiting are the resources that wait for somebody's account.
	awaiting map[string]map[string]struct{}
}

// contribution is what a resource gives to its members.
type contribution struct {
	// pushed says that the group is LambdaTest's, too.
	pushed  bool
	groupID string
	roles   []string
	// members are folded userNames, in order; none while another resource of the same displayName is carried out.
	members []string
}

func newGroups() *groups {
	return &groups{
		ids: map[string]string{}, byID: map[string]upstreamGroup{}, readAt: map[string]time.Time{}, gone: map[string]struct{}{}, doubtful: map[string]struct{}{}, absent: map[string]string{},
		contributions: map[string]contribution{}, met: map[string]struct{}{}, open: map[string]struct{}{}, awaiting: map[string]map[string]struct{}{},
	}
}

// saw takes a group that an answer showed; readAt is when the call ended.
func (g *groups) saw(resource string, group upstreamGroup, readAt time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.byID[group.id], g.readAt[group.id], g.ids[resource] = group, readAt, group.id
	delete(g.gone, group.id)
	delete(g.doubtful, resource)
	delete(g.absent, resource)
}

// identify notes what the group of a resource is known by; empty is that it has none.
func (g *groups) identify(resource, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ids[resource] = id
}

// idOf is what the group of a resource is known by: empty if there is none, or nobody knows.
func (g *groups) idOf(resource string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ids[resource]
}

// missed takes the answer that there is no group of the name.
func (g *groups) missed(resource, displayName string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.doubtful, resource)
	g.absent[resource] = v1alpha1.FoldDisplayName(displayName)
}

// lost takes the answer that there is no such group.
func (g *groups) lost(resource, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.byID, id)
	delete(g.readAt, id)
	delete(g.ids, resource)
	delete(g.doubtful, resource)
	g.gone[id] = struct{}{}
}

// doubt marks that nobody knows what became of a change.
func (g *groups) doubt(resource string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.doubtful[resource] = struct{}{}
	delete(g.absent, resource)
}

// observe returns what is known about the group of a resource: by the id that it had, else by its name.
func (g *groups) observe(resource, id, displayName string) observedGroup {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, doubtful := g.doubtful[resource]; doubtful {
		return observedGroup{doubtful: true}
	}
	if group, ok := g.byID[id]; ok {
		return observedGroup{group: &group, known: true}
	}
	if _, gone := g.gone[id]; id != "" && !gone {
		return observedGroup{}
	}
	folded := v1alpha1.FoldDisplayName(displayName)
	for _, group := range g.byID {
		if v1alpha1.FoldDisplayName(group.displayName) == folded {
			return observedGroup{group: &group, known: true}
		}
	}
	return observedGroup{known: g.absent[resource] == folded}
}

// get returns a group by its id.
func (g *groups) get(id string) (upstreamGroup, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	group, ok := g.byID[id]
	return group, ok
}

// wanted tells whether there is any resource that is pushed: else nobody needs to know what LambdaTest has.
func (g *groups) wanted() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.contributions {
		if c.pushed {
			return true
		}
	}
	return false
}

// replace takes a complete listing, and returns the resources whose group differs from what was known before.
func (g *groups) replace(listing map[string]upstreamGroup, begun time.Time) (changed []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	differs := map[string]bool{}
	clear(g.absent)
	for id := range g.byID {
		if _, listed := listing[id]; !listed && g.readAt[id].Before(begun) {
			delete(g.byID, id)
			delete(g.readAt, id)
			differs[id] = true
		}
	}
	for id, group := range listing {
		before, known := g.byID[id]
		if known && !g.readAt[id].Before(begun) {
			continue
		}
		differs[id] = !known || !before.equal(group)
		g.byID[id], g.readAt[id] = group, begun
		delete(g.gone, id)
	}
	for resource, c := range g.contributions {
		if differs[c.groupID] {
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
	before, known := g.contributions[resource]
	g.contributions[resource] = now
	if !known && !fresh {
		// After a restart everybody is looked at anyway.
		return nil
	}
	if slices.Equal(before.roles, now.roles) && before.pushed == now.pushed {
		if len(now.roles) == 0 {
			return nil
		}
		return append(missing(before.members, now.members), missing(now.members, before.members)...)
	}
	return append(slices.Clone(before.members), missing(now.members, before.members)...)
}

// withdraw forgets a resource, and returns whose role that may change.
func (g *groups) withdraw(resource string) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.contributions[resource]
	delete(g.contributions, resource)
	delete(g.ids, resource)
	delete(g.open, resource)
	delete(g.met, resource)
	delete(g.absent, resource)
	delete(g.doubtful, resource)
	if len(before.roles) == 0 {
		return nil
	}
	return before.members
}

// meet notes that a resource was seen alive, or that there is certainly nothing of it at LambdaTest.
func (g *groups) meet(resource string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.met[resource] = struct{}{}
}

func (g *groups) hasMet(resource string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, met := g.met[resource]
	return met
}

// setOpen notes whether something is to be done for a resource.
func (g *groups) setOpen(resource string, open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if open {
		g.open[resource] = struct{}{}
	} else {
		delete(g.open, resource)
	}
}

// listOpen returns the places in the lane of resources for which something is to be done.
func (g *groups) listOpen() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var places []string
	for resource := range g.open {
		places = append(places, groupPlace(resource))
	}
	return places
}

// await notes whose accounts a resource waits for.
func (g *groups) await(resource string, users []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for user, waiting := range g.awaiting {
		if delete(waiting, resource); len(waiting) == 0 {
			delete(g.awaiting, user)
		}
	}
	for _, user := range users {
		if g.awaiting[user] == nil {
			g.awaiting[user] = map[string]struct{}{}
		}
		g.awaiting[user][resource] = struct{}{}
	}
}

// awaited counts whose accounts are waited for.
func (g *groups) awaited() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.awaiting)
}

// givenRole is the highest role that LambdaTest's groups give an account.
func (g *groups) givenRole(account string) v1alpha1.Role {
	g.mu.Lock()
	defer g.mu.Unlock()
	var best v1alpha1.Role
	for _, group := range g.byID {
		if _, member := slices.BinarySearch(group.members, account); !member {
			continue
		}
		for _, role := range group.roles {
			if v1alpha1.Role(role).Rank() > best.Rank() {
				best = v1alpha1.Role(role)
			}
		}
	}
	return best
}

// awaits returns who waits for somebody's account.
func (g *groups) awaits(user string) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Keys(g.awaiting[user]))
}
