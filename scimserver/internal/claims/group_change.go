// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"context"
	"slices"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// Hidden tells which members of a group the provider is not shown, by id.
type Hidden func(ids []string) (map[string]bool, error)

// GroupChange is what a request wants of a group that exists.
type GroupChange struct {
	// apply turns the group's attributes into the wanted ones. Its members are a memberSet.
	apply        func(ctx context.Context, current scim.Object) (scim.Object, error)
	Precondition func(*v1alpha1.LambdaTestGroup) error
}

// GroupWork is a group to which the changes of several requests are applied, one after the other.
type GroupWork struct {
	// Group is the resource with all changes so far.
	Group   *v1alpha1.LambdaTestGroup
	rules   GroupRules
	members *roster // of Group, once it is needed
}

// WorkOn returns the work on a copy of a group.
func WorkOn(group *v1alpha1.LambdaTestGroup, rules GroupRules) *GroupWork {
	return &GroupWork{Group: group.DeepCopy(), rules: rules}
}

func (w *GroupWork) roster() *roster {
	if w.members == nil {
		w.members = w.rules.rosterOf(w.Group.Spec.Members)
	}
	return w.members
}

// Apply applies a change whole, and returns the names of the changed attributes; or an error, and nothing has changed. It ends early when
// ctx does.
func (w *GroupWork) Apply(ctx context.Context, change GroupChange) (fields []string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if change.Precondition != nil {
		if err := change.Precondition(w.Group); err != nil {
			return nil, err
		}
	}
	spec, set := w.Group.Spec, newMemberSet(w.roster)
	wanted, err := change.apply(ctx, groupAttributes(&spec).With("members", set))
	if err != nil {
		return nil, err
	}
	if err := w.rules.store(wanted, &spec); err != nil {
		return nil, err
	}
	members := w.members
	if set.changed {
		if members, err = set.result(w.rules); err != nil {
			return nil, err
		}
		if members != w.members {
			spec.Members = orNil(members.userNames)
		}
	}
	if w.rules.Room != nil {
		if err := w.rules.Room(&w.Group.Spec, &spec); err != nil {
			return nil, err
		}
	}
	fields = ChangedGroupFields(&w.Group.Spec, &spec)
	w.Group.Spec, w.members = spec, members
	return fields, nil
}

// PutGroup is a PUT. It keeps displayName, externalId, members and the extension where it does not mention them.
func PutGroup(body map[string]any) (GroupChange, error) {
	given, err := GroupType.Read(body)
	if err != nil {
		return GroupChange{}, err
	}
	if name, mentioned := given["displayName"]; mentioned && name == nil {
		return GroupChange{}, problem.BadValue("displayName is required")
	}
	return GroupChange{apply: func(_ context.Context, current scim.Object) (scim.Object, error) {
		wanted, assigned := current, given.Assigned()
		for name := range given {
			if name == "members" {
				ids, _ := assigned[name].(scim.IDs)
				current[name].(scim.Set).Replace(ids)
				continue
			}
			wanted = wanted.With(name, assigned[name])
		}
		return wanted, nil
	}}, nil
}

// PatchGroup is a PATCH.
func PatchGroup(operations []scim.Operation) GroupChange {
	return GroupChange{apply: func(ctx context.Context, current scim.Object) (scim.Object, error) {
		for i, o := range operations {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			var err error
			if current, err = GroupType.Apply(current, i, o); err != nil {
				return nil, err
			}
		}
		return current, nil
	}}
}

// RemoveMember is a change that takes a person out of a group, and nothing if they are not in it.
func RemoveMember(id string) GroupChange {
	return GroupChange{apply: func(_ context.Context, current scim.Object) (scim.Object, error) {
		current["members"].(scim.Set).Remove(scim.IDs{id})
		return current, nil
	}}
}

// PostGroup is what a POST creates.
func PostGroup(body map[string]any, rules GroupRules) (v1alpha1.LambdaTestGroupSpec, error) {
	change, err := PutGroup(body)
	if err != nil {
		return v1alpha1.LambdaTestGroupSpec{}, err
	}
	work := WorkOn(&v1alpha1.LambdaTestGroup{}, rules)
	_, err = work.Apply(context.Background(), change)
	return work.Group.Spec, err
}

// ChangedGroupFields names the attributes in which two specs differ.
func ChangedGroupFields(before, after *v1alpha1.LambdaTestGroupSpec) []string {
	var changed []string
	compare := func(name string, same bool) {
		if !same {
			changed = append(changed, name)
		}
	}
	compare("displayName", before.DisplayName == after.DisplayName)
	compare("externalId", before.ExternalID == after.ExternalID)
	compare("members", slices.Equal(before.Members, after.Members))
	compare(lambdatestRolesName, sameRoles(before.Roles, after.Roles))
	return changed
}
