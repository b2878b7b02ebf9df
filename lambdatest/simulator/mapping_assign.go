// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// assigns says whether members get what the group is mapped to.
func (m Mapping) assigns() bool {
	return m.State == Approved || m.State == AutoApproved
}

// keeps says whether members who are assigned stay so.
func (m Mapping) keeps() bool {
	return m.State != Rejected && !m.TargetDeleted
}

// mapByRules maps a group that was created or restored.
func (o *Org) mapByRules(g *group) {
	g.mapping = Mapping{State: Pending}
	rule, matched := o.ruleFor(g)
	if !matched {
		return
	}
	if rule.AutoApprove && o.canTake(g, rule.Kind) {
		o.setMapping(g, rule.Kind, g.displayName, AutoApproved)
		return
	}
	g.mapping.Kind = rule.Kind
}

func (o *Org) ruleFor(g *group) (Rule, bool) {
	for _, rule := range o.console.rules {
		if rule.matches(g.displayName) {
			return rule, true
		}
	}
	return Rule{}, false
}

// canTake says whether a rule may take the entity of the group's name, or make it.
func (o *Org) canTake(g *group, kind EntityKind) bool {
	exists := kind != SubOrganization || o.console.subOrgs[g.displayName] != nil
	return exists && o.ownerOf(kind, g.displayName, g) == nil
}

// renameMapping follows the new name of a group: teams and concurrency groups
// are renamed, and rules run again. They never overwrite what a person has
// approved; what a rule has approved falls back to Pending, unless a rule
// approves the new name for the same kind.
func (o *Org) renameMapping(g *group) {
	if g.mapping.Target == "" && !g.mapping.TargetDeleted {
		o.mapByRules(g)
		return
	}
	if g.mapping.assigns() && g.mapping.Kind != SubOrganization {
		o.renameTarget(g)
	}
	if g.mapping.State != AutoApproved {
		return
	}
	rule, matched := o.ruleFor(g)
	if !matched || !rule.AutoApprove || rule.Kind != g.mapping.Kind {
		g.mapping.State = Pending
	}
}

func (o *Org) renameTarget(g *group) {
	from, to := g.mapping.Target, g.displayName
	g.mapping.Target = to
	if g.mapping.Kind == Team {
		role := o.console.teams[from]
		delete(o.console.teams, from)
		o.console.teams[to] = role
		return
	}
	delete(o.concurrencyGroups, from)
	o.concurrencyGroups[to] = true
	for _, a := range o.accounts {
		if a.concurrencyGroup == from {
			a.concurrencyGroup = to
			a.change = o.world.nextChange()
		}
	}
}

// assignMembers brings the members of a group to where its mapping says.
func (o *Org) assignMembers(g *group) {
	for _, a := range g.members {
		o.assignMember(a)
	}
}

// assignMember takes an account out of what its groups do not keep any more, and
// puts it into what they assign, unless that competes with an assignment.
func (o *Org) assignMember(a *account) {
	for _, g := range inOrder(maps.Keys(a.assigned)) {
		if _, isMember := a.groups[g]; g.org == o && (!isMember || !g.mapping.keeps()) {
			o.unassign(a, g)
		}
	}
	for _, g := range inOrder(maps.Keys(a.groups)) {
		if g.org != o || !g.mapping.assigns() || a.assigned[g] || !o.wins(a, g) {
			continue
		}
		for _, rival := range o.rivals(a, g) {
			o.unassign(a, rival)
		}
		o.assign(a, g)
	}
}

// inOrder puts groups in the order in which their mappings were approved.
func inOrder(groups func(func(*group) bool)) []*group {
	return slices.SortedFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.approved, b.approved), cmp.Compare(a.number, b.number))
	})
}

// rivals are the groups that have the account and exclude g.
func (o *Org) rivals(a *account, g *group) []*group {
	return slices.DeleteFunc(inOrder(maps.Keys(a.assigned)), func(other *group) bool {
		return other == g || other.org != o || !g.mapping.excludes(other.mapping)
	})
}

