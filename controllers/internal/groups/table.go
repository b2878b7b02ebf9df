// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package groups

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Table is what is in memory about the groups of an organization: one entry for each resource, and one for each id at LambdaTest.
type Table struct {
	mu        sync.Mutex
	resources map[string]*Entry
	byID      map[string]sighting
}

// Entry is what is known about one LambdaTestGroup. Forgetting the resource is forgetting its entry.
type Entry struct {
	// UID tells a resource from a later one of the same name.
	UID types.UID
	// ID is the group's at LambdaTest. The status may lack it: a resource that is renamed right after its group was created must not get
	// another group.
	ID string
	// absent is the displayName, folded, that was looked up and not found, until the next listing: once the lane grants a call, the group is
	// created without another lookup.
	absent string
	// doubtful says that a change was sent, and that its outcome is unknown.
	doubtful bool
	// Met says that this process has seen the resource alive, or that LambdaTest certainly has nothing of it.
	Met bool
	// Open says that something is to be done.
	Open bool
	// given is what the resource gave its members when they were last requeued; nil before.
	given *Contribution
	// Awaits are the folded userNames, in order, of the members who have no account yet.
	Awaits []string
	// Needs is the displayName, folded, that the group of another resource has and that this one waits for.
	Needs string
	// DuplicateSince is since when another resource of the displayName is carried out instead; zero when none is.
	DuplicateSince time.Time
}

// sighting is what LambdaTest said about one id: a group, or that there is none.
type sighting struct {
	group Group
	// name is the displayName, folded.
	name string
	gone bool
	at   time.Time
}

func sighted(group Group, at time.Time) sighting {
	return sighting{group: group, name: v1alpha1.FoldDisplayName(group.DisplayName), at: at}
}

// Contribution is what a resource gives to its members.
type Contribution struct {
	// Pushed says that the group is LambdaTest's, too.
	Pushed bool
	Roles  []string
	// Members are folded userNames, in order; none while another resource of the same displayName is carried out.
	Members []string
}

// New returns a table in which nothing is known.
func New() *Table {
	return &Table{resources: map[string]*Entry{}, byID: map[string]sighting{}}
}

// entry returns the entry of a resource, a new one if there is none.
func (g *Table) entry(resource string) *Entry {
	entry, ok := g.resources[resource]
	if !ok {
		entry = &Entry{}
		g.resources[resource] = entry
	}
	return entry
}

// Get returns a copy of the entry of a resource.
func (g *Table) Get(resource string) Entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	if entry, ok := g.resources[resource]; ok {
		return *entry
	}
	return Entry{}
}

// Change changes the entry of a resource.
func (g *Table) Change(resource string, change func(*Entry)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(g.entry(resource))
}

// Begin precedes a reconcile of a resource, which finds out anew what the resource needs. What is known about an earlier resource of the name
// is forgotten, except what it gave its members.
func (g *Table) Begin(resource string, uid types.UID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	entry := g.entry(resource)
	if entry.UID != uid {
		*entry = Entry{UID: uid, given: entry.given}
	}
	entry.Needs = ""
}

// Forget forgets a resource, and returns the people whose role that may change.
func (g *Table) Forget(resource string) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	entry, ok := g.resources[resource]
	delete(g.resources, resource)
	if !ok || entry.given == nil || len(entry.given.Roles) == 0 {
		return nil
	}
	return entry.given.Members
}

// Saw takes a group that an answer showed; at is when the call ended.
func (g *Table) Saw(group Group, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.byID[group.ID] = sighted(group, at)
}

// Found takes the answer that there is a group.
func (g *Table) Found(resource string) {
	g.Change(resource, func(entry *Entry) { entry.doubtful, entry.absent = false, "" })
}

// Identify notes the id of a resource's group; empty means that it has none.
func (g *Table) Identify(resource, id string) {
	g.Change(resource, func(entry *Entry) { entry.ID = id })
}

// Missed takes the answer that there is no group of the name.
func (g *Table) Missed(resource, displayName string) {
	g.Change(resource, func(entry *Entry) { entry.doubtful, entry.absent = false, v1alpha1.FoldDisplayName(displayName) })
}

// Lost takes the answer that there is no such group.
func (g *Table) Lost(resource, id string, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.byID[id] = sighting{gone: true, at: at}
	entry := g.entry(resource)
	entry.ID, entry.doubtful = "", false
}

// Doubt marks that the outcome of a change is unknown.
func (g *Table) Doubt(resource string) {
	g.Change(resource, func(entry *Entry) { entry.doubtful, entry.absent = true, "" })
}

