// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import "fmt"

// Groups returns all groups that are not deleted, oldest first, without a call.
func (o *Org) Groups() []Group {
	o.world.Lock()
	defer o.world.Unlock()
	all := make([]Group, 0, len(o.groups))
	for _, g := range o.groups {
		all = append(all, g.export())
	}
	return all
}

// Group returns a group that is not deleted, by its displayName, without a call.
func (o *Org) Group(displayName string) (Group, bool) {
	o.world.Lock()
	defer o.world.Unlock()
	if g := o.named[fold(displayName)]; g != nil {
		return g.export(), true
	}
	return Group{}, false
}

// SetGroup creates or edits a group as a person at LambdaTest would: it gets these
// roles and these members, named by userName. It panics if a member has no account
// in this organization.
func (o *Org) SetGroup(displayName string, roles []string, userNames ...string) Group {
	o.world.Lock()
	defer o.world.Unlock()
	members := make([]*account, 0, len(userNames))
	for _, userName := range userNames {
		a := o.world.names[fold(userName)]
		if a == nil || a.org != o && a.home != o {
			panic(fmt.Sprintf("simulator: %s has no account in %s", userName, o.name))
		}
		members = append(members, a)
	}
	g := o.named[fold(displayName)]
	if g == nil {
		g = o.restoreOrNew(displayName)
	}
	o.carry(g, groupDraft{displayName, roles, distinct(members)})
	return g.export()
}

// RemoveGroup deletes a group softly, as a person at LambdaTest would, and reports
// whether there was one.
func (o *Org) RemoveGroup(displayName string) bool {
	o.world.Lock()
	defer o.world.Unlock()
	g := o.named[fold(displayName)]
	if g == nil {
		return false
	}
	o.retire(g)
	return true
}

func (g *group) export() Group {
	return Group{
		ID:          g.id,
		DisplayName: g.displayName,
		Roles:       append([]string{}, g.roles...),
		Members:     g.exportMembers(),
	}
}

func (g *group) exportMembers() []Member {
	members := make([]Member, 0, len(g.members))
	for _, a := range g.members {
		members = append(members, Member{ID: a.id, UserName: a.userName})
	}
	return members
}
