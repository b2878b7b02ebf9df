// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// EntityKind is what a group can be mapped to.
type EntityKind string

// The kinds of entities.
const (
	// Team is additive: an account can be in several. It is made and renamed
	// with the group.
	Team EntityKind = "team"
	// ConcurrencyGroup is exclusive. It is made and renamed with the group;
	// accounts that leave fall back to the default one.
	ConcurrencyGroup EntityKind = "concurrencyGroup"
	// SubOrganization is exclusive, and never made or renamed by itself. Its
	// members leave the parent, and come back when they leave the group.
	SubOrganization EntityKind = "subOrganization"
)

// MappingState says whether a mapping assigns members.
type MappingState string

// The states of a mapping.
const (
	// Pending assigns no further member; those who are assigned stay.
	Pending MappingState = "Pending"
	// Approved by a person: members are assigned.
	Approved MappingState = "Approved"
	// AutoApproved by a rule: members are assigned.
	AutoApproved MappingState = "Auto-Approved"
	// Rejected: no member is assigned.
	Rejected MappingState = "Rejected"
)

// Mapping is what the vendor's console makes of a group. SCIM does not show it.
type Mapping struct {
	// Kind and Target name the entity; both are empty before the first mapping.
	Kind   EntityKind   `json:"kind,omitempty"`
	Target string       `json:"target,omitempty"`
	State  MappingState `json:"state"`
	// TargetDeleted: the entity was deleted, and the mapping waits for a person.
	TargetDeleted bool `json:"targetDeleted,omitempty"`
	// Assigned are the userNames of the members that the entity has.
	Assigned []string `json:"assigned"`
}

// Rule maps groups whose names match, when they are created or renamed.
type Rule struct {
	// Type is "prefix" (without case), "regex" or "all".
	Type    string `json:"type"`
	Pattern string `json:"pattern,omitempty"`
	// Priority: the highest rule that matches decides.
	Priority int        `json:"priority"`
	Kind     EntityKind `json:"kind"`
	// AutoApprove takes the entity of the group's name, and makes it if it can.
	AutoApprove bool `json:"autoApprove"`
}

// Conflict is an account in two groups whose mappings exclude each other. The
// account stays in the current one until Resolve.
type Conflict struct {
	UserName string `json:"userName"`
	Current  string `json:"current"`
	Incoming string `json:"incoming"`
}

// console is what administrators set in the vendor's console.
type console struct {
	rules     []Rule
	teams     map[string]string // custom role by name of the team
	subOrgs   map[string]*Org
	decisions map[contest]*group
	due       map[*account]time.Time // when a mapping sets its concurrency group back
}

// contest is two groups that exclude each other for an account.
type contest struct {
	account       *account
	first, second *group
}

func newConsole() console {
	return console{
		teams:     map[string]string{},
		subOrgs:   map[string]*Org{},
		decisions: map[contest]*group{},
		due:       map[*account]time.Time{},
	}
}

func contestOf(a *account, g, other *group) contest {
	if g.number > other.number {
		g, other = other, g
	}
	return contest{a, g, other}
}

// AddSubOrganization makes a sub-organization, with a token and readings of its
// own; they begin as the parent's.
func (o *Org) AddSubOrganization(name, token string, options ...Option) *Org {
	o.world.Lock()
	defer o.world.Unlock()
	sub := o.world.add(name, token, slices.Concat([]Option{Reads(o.settings)}, options))
	o.console.subOrgs[name] = sub
	return sub
}

// SetTeam makes a team, whose members inherit the custom role unless it is empty.
func (o *Org) SetTeam(name, customRole string) {
	o.world.Lock()
	defer o.world.Unlock()
	o.console.teams[name] = customRole
}

// SetRules replaces the rules. They map groups that are created or renamed
// later, and leave other mappings alone.
func (o *Org) SetRules(rules ...Rule) error {
	for _, rule := range rules {
		if err := rule.check(); err != nil {
			return err
		}
	}
	o.world.Lock()
	defer o.world.Unlock()
	o.console.rules = slices.Clone(rules)
	slices.SortStableFunc(o.console.rules, func(a, b Rule) int { return cmp.Compare(b.Priority, a.Priority) })
	return nil
}

// Rules returns the rules, the highest priority first.
func (o *Org) Rules() []Rule {
	o.world.Lock()
	defer o.world.Unlock()
	return slices.Clone(o.console.rules)
}

func (r Rule) check() error {
	if !slices.Contains([]string{"prefix", "regex", "all"}, r.Type) {
		return invalidValue("the type of a rule is prefix, regex or all")
	}
	if _, err := regexp.Compile(r.Pattern); r.Type == "regex" && err != nil {
		return invalidValue("the pattern is no regular expression: " + err.Error())
	}
	return r.Kind.check()
}

func (k EntityKind) check() error {
	if !slices.Contains([]EntityKind{Team, ConcurrencyGroup, SubOrganization}, k) {
		return invalidValue(fmt.Sprintf("the kind is %s, %s or %s", Team, ConcurrencyGroup, SubOrganization))
	}
	return nil
}

func (r Rule) matches(name string) bool {
	switch r.Type {
	case "prefix":
		return strings.HasPrefix(fold(name), fold(r.Pattern))
	case "regex":
		return regexp.MustCompile(r.Pattern).MatchString(name)
	}
	return true
}

