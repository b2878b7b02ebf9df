// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

const (
	schemaGroup          = "urn:ietf:params:scim:schemas:core:2.0:Group"
	schemaGroupExtension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group"
)

// group is a group of accounts. A deleted group is kept under its name.
type group struct {
	id          string
	number      int // the id
	change      int // number of the last change
	org         *Org
	displayName string
	roles       []string
	members     []*account
	created     time.Time
	modified    time.Time
	mapping     Mapping
	approved    int // number of the change that let the mapping assign members
}

// postGroup creates a group, or restores a deleted group of the same name: with
// its id, unless the reading says otherwise, but without its members.
func (o *Org) postGroup(in request) (reply, error) {
	draft, err := o.readGroup(in, groupDraft{})
	if err != nil {
		return reply{}, err
	}
	if draft.displayName == "" {
		return reply{}, invalidValue("displayName is required")
	}
	if o.named[fold(draft.displayName)] != nil {
		return reply{}, taken("a group of that displayName exists")
	}
	g := o.restoreOrNew(draft.displayName)
	o.carry(g, draft)
	return reply{status: http.StatusCreated, body: o.oneGroup(g)}, nil
}

func (o *Org) restoreOrNew(displayName string) *group {
	g := o.deleted[fold(displayName)]
	restored := g != nil
	if !restored {
		g = &group{org: o, created: o.world.now()}
	}
	if !restored || o.meets(restoredGroup) == newID {
		g.id, g.number = o.world.nextID()
	}
	delete(o.deleted, fold(displayName))
	o.groups = append(o.groups, g)
	slices.SortFunc(o.groups, func(a, b *group) int { return cmp.Compare(a.number, b.number) })
	o.groupIDs[g.id] = g
	g.displayName = displayName
	o.mapByRules(g)
	return g
}

func (o *Org) getGroup(in request) (reply, error) {
	g, err := o.groupWithID(in.id)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: o.oneGroup(g)}, nil
}

func (o *Org) listGroups(in request) (reply, error) {
	asked, err := o.windowOf(in)
	if err != nil {
		return reply{}, err
	}
	all := o.groups
	if in.query.Has("filter") {
		name, err := filtered(in.query.Get("filter"), "displayName")
		if err != nil {
			return reply{}, err
		}
		all = nil
		if g := o.named[fold(name)]; g != nil {
			all = []*group{g}
		}
	}
	return reply{status: http.StatusOK, body: list(o, asked, all, o.showGroup)}, nil
}

// putGroup replaces all members, and name and roles if given.
func (o *Org) putGroup(in request) (reply, error) {
	return o.changeGroup(in, func(draft groupDraft) (groupDraft, error) {
		draft.members = nil
		return o.readGroup(in, draft)
	})
}

func (o *Org) patchGroup(in request) (reply, error) {
	return o.changeGroup(in, func(draft groupDraft) (groupDraft, error) {
		changes, err := operations(in.body)
		if err != nil {
			return draft, err
		}
		for _, change := range changes {
			if err := o.readGroupChange(change, &draft); err != nil {
				return draft, err
			}
		}
		return draft, nil
	})
}

// deleteGroup deletes softly; the roles of its members are recomputed.
func (o *Org) deleteGroup(in request) (reply, error) {
	if o.switches.GroupsOff {
		return reply{}, groupsOff()
	}
	g, err := o.groupWithID(in.id)
	if err != nil {
		return reply{}, err
	}
	o.retire(g)
	return reply{status: http.StatusNoContent}, nil
}

func (o *Org) retire(g *group) {
	o.carry(g, groupDraft{displayName: g.displayName})
	g.mapping.State = Rejected
	delete(o.named, fold(g.displayName))
	delete(o.groupIDs, g.id)
	o.groups = without(o.groups, g)
	o.deleted[fold(g.displayName)] = g
}

// changeGroup makes all changes to a group, or none.
func (o *Org) changeGroup(in request, change func(groupDraft) (groupDraft, error)) (reply, error) {
	if o.switches.GroupsOff {
		return reply{}, groupsOff()
	}
	g, err := o.groupWithID(in.id)
	if err != nil {
		return reply{}, err
	}
	draft, err := change(groupDraft{g.displayName, g.roles, slices.Clone(g.members)})
	if err != nil {
		return reply{}, err
	}
	if other := o.named[fold(draft.displayName)]; other != nil && other != g {
		return reply{}, taken("a group of that displayName exists")
	}
	o.carry(g, draft)
	return reply{status: http.StatusOK, body: o.oneGroup(g)}, nil
}

func (o *Org) groupWithID(id string) (*group, error) {
	if g := o.groupIDs[id]; g != nil {
		return g, nil
	}
	return nil, notFound("there is no group " + id)
}
