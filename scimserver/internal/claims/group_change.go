// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"maps"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// GroupChange is what a request wants of a group that exists.
type GroupChange struct {
	// apply turns the group's attributes into the wanted ones. hidden tells which members the provider is not shown: what replaces
	// the members replaces those who were shown.
	apply func(current scim.Object, hidden func(id string) bool) (scim.Object, error)
	// deltas, when not nil, are all that the request says of members, and apply says nothing of them: then a group of 10 000 need not
	// be taken apart to add one.
	deltas       []memberDelta
	Precondition func(*v1alpha1.LambdaTestGroup) error
}

// On decides what becomes of a group's spec: everything that was asked for, or an error and nothing.
func (c GroupChange) On(group *v1alpha1.LambdaTestGroup, rules GroupRules, hidden func(id string) bool) (v1alpha1.LambdaTestGroupSpec, error) {
	spec := group.Spec
	spec.Roles = slices.Clone(spec.Roles)
	if c.Precondition != nil {
		if err := c.Precondition(group); err != nil {
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
func (c GroupChange) whole(spec *v1alpha1.LambdaTestGroupSpec, rules GroupRules, hidden func(id string) bool) error {
	before := rules.roster(spec.Members)
	wanted, err := c.apply(groupAttributes(spec).With("members", before.attribute()), hidden)
	if err != nil {
		return err
	}
	if err := rules.store(wanted, spec); err != nil {
		return err
	}
	members, err := rules.members(wanted.List("members"), before)
	if err == nil && !slices.Equal(spec.Members, members) {
		spec.Members = members
	}
	return err
}

// PutGroup is a PUT. What it does not mention of displayName, externalId, members and the extension it keeps.
func PutGroup(body map[string]any) (GroupChange, error) {
	given, err := GroupType.Read(body)
	if err != nil {
		return GroupChange{}, err
	}
	if _, mentioned := given["displayName"]; mentioned && given["displayName"] == nil {
		return GroupChange{}, problem.BadValue("displayName is required")
	}
	return GroupChange{apply: func(current scim.Object, hidden func(string) bool) (scim.Object, error) {
		wanted, assigned := maps.Clone(current), given.Assigned()
		for name := range given {
			wanted = wanted.With(name, assigned[name])
		}
		if _, mentioned := given["members"]; !mentioned {
			return wanted, nil
		}
		return withHidden(current, wanted, hidden), nil
	}}, nil
}

// withHidden adds the members of before that the provider is not shown.
func withHidden(before, after scim.Object, hidden func(string) bool) scim.Object {
	members := slices.Clone(after.List("members"))
	for _, member := range before.List("members") {
		if o, ok := member.(scim.Object); ok && hidden(o.Text("value")) {
			members = append(members, o)
		}
	}
	if len(members) == 0 {
		return after.With("members", nil)
	}
	return after.With("members", members)
}

// PatchGroup is a PATCH.
func PatchGroup(operations []scim.Operation) GroupChange {
	deltas, others, simple := splitDeltas(operations)
	if !simple {
		return GroupChange{apply: applyAll(operations)}
	}
	return GroupChange{apply: applyAll(others), deltas: deltas}
}

// RemoveMember is a change that takes a person out of a group, and nothing if they are not in it.
func RemoveMember(id string) GroupChange {
	return GroupChange{
		apply:  func(current scim.Object, _ func(string) bool) (scim.Object, error) { return current, nil },
		deltas: []memberDelta{{remove: true, ids: []string{id}}},
	}
}

func applyAll(operations []scim.Operation) func(scim.Object, func(string) bool) (scim.Object, error) {
	return func(current scim.Object, hidden func(string) bool) (scim.Object, error) {
		for i, o := range operations {
			next, err := GroupType.Apply(current, i, o)
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
func replacesMembers(o scim.Operation) bool {
	if path := strings.TrimSpace(o.Path); path != "" && !strings.EqualFold(path, groupSchema) {
		target, err := GroupType.Target(path)
		isMembers := err == nil && target.Attribute != nil && target.Attribute.Name == "members"
		return isMembers && target.Where == nil && (o.Verb == scim.Replace || o.Verb == scim.Remove && o.Value == nil)
	}
	fields, _ := o.Value.(map[string]any)
	given, _ := GroupType.Read(fields)
	_, mentioned := given["members"]
	return mentioned && o.Verb == scim.Replace
}

// PostGroup is what a POST creates.
func PostGroup(body map[string]any, rules GroupRules) (v1alpha1.LambdaTestGroupSpec, error) {
	var spec v1alpha1.LambdaTestGroupSpec
	given, err := GroupType.Read(body)
	if err != nil {
		return spec, err
	}
	wanted := given.Assigned()
	if err := rules.store(wanted, &spec); err != nil {
		return spec, err
	}
	spec.Members, err = rules.members(wanted.List("members"), roster{})
	return spec, err
}

// ChangedGroupFields names the attributes in which two specs differ.
func ChangedGroupFields(before, after *v1alpha1.LambdaTestGroupSpec) []string {
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