// MapGroup maps a group, as an administrator does; of the mapping, Kind, Target
// and State count, and State is Approved unless set.
func (o *Org) MapGroup(displayName string, mapping Mapping) error {
	mapping.State = cmp.Or(mapping.State, Approved)
	o.world.Lock()
	defer o.world.Unlock()
	g := o.named[fold(displayName)]
	if g == nil {
		return notFound("there is no group " + displayName)
	}
	if err := o.checkMapping(g, mapping); err != nil {
		return err
	}
	if g.mapping.Kind != mapping.Kind || g.mapping.Target != mapping.Target {
		// The former entity loses its members.
		g.mapping.State = Rejected
		o.assignMembers(g)
	}
	o.setMapping(g, mapping.Kind, mapping.Target, mapping.State)
	o.assignMembers(g)
	return nil
}

func (o *Org) checkMapping(g *group, mapping Mapping) error {
	if err := mapping.Kind.check(); err != nil {
		return err
	}
	switch {
	case !slices.Contains([]MappingState{Pending, Approved, AutoApproved, Rejected}, mapping.State):
		return invalidValue("the state is Pending, Approved, Auto-Approved or Rejected")
	case mapping.Target == "":
		return invalidValue("target is required")
	case mapping.Kind == SubOrganization && o.console.subOrgs[mapping.Target] == nil:
		return invalidValue("there is no sub-organization " + mapping.Target)
	case o.ownerOf(mapping.Kind, mapping.Target, g) != nil:
		return taken("another group is mapped to it")
	}
	return nil
}

// ownerOf returns the group that is mapped to an entity, other than g.
func (o *Org) ownerOf(kind EntityKind, target string, g *group) *group {
	for _, other := range o.groups {
		m := other.mapping
		if other != g && m.Kind == kind && m.Target == target && m.State != Rejected {
			return other
		}
	}
	return nil
}

// setMapping writes a mapping, and makes the entity where LambdaTest does.
func (o *Org) setMapping(g *group, kind EntityKind, target string, state MappingState) {
	g.mapping = Mapping{Kind: kind, Target: target, State: state}
	if !g.mapping.assigns() {
		return
	}
	g.approved = o.world.nextChange()
	switch kind {
	case Team:
		if _, exists := o.console.teams[target]; !exists {
			o.console.teams[target] = ""
		}
	case ConcurrencyGroup:
		o.concurrencyGroups[target] = true
	}
}

// Mappings returns the mapping of every living group by its displayName.
func (o *Org) Mappings() map[string]Mapping {
	o.world.Lock()
	defer o.world.Unlock()
	o.settle()
	all := make(map[string]Mapping, len(o.groups))
	for _, g := range o.groups {
		mapping := g.mapping
		mapping.State = cmp.Or(mapping.State, Pending)
		mapping.Assigned = []string{}
		for _, a := range g.members {
			if a.assigned[g] {
				mapping.Assigned = append(mapping.Assigned, a.userName)
			}
		}
		all[g.displayName] = mapping
	}
	return all
}

// DeleteTarget deletes the entity that a group is mapped to. Its members are
// unassigned; the mapping is Pending until MapGroup.
func (o *Org) DeleteTarget(displayName string) error {
	o.world.Lock()
	defer o.world.Unlock()
	g := o.named[fold(displayName)]
	if g == nil || g.mapping.Kind == "" || g.mapping.TargetDeleted {
		return notFound("nothing is mapped to the group " + displayName)
	}
	g.mapping.State, g.mapping.TargetDeleted = Pending, true
	o.assignMembers(g)
	switch g.mapping.Kind {
	case Team:
		delete(o.console.teams, g.mapping.Target)
	case ConcurrencyGroup:
		delete(o.concurrencyGroups, g.mapping.Target)
	case SubOrganization:
		delete(o.console.subOrgs, g.mapping.Target)
	}
	return nil
}

// Conflicts returns the conflicts that are not resolved.
func (o *Org) Conflicts() []Conflict {
	o.world.Lock()
	defer o.world.Unlock()
	conflicts := []Conflict{}
	for _, incoming := range o.groups {
		for _, a := range incoming.members {
			for _, current := range o.rivals(a, incoming) {
				if incoming.mapping.assigns() && !a.assigned[incoming] && o.console.decisions[contestOf(a, incoming, current)] == nil {
					conflicts = append(conflicts, Conflict{a.userName, current.displayName, incoming.displayName})
				}
			}
		}
	}
	return conflicts
}

// Resolve keeps the current assignment, or uses the incoming one. The decision
// is remembered for these groups and this account.
func (o *Org) Resolve(conflict Conflict, useIncoming bool) error {
	o.world.Lock()
	defer o.world.Unlock()
	a := o.world.names[fold(conflict.UserName)]
	current, incoming := o.named[fold(conflict.Current)], o.named[fold(conflict.Incoming)]
	if a == nil || current == nil || incoming == nil || !slices.Contains(o.rivals(a, incoming), current) {
		return notFound("there is no such conflict")
	}
	winner := current
	if useIncoming {
		winner = incoming
	}
	o.console.decisions[contestOf(a, current, incoming)] = winner
	o.assignMember(a)
	return nil
}