// excludes: an account has one concurrency group and one sub-organization, and
// in a sub-organization it has nothing of the parent's.
func (m Mapping) excludes(other Mapping) bool {
	if m.Kind == SubOrganization || other.Kind == SubOrganization {
		return true
	}
	return m.Kind == ConcurrencyGroup && other.Kind == ConcurrencyGroup
}

// wins says whether a person has decided every conflict in favour of g.
func (o *Org) wins(a *account, g *group) bool {
	return !slices.ContainsFunc(o.rivals(a, g), func(rival *group) bool {
		return o.console.decisions[contestOf(a, g, rival)] != g
	})
}

func (o *Org) assign(a *account, g *group) {
	if a.assigned == nil {
		a.assigned = map[*group]bool{}
	}
	a.assigned[g] = true
	switch g.mapping.Kind {
	case ConcurrencyGroup:
		a.concurrencyGroup = g.mapping.Target
	case SubOrganization:
		o.moveTo(o.console.subOrgs[g.mapping.Target], a)
	}
	a.change = o.world.nextChange()
}

func (o *Org) unassign(a *account, g *group) {
	delete(a.assigned, g)
	switch g.mapping.Kind {
	case ConcurrencyGroup:
		a.concurrencyGroup = o.defaultConcurrencyGroup
	case SubOrganization:
		o.takeBack(a)
	}
	a.change = o.world.nextChange()
}

// moveTo moves an account to a sub-organization. Its id, role and state go with
// it; its concurrency group does not count there.
func (o *Org) moveTo(sub *Org, a *account) {
	o.accounts = without(o.accounts, a)
	o.moved = append(o.moved, a)
	slices.SortFunc(o.moved, byNumber)
	a.org, a.home = sub, o
	a.concurrencyGroup = sub.defaultConcurrencyGroup
	sub.admit(a)
}

func (o *Org) takeBack(a *account) {
	a.org.accounts = without(a.org.accounts, a)
	o.moved = without(o.moved, a)
	a.org, a.home = o, nil
	a.concurrencyGroup = o.defaultConcurrencyGroup
	o.admit(a)
}

func (o *Org) admit(a *account) {
	place, _ := slices.BinarySearchFunc(o.accounts, a, byNumber)
	o.accounts = slices.Insert(o.accounts, place, a)
}

// customRoleInEffect is the account's own custom role, or that of a team.
func (a *account) customRoleInEffect() string {
	role := a.customRole
	if role != "" || len(a.assigned) == 0 {
		return role
	}
	for _, g := range inOrder(maps.Keys(a.assigned)) {
		if g.mapping.Kind == Team {
			role = cmp.Or(role, g.org.console.teams[g.mapping.Target])
		}
	}
	return role
}

// giveConcurrencyGroup writes a concurrency group, perhaps against a mapping.
func (o *Org) giveConcurrencyGroup(a *account, name string) {
	a.concurrencyGroup = name
	if mapped := a.mappedConcurrencyGroup(); mapped != "" && mapped != name {
		o.meets(concurrencyGroupAgainstMapping)
		o.reassertLater(a)
	}
}

func (a *account) mappedConcurrencyGroup() string {
	for g := range a.assigned {
		if g.mapping.Kind == ConcurrencyGroup {
			return g.mapping.Target
		}
	}
	return ""
}

// reassertLater notes when the mapping sets its concurrency group back.
func (o *Org) reassertLater(a *account) {
	mapped := a.mappedConcurrencyGroup()
	if mapped == "" || mapped == a.concurrencyGroup || o.settings[concurrencyGroupAgainstMapping] != mappingReasserts {
		return
	}
	o.console.due[a] = o.world.now().Add(cmp.Or(time.Duration(o.switches.ReassertAfter), defaultReassertAfter))
}

// settle does what mappings have done since the last call. Nothing runs in the
// background: state changes before the call that could see it.
func (o *Org) settle() {
	for a, due := range o.console.due {
		if o.world.now().Before(due) {
			continue
		}
		delete(o.console.due, a)
		if mapped := a.mappedConcurrencyGroup(); mapped != "" && mapped != a.concurrencyGroup {
			a.concurrencyGroup = mapped
			a.change = o.world.nextChange()
		}
	}
}
