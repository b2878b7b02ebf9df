// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// MembersOf lists the members of a group, folded, each once, in order.
func MembersOf(group *v1alpha1.LambdaTestGroup) []string {
	users := make([]string, len(group.Spec.Members))
	for i, member := range group.Spec.Members {
		users[i] = v1alpha1.FoldUserName(member)
	}
	slices.Sort(users)
	return slices.Compact(users)
}

// MemberKey is the person whom a member of a group is.
func MemberKey(group *v1alpha1.LambdaTestGroup, user string) PersonKey {
	return PersonKey{Namespace: group.Namespace, Organization: group.Spec.OrganizationRef.Name, UserName: user}
}

// FamilyOf is what all groups of one organization and displayName have in common. Only one of them is carried out.
func FamilyOf(group *v1alpha1.LambdaTestGroup) string {
	return group.Spec.OrganizationRef.Name + separator + v1alpha1.FoldDisplayName(group.Spec.DisplayName)
}

// GroupReference names a group as status does.
func GroupReference(group *v1alpha1.LambdaTestGroup) string {
	return v1alpha1.GroupKind + "/" + group.Name
}

// IsGroupInForce tells whether a group still gives roles. A group that is being deleted does until its finalizer is gone, so that the
// guard can hold the demotion.
func IsGroupInForce(group *v1alpha1.LambdaTestGroup) bool {
	return group.DeletionTimestamp.IsZero() || controllerutil.ContainsFinalizer(group, v1alpha1.Finalizer)
}

// LeaderOf is the group of a displayName that is carried out; nil when none is in force. A group whose members the cache leaves out does not
// lead yet: another one stays in force until they are there.
func LeaderOf(family []*v1alpha1.LambdaTestGroup) *v1alpha1.LambdaTestGroup {
	var leader *v1alpha1.LambdaTestGroup
	for _, group := range family {
		if IsGroupInForce(group) && !group.HasMembersLeftOut() && (leader == nil || ByPrecedence(group, leader) < 0) {
			leader = group
		}
	}
	return leader
}

// Highest is the role that groups give a person: the highest of all that any of them sets; of equals, the first by precedence decides.
// Groups of the identity provider give maxRole at most.
func Highest(groups []*v1alpha1.LambdaTestGroup, maxRole v1alpha1.Role) GroupRole {
	var best GroupRole
	for _, group := range groups {
		for _, role := range RolesGiven(group, maxRole) {
			ahead := cmp.Compare(role.Rank(), best.role.Rank())
			if ahead > 0 || ahead == 0 && best.Group != nil && ByPrecedence(group, best.Group) < 0 {
				best = GroupRole{role: role, From: GroupReference(group), Group: group}
			}
		}
	}
	return best
}

// RolesGiven are the roles that a group gives, each once: those of its spec, or maxRole instead of a higher one if it is the identity
// provider's.
func RolesGiven(group *v1alpha1.LambdaTestGroup, maxRole v1alpha1.Role) []v1alpha1.Role {
	if maxRole == "" || !v1alpha1.IsSCIM(group) {
		return group.Spec.Roles
	}
	var given []v1alpha1.Role
	for _, role := range group.Spec.Roles {
		if role = capped(role, group, maxRole); !slices.Contains(given, role) {
			given = append(given, role)
		}
	}
	return given
}

// GroupRoles answers which role groups give to whom.
type GroupRoles struct {
	Reader client.Reader
	// MaxRole is the highest role that groups of the identity provider give; empty is no limit.
	MaxRole v1alpha1.Role
}

// Of returns the role that groups give a person. The group that is left out, if any, counts as gone.
func (r GroupRoles) Of(ctx context.Context, key PersonKey, leftOut *v1alpha1.LambdaTestGroup) (GroupRole, error) {
	groups, err := ListGroups(ctx, r.Reader, key.Namespace, client.MatchingFields{roleGiverIndex: shareOf(key.Organization, key.UserName)})
	if err != nil {
		return GroupRole{}, err
	}
	var leading []*v1alpha1.LambdaTestGroup
	for _, group := range groups {
		if SameGroup(group, leftOut) || !HasMember(group, key.UserName) {
			continue
		}
		family, err := r.Family(ctx, group)
		if err != nil {
			return GroupRole{}, err
		}
		family = slices.DeleteFunc(family, func(other *v1alpha1.LambdaTestGroup) bool { return SameGroup(other, leftOut) })
		if SameGroup(group, LeaderOf(family)) {
			leading = append(leading, group)
		}
	}
	return Highest(leading, r.MaxRole), nil
}

// Family lists the groups of one displayName, the group itself among them.
func (r GroupRoles) Family(ctx context.Context, group *v1alpha1.LambdaTestGroup) ([]*v1alpha1.LambdaTestGroup, error) {
	return ListGroups(ctx, r.Reader, group.Namespace, client.MatchingFields{displayNameIndex: FamilyOf(group)})
}

// SameGroup tells whether both are the same resource; nil is never the same.
func SameGroup(a, b *v1alpha1.LambdaTestGroup) bool {
	return a != nil && b != nil && a.Name == b.Name && a.Namespace == b.Namespace
}

// ListGroups lists groups. They are the cache's own: copy one before changing it.
func ListGroups(ctx context.Context, reader client.Reader, namespace string, fields client.MatchingFields) ([]*v1alpha1.LambdaTestGroup, error) {
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

// RolesByPerson is what GroupRoles answers, for all people at once and from a list instead of a cache.
func RolesByPerson(groups []*v1alpha1.LambdaTestGroup, maxRole v1alpha1.Role) map[PersonKey]GroupRole {
	families := map[string][]*v1alpha1.LambdaTestGroup{}
	for _, group := range groups {
		family := group.Namespace + "/" + FamilyOf(group)
		families[family] = append(families[family], group)
	}
	leading := map[PersonKey][]*v1alpha1.LambdaTestGroup{}
	for _, family := range families {
		leader := LeaderOf(family)
		if leader == nil {
			continue
		}
		for _, user := range MembersOf(leader) {
			key := MemberKey(leader, user)
			leading[key] = append(leading[key], leader)
		}
	}
	roles := map[PersonKey]GroupRole{}
	for key, groups := range leading {
		roles[key] = Highest(groups, maxRole)
	}
	return roles
}

// GroupIDKey is what groups are indexed by: ids are those of one organization.
func GroupIDKey(group *v1alpha1.LambdaTestGroup, id string) string {
	return group.Spec.OrganizationRef.Name + "/" + id
}

// SameDisplayName tells whether LambdaTest takes two displayNames for one.
func SameDisplayName(a, b string) bool {
	return a == b || v1alpha1.FoldDisplayName(a) == v1alpha1.FoldDisplayName(b)
}

// GroupRequests are the requests to reconcile each group of an organization.
func GroupRequests(ctx context.Context, reader client.Reader, organization types.NamespacedName) ([]reconcile.Request, error) {
	groups, err := ListGroups(ctx, reader, organization.Namespace, client.MatchingFields{GroupOrganizationIndex: organization.Name})
	requests := make([]reconcile.Request, len(groups))
	for i, group := range groups {
		requests[i] = reconcile.Request{NamespacedName: client.ObjectKeyFromObject(group)}
	}
	return requests, err
}
