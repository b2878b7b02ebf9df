// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"maps"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// groupChange is what a request wants of a group that exists.
type groupChange struct {
	// apply turns the group's attributes into the wanted ones. hidden tells which members the provider is not shown: what replaces
	// the members replaces those who were shown.
	apply func(current object, hidden func(id string) bool) (object, error)
	// deltas, when not nil, are all that the request says of members, and apply says nothing of them: then a group of 10 000 need not
	// be taken apart to add one.
	deltas       []memberDelta
	precondition func(*v1alpha1.LambdaTestGroup) error
}

// on decides what becomes of a group's spec: everything that was asked for, or an error and nothing.
func (c groupChange) on(group *v1alpha1.LambdaTestGroup, rules groupRules, hidden func(id string) bool) (v1alpha1.LambdaTestGroupSpec, error) {
	spec := group.Spec
	spec.Roles = slices.Clone(spec.Roles)
	if c.precondition != nil {
		if err := c.precondition(group); err != nil {
			return spec, err
		}
	}
	if c.deltas == nil {
		return spec, c.whole(&spec, rules, hidden)
	}
	wanted, err := c.apply(groupAttributes(&spec), hidden)
	if err != nil {
		return spec, err
	}
	if err := rules.store(wanted, &spec); err != nil {
		return spec, err
	}
	spec.Members, err = rules.amend(spec.Members, c.deltas)
	return spec, err
}

// whole applies a change that may say anything of the members.
func (c groupChange) whole(spec *v1alpha1.LambdaTestGroupSpec, rules groupRules, hidden func(id string) bool) error {
	before := rosterOf(rules.organization, spec.Members)
	wanted, err := c.apply(groupAttributes(spec).with("members", before.attribute()), hidden)
	if err != nil {
		return err
	}
	if err := rules.store(wanted, spec); err != nil {
		return err
	}
	members, err := rules.members(wanted.list("members"), before)
	if err == nil && !slices.Equal(spec.Members, members) {
		spec.Members = members
	}
	return err
}

// replaceGroup is a PUT. What it does not mention of displayName, externalId, members and the extension it keeps.
func replaceGroup(body map[string]any) (groupChange, error) {
	given, err := groupType.readBody(body)
	if err != nil {
		return groupChange{}, err
	}
	if _, mentioned := given["displayName"]; mentioned && given["displayName"] == nil {
		return groupChange{}, problem.BadValue("displayName is required")
	}
	return groupChange{apply: func(current object, hidden func(string) bool) (object, error) {
		wanted, assigned := maps.Clone(current), given.assigned()
		for name := range given {
			wanted = wanted.with(name, assigned[name])
		}
		if _, mentioned := given["members"]; !mentioned {
			return wanted, nil
		}
		return withHidden(current, wanted, hidden), nil
	}}, nil
}

// withHidden adds the members of before that the provider is not shown.
func withHidden(before, after object, hidden func(string) bool) object {
	members := slices.Clone(after.list("members"))
	for _, member := range before.list("members") {
		if o, ok := member.(object); ok && hidden(o.text("value")) {
			members = append(members, o)
		}
	}
	if len(members) == 0 {
		return after.with("members", nil)
	}
	return after.with("members", members)
}

// patchGroup is a PATCH.
func patchGroup(operations []operation) groupChange {
	deltas, others, simple := splitDeltas(operations)
	if !simple {
		return groupChange{apply: applyAll(operations)}
	}
	return groupChange{apply: applyAll(others), deltas: deltas}
}

// removeMember is a change that takes a person out of a group, and nothing if they are not in it.
func removeMember(id string) groupChange {
	return groupChange{
		apply:  func(current object, _ func(string) bool) (object, error) { return current, nil },
		deltas: []memberDelta{{remove: true, ids: []string{id}}},
	}
}

func applyAll(operations []operation) func(object, func(string) bool) (object, error) {
	return func(current object, hidden func(string) bool) (object, error) {
		for i, o := range operations {
			next, err := groupType.apply(current, i, o)
			if err != nil {
				return nil, err
			}
			if replacesMembers(o) {
				next = withHidden(current, next, hidden)
			}
			current = next
		}
		return current, nil
	}
}

// replacesMembers tells whether an operation speaks of all members, and not of those it names.
func replacesMembers(o operation) bool {
	if path := strings.TrimSpace(o.path); path != "" && !strings.EqualFold(path, groupSchema) {
		target, err := groupType.target(path)
		isMembers := err == nil && target.attribute != nil && target.attribute.name == "members"
		return isMembers && target.where == nil && (o.verb == opReplace || o.verb == opRemove && o.value == nil)
	}
	fields, _ := o.value.(map[string]any)
	given, _ := groupType.readBody(fields)
	_, mentioned := given["members"]
	return mentioned && o.verb == opReplace
}

// newGroup is what a POST creates.
func newGroup(body map[string]any, rules groupRules) (v1alpha1.LambdaTestGroupSpec, error) {
	var spec v1alpha1.LambdaTestGroupSpec
	given, err := groupType.readBody(body)
	if err != nil {
		return spec, err
	}
	wanted := given.assigned()
	if err := rules.store(wanted, &spec); err != nil {
		return spec, err
	}
	spec.Members, err = rules.members(wanted.list("members"), roster{})
	return spec, err
}

// changedGroupFields names the attributes in which two specs differ.
func changedGroupFields(before, after *v1alpha1.LambdaTestGroupSpec) []string {
	var changed []string
	for _, field := range []struct {
		name string
		same bool
	}{
		{"displayName", before.DisplayName == after.DisplayName},
		{"externalId", before.ExternalID == after.ExternalID},
		{"members", slices.Equal(before.Members, after.Members)},
		{lambdatestRolesName, sameRoles(before.Roles, after.Roles)},
	} {
		if !field.same {
			changed = append(changed, field.name)
		}
	}
	return changed
}