// Observe returns what is known about the group of a resource: by the id that it has, else by its name.
func (g *Table) Observe(resource, id, displayName string) Observed {
	entry := g.Get(resource)
	if entry.doubtful {
		return Observed{Doubtful: true}
	}
	g.mu.Lock()
	seen, known := g.byID[id]
	g.mu.Unlock()
	if known && !seen.gone {
		return Observed{Group: &seen.group, Known: true}
	}
	if id != "" && !known {
		return Observed{}
	}
	if group, named := g.Named(displayName); named {
		return Observed{Group: &group, Known: true}
	}
	return Observed{Known: entry.absent == v1alpha1.FoldDisplayName(displayName)}
}

// Named returns the group that has a displayName at LambdaTest, as far as it is known: of several, the one that was seen last.
func (g *Table) Named(displayName string) (Group, bool) {
	folded := v1alpha1.FoldDisplayName(displayName)
	g.mu.Lock()
	defer g.mu.Unlock()
	var last sighting
	for _, seen := range g.byID {
		if !seen.gone && seen.name == folded && (last.group.ID == "" || seen.at.After(last.at)) {
			last = seen
		}
	}
	return last.group, last.group.ID != ""
}

// ByID returns a group by its id.
func (g *Table) ByID(id string) (Group, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	seen, known := g.byID[id]
	return seen.group, known && !seen.gone
}

// Holders are the resources whose group has that id.
func (g *Table) Holders(id string) []string {
	return g.Where(func(entry *Entry) bool { return entry.ID == id })
}

// Where lists the resources for which holds returns true.
func (g *Table) Where(holds func(*Entry) bool) []string {
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

// Wanted tells whether any resource is pushed. Without one, nothing needs to be known of LambdaTest's groups.
func (g *Table) Wanted() bool {
	return len(g.Where(func(entry *Entry) bool { return entry.given != nil && entry.given.Pushed })) > 0
}

// Replace takes a listing, and returns the resources whose group differs from what was known before. What was read or lost after the listing
// began is newer. Of a listing that is not complete only what it shows counts: a group that it lacks may exist.
func (g *Table) Replace(listing map[string]Group, begun time.Time, complete bool) (changed []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	differs := map[string]bool{}
	for id, seen := range g.byID {
		if _, listed := listing[id]; complete && !listed && seen.at.Before(begun) {
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
		if complete {
			entry.absent = ""
		}
		if entry.ID != "" && differs[entry.ID] {
			changed = append(changed, resource)
		}
	}
	return changed
}

func (g Group) equal(other Group) bool {
	return g.DisplayName == other.DisplayName && slices.Equal(g.Roles, other.Roles) && slices.Equal(g.Members, other.Members)
}

// Contribute notes what a resource gives now, and returns the people whose role that may change.
func (g *Table) Contribute(resource string, now Contribution, fresh bool) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	entry := g.entry(resource)
	before := entry.given
	entry.given = &now
	if before == nil {
		if !fresh {
			// After a restart all people are reconciled anyway.
			return nil
		}
		before = &Contribution{}
	}
	if slices.Equal(before.Roles, now.Roles) && before.Pushed == now.Pushed {
		if len(now.Roles) == 0 {
			return nil
		}
		return append(Missing(before.Members, now.Members), Missing(now.Members, before.Members)...)
	}
	return append(slices.Clone(before.Members), Missing(now.Members, before.Members)...)
}

// ListOpen returns the places in the lane of resources for which something is to be done.
func (g *Table) ListOpen() []string {
	places := g.Where(func(entry *Entry) bool { return entry.Open })
	for i, resource := range places {
		places[i] = Place(resource)
	}
	return places
}

// Awaits returns the resources that wait for a person's account, and for how many accounts each waits.
func (g *Table) Awaits(user string) map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting := map[string]int{}
	for resource, entry := range g.resources {
		if _, waits := slices.BinarySearch(entry.Awaits, user); waits {
			waiting[resource] = len(entry.Awaits)
		}
	}
	return waiting
}

// GivenRole is the highest role that LambdaTest's groups give an account.
func (g *Table) GivenRole(account string) v1alpha1.Role {
	g.mu.Lock()
	defer g.mu.Unlock()
	var best v1alpha1.Role
	for _, seen := range g.byID {
		if _, member := slices.BinarySearch(seen.group.Members, account); !member {
			continue
		}
		for _, role := range seen.group.Roles {
			if v1alpha1.Role(role).Rank() > best.Rank() {
				best = v1alpha1.Role(role)
			}
		}
	}
	return best
}
