// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"slices"
)

// groupDraft is the new content of a group.
type groupDraft struct {
	displayName string
	roles       []string
	members     []*account
}

func (d *groupDraft) setRoles(doc document) error {
	roles, err := texts(doc["LambdatestRoles"])
	if err != nil {
		return err
	}
	for _, role := range roles {
		if rank(role) == 0 {
			return invalidValue("LambdatestRoles are Admin, User or Guest")
		}
	}
	d.roles = roles
	return nil
}

// carry gives the group the content of the draft, and recomputes the roles of the
// members that are affected.
func (o *Org) carry(g *group, draft groupDraft) {
	moving := differing(g.members, draft.members)
	touched := moving
	if !slices.Equal(g.roles, draft.roles) {
		touched = distinct(slices.Concat(g.members, draft.members))
	}
	before := make(map[*account]string, len(touched))
	for _, a := range touched {
		before[a] = a.roleFromGroups()
	}
	formerName := g.displayName
	delete(o.named, fold(g.displayName))
	g.displayName, g.roles = draft.displayName, draft.roles
	o.named[fold(g.displayName)] = g
	g.enrol(draft.members)
	g.change, g.modified = o.world.nextChange(), o.world.now()
	for _, a := range touched {
		o.recompute(a, before[a])
	}
	for _, a := range moving {
		o.assignMember(a)
	}
	if g.displayName != formerName {
		o.renameMapping(g)
		o.assignMembers(g)
	}
}

func (g *group) enrol(members []*account) {
	for _, a := range g.members {
		delete(a.groups, g)
	}
	for _, a := range members {
		a.groups[g] = struct{}{}
	}
	g.members = members
}

// differing returns the accounts that are in only one of the lists.
func differing(a, b []*account) []*account {
	lists := make(map[*account]int, len(a))
	for _, member := range slices.Concat(a, b) {
		lists[member]++
	}
	all := distinct(slices.Concat(a, b))
	return slices.DeleteFunc(all, func(member *account) bool { return lists[member] > 1 })
}

// roleFromGroups is the highest role of all memberships; empty when none gives one.
func (a *account) roleFromGroups() string {
	highest := ""
	for g := range a.groups {
		for _, role := range g.roles {
			if rank(role) > rank(highest) {
				highest = role
			}
		}
	}
	return highest
}

// recompute sets the role from the groups: the highest role of all memberships, or
// User after the account left its last group with a role. Groups without a role do
// not change the account's role.
func (o *Org) recompute(a *account, before string) {
	role := a.roleFromGroups()
	if role == "" && before == "" {
		return
	}
	a.role = cmp.Or(role, "User")
	if rank(a.ownRole) > rank(a.role) && o.meets(ownRoleAgainstGroups) == higherWins {
		a.role = a.ownRole
	}
	a.change = o.world.nextChange()
}

// giveRole gives the account a role of its own, in place of a custom one.
func (o *Org) giveRole(a *account, role string) {
	a.ownRole, a.customRole, a.role = role, "", role
	groups := a.roleFromGroups()
	if groups == "" || groups == role {
		return
	}
	switch o.meets(ownRoleAgainstGroups) {
	case groupsWin:
		a.role = groups
	case higherWins:
		if rank(groups) > rank(role) {
			a.role = groups
		}
	}
}

// rank orders roles; 0 means no role.
func rank(role string) int {
	return slices.Index([]string{"Guest", "User", "Admin"}, role) + 1
}
