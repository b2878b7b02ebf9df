// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Field indexes of LambdaTestGroups in the cache.
const (
	memberIndex            = "iam.lambdatest.io/member"
	displayNameIndex       = "iam.lambdatest.io/display-name"
	groupOrganizationIndex = "iam.lambdatest.io/group-organization"
	groupIDIndex           = "iam.lambdatest.io/group-id"
)

// groupIndexers are the field indexes of LambdaTestGroups by name. Whose groups a person is in is one lookup, whatever their size.
func groupIndexers() map[string]client.IndexerFunc {
	return map[string]client.IndexerFunc{
		memberIndex: func(object client.Object) []string {
			group := object.(*v1alpha1.LambdaTestGroup)
			members := membersOf(group)
			for i, user := range members {
				members[i] = memberKey(group, user).indexValue()
			}
			return members
		},
		displayNameIndex: func(object client.Object) []string {
			return []string{familyOf(object.(*v1alpha1.LambdaTestGroup))}
		},
		groupOrganizationIndex: func(object client.Object) []string {
			return []string{object.(*v1alpha1.LambdaTestGroup).Spec.OrganizationRef.Name}
		},
		groupIDIndex: func(object client.Object) []string {
			group := object.(*v1alpha1.LambdaTestGroup)
			return []string{groupIDKey(group, group.Status.GroupID)}
		},
	}
}

// addGroupIndexes tells the cache which fields groups are looked up by.
func addGroupIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	for name, extract := range groupIndexers() {
		if err := indexer.IndexField(ctx, &v1alpha1.LambdaTestGroup{}, name, extract); err != nil {
			return fmt.Errorf("indexing %s: %w", name, err)
		}
	}
	return nil
}

// membersOf lists the members of a group, folded, each once, in order.
func membersOf(group *v1alpha1.LambdaTestGroup) []string {
	users := make([]string, len(group.Spec.Members))
	for i, member := range group.Spec.Members {
		users[i] = v1alpha1.FoldUserName(member)
	}
	slices.Sort(users)
	return slices.Compact(users)
}

func memberKey(group *v1alpha1.LambdaTestGroup, user string) PersonKey {
	return PersonKey{Namespace: group.Namespace, Organization: group.Spec.OrganizationRef.Name, UserName: user}
}

// familyOf is what all groups of one organization and displayName have in common. Only one of them is carried out.
func familyOf(group *v1alpha1.LambdaTestGroup) string {
	return group.Spec.OrganizationRef.Name + "/" + v1alpha1.FoldDisplayName(group.Spec.DisplayName)
}

// groupReference names a group as status does.
func groupReference(group *v1alpha1.LambdaTestGroup) string {
	return v1alpha1.GroupKind + "/" + group.Name
}

// byGroupPrecedence orders groups of one displayName: declared before SCIM's, the oldest first, then by name.
func byGroupPrecedence(a, b *v1alpha1.LambdaTestGroup) int {
	rank := func(group *v1alpha1.LambdaTestGroup) int {
		if v1alpha1.IsDeclared(group) {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(rank(a), rank(b)),
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Name, b.Name),
	)
}

// counts tells whether a group is there: one that is being deleted is until it was let go, so that the guard can hold what it gives.
func groupCounts(group *v1alpha1.LambdaTestGroup) bool {
	return group.DeletionTimestamp.IsZero() || controllerutil.ContainsFinalizer(group, v1alpha1.Finalizer)
}

// leaderOf is the group of a displayName that is carried out; nil when none is.
func leaderOf(family []*v1alpha1.LambdaTestGroup) *v1alpha1.LambdaTestGroup {
	var leader *v1alpha1.LambdaTestGroup
	for _, group := range family {
		if groupCounts(group) && (leader == nil || byGroupPrecedence(group, leader) < 0) {
			leader = group
		}
	}
	return leader
}

// highest is the role that groups give a person: the highest of all that any of them sets; of equals, the first by precedence decides.
func highest(groups []*v1alpha1.LambdaTestGroup) groupRole {
	var best groupRole
	for _, group := range groups {
		for _, role := range group.Spec.Roles {
			ahead := cmp.Compare(role.Rank(), best.role.Rank())
			if ahead > 0 || ahead == 0 && best.group != nil && byGroupPrecedence(group, best.group) < 0 {
				best = groupRole{role: role, from: groupReference(group), group: group}
			}
		}
	}
	return best
}

// groupRoles answers which role groups give to whom.
type groupRoles struct{ reader client.Reader }

// of returns the role that groups give a person. The group that is left out, if any, counts as gone.
func (r groupRoles) of(ctx context.Context, key PersonKey, leftOut *v1alpha1.LambdaTestGroup) (groupRole, error) {
	groups, err := listGroups(ctx, r.reader, key.Namespace, client.MatchingFields{memberIndex: key.indexValue()})
	if err != nil {
		return groupRole{}, err
	}
	var leading []*v1alpha1.LambdaTestGroup
	for _, group := range groups {
		if len(group.Spec.Roles) == 0 || isSame(group, leftOut) {
			continue
		}
		family, err := r.family(ctx, group)
		if err != nil {
			return groupRole{}, err
		}
		family = slices.DeleteFunc(family, func(other *v1alpha1.LambdaTestGroup) bool { return isSame(other, leftOut) })
		if isSame(group, leaderOf(family)) {
			leading = append(leading, group)
		}
	}
	return highest(leading), nil
}

// family lists the groups of one displayName, the group itself among them.
func (r groupRoles) family(ctx context.Context, group *v1alpha1.LambdaTestGroup) ([]*v1alpha1.LambdaTestGroup, error) {
	return listGroups(ctx, r.reader, group.Namespace, client.MatchingFields{displayNameIndex: familyOf(group)})
}

func isSame(a, b *v1alpha1.LambdaTestGroup) bool {
	return a != nil && b != nil && a.Name == b.Name && a.Namespace == b.Namespace
}

// listGroups lists groups. They are the cache's own: whoever changes one makes a copy first.
func listGroups(ctx context.Context, reader client.Reader, namespace string, fields client.MatchingFields) ([]*v1alpha1.LambdaTestGroup, error) {
	var list v1alpha1.LambdaTestGroupList
	if err := reader.List(ctx, &list, client.InNamespace(namespace), fields, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing groups: %w", err)
	}
	groups := make([]*v1alpha1.LambdaTestGroup, len(list.Items))
	for i := range list.Items {
		groups[i] = &list.Items[i]
	}
	return groups, nil
}
