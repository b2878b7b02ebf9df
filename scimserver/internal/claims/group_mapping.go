// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// maxMembers is the limit of the resource's schema.
const maxMembers = 25_000

// GroupView shows a LambdaTestGroup as attributes, with those of its members that a provider may see.
type GroupView struct {
	Group *v1alpha1.LambdaTestGroup
	// Members finds those of its members whom the provider may see; it is asked only when they are wanted.
	Members func(*v1alpha1.LambdaTestGroup) []Member
	Base    string

	members   any // evaluated once, for all terms of a filter
	evaluated bool
}

// Member is a member: the resource has the UserName, SCIM the id.
type Member struct{ ID, UserName string }

var (
	plainGroupSchemas    = []any{groupSchema}
	extendedGroupSchemas = []any{groupSchema, groupExtension}
)

// Value returns the value of the attribute with that canonical path.
func (v *GroupView) Value(path string) any {
	spec := &v.Group.Spec
	switch path {
	case "schemas":
		if len(spec.Roles) == 0 {
			return plainGroupSchemas
		}
		return extendedGroupSchemas
	case "id":
		return v.Group.Name
	case "externalId":
		return some(spec.ExternalID)
	case "displayName":
		return spec.DisplayName
	case "members":
		return v.memberElements()
	case groupExtension + ":" + lambdatestRolesName, groupExtension:
		return roleValues(spec.Roles)
	case "meta.version":
		if shown, _ := v.members.(scim.Elements); v.evaluated && len(shown) < len(spec.Members) {
			return versionWith(v.Group, shown)
		}
		return ETag(v.Group)
	default:
		return metaValue(GroupType, v.Group, v.Base, path)
	}
}

func roleValues(roles []v1alpha1.Role) any {
	if len(roles) == 0 {
		return nil
	}
	values := make([]any, 0, len(roles))
	for _, role := range roles {
		values = append(values, string(role))
	}
	return values
}

func (v *GroupView) memberElements() any {
	if v.evaluated {
		return v.members
	}
	members := v.Members(v.Group)
	list := make(scim.Elements, 0, len(members))
	for i := range members {
		list = append(list, memberElement{&members[i], v.Base})
	}
	v.members, v.evaluated = valueOf(list), true
	return v.members
}

type memberElement struct {
	member *Member
	base   string
}

func (e memberElement) Value(name string) any {
	switch name {
	case "value":
		return e.member.ID
	case "$ref":
		return e.base + UserType.Endpoint + "/" + e.member.ID
	case "display":
		return some(e.member.UserName)
	case "type":
		return UserType.Name
	default:
		return nil
	}
}

// groupAttributes returns what a provider may write of a group but its members, as PATCH works on it.
func groupAttributes(spec *v1alpha1.LambdaTestGroupSpec) scim.Object {
	o := scim.Object{"displayName": some(spec.DisplayName), "externalId": some(spec.ExternalID)}
	if roles := roleValues(spec.Roles); roles != nil {
		o[groupExtension] = scim.Object{lambdatestRolesName: roles}
	}
	return o.Assigned()
}

// GroupRules are what storing a group depends on.
type GroupRules struct {
	MaxRole v1alpha1.Role
	// ID returns the SCIM id of the person with that UserName.
	ID func(userName string) string
	// CheckDisplayName fails when another group has that displayName, and when that cannot be found out.
	CheckDisplayName func(displayName string) error
	// UserNames finds the people behind ids that the group does not have yet. It fails, naming an id that SCIM does not know.
	UserNames func(ids []string) (map[string]string, error)
	// Hidden finds out which of the members with these ids the provider is not shown. It fails when that cannot be found out.
	Hidden func(ids []string) (map[string]bool, error)
	// Room, unless nil, reserves what the group takes after a change, and fails when that is more than the organization may store.
	Room func(before, after *v1alpha1.LambdaTestGroupSpec) error
}

// store writes attributes other than the members into a spec, and only differences.
func (r GroupRules) store(o scim.Object, spec *v1alpha1.LambdaTestGroupSpec) error {
	name := o.Text("displayName")
	if err := possibleDisplayName(name); err != nil {
		return err
	}
	if v1alpha1.FoldDisplayName(name) != v1alpha1.FoldDisplayName(spec.DisplayName) {
		if err := r.CheckDisplayName(name); err != nil {
			return err
		}
	}
	if utf8.RuneCountInString(o.Text("externalId")) > 256 {
		return problem.BadValue("externalId has more than 256 characters")
	}
	roles, err := r.roles(o.Inner(groupExtension).List(lambdatestRolesName), spec.Roles)
	if err != nil {
		return err
	}
	spec.DisplayName = name
	spec.ExternalID = o.Text("externalId")
	if !sameRoles(spec.Roles, roles) {
		spec.Roles = roles
	}
	return nil
}

func possibleDisplayName(name string) error {
	switch {
	case name == "":
		return problem.BadValue("displayName is required")
	case utf8.RuneCountInString(name) > 256:
		return problem.BadValue("displayName has more than 256 characters")
	case strings.TrimSpace(name) != name || strings.ContainsFunc(name, isControl):
		return problem.BadValue("displayName must not begin or end with white space, nor hold control characters")
	}
	return nil
}

func (r GroupRules) roles(values []any, before []v1alpha1.Role) ([]v1alpha1.Role, error) {
	var roles []v1alpha1.Role
	for _, value := range values {
		text, _ := value.(string)
		role := v1alpha1.Role(text)
		if slices.Contains(roles, role) {
			continue
		}
		if r.MaxRole != "" && role.Rank() > r.MaxRole.Rank() && !slices.Contains(before, role) {
			return nil, problem.BadValue("%s %s is more than this organization lets its identity provider give: %s at most",
				lambdatestRolesName, role, r.MaxRole)
		}
		roles = append(roles, role)
	}
	return roles, nil
}

// sameRoles: the order of roles means nothing, so a change of it is none.
func sameRoles(a, b []v1alpha1.Role) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(role v1alpha1.Role) bool { return !slices.Contains(b, role) })
}

// orNil keeps an empty list from differing from none.
func orNil(members []string) []string {
	if len(members) == 0 {
		return nil
	}
	return members
}
