// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

const (
	groupSchema    = "urn:ietf:params:scim:schemas:core:2.0:Group"
	groupExtension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group"

	rolesPath = groupExtension + ":LambdatestRoles"
)

type wireGroup struct {
	Schemas     []string            `json:"schemas"`
	ID          string              `json:"id,omitempty"`
	DisplayName string              `json:"displayName"`
	Members     []wireMember        `json:"members"`
	Extension   *wireGroupExtension `json:"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group,omitempty"`
}

type wireMember struct {
	Value   string `json:"value"`
	Display string `json:"display,omitempty"`
}

type wireGroupExtension struct {
	LambdatestRoles []string `json:"LambdatestRoles"`
}

// newWireGroup is the body of a creation and of a replacement. It always contains
// the roles, so that a replacement can remove them.
func newWireGroup(group Group) wireGroup {
	ids := make([]string, 0, len(group.Members))
	for _, member := range group.Members {
		ids = append(ids, member.ID)
	}
	return wireGroup{
		Schemas:     []string{groupSchema, groupExtension},
		DisplayName: group.DisplayName,
		Members:     newWireMembers(ids),
		Extension:   &wireGroupExtension{LambdatestRoles: append([]string{}, group.Roles...)},
	}
}

func newWireMembers(ids []string) []wireMember {
	members := make([]wireMember, 0, len(ids))
	for _, id := range ids {
		members = append(members, wireMember{Value: id})
	}
	return members
}

// group converts the answer; the second result says what is missing, or "".
func (w wireGroup) group() (Group, string) {
	switch {
	case !isOpaqueID(w.ID):
		return Group{}, "the answer shows a group without id"
	case w.DisplayName == "":
		return Group{}, "the answer shows a group without displayName"
	}
	group := Group{ID: w.ID, DisplayName: w.DisplayName}
	if w.Extension != nil {
		group.Roles = w.Extension.LambdatestRoles
	}
	for _, member := range w.Members {
		if !isDecimal(member.Value) {
			return Group{}, "the answer shows a member without a numeric id"
		}
		group.Members = append(group.Members, Member{ID: member.Value, UserName: member.Display})
	}
	return group, ""
}

func groupPatch(change GroupChange) wirePatch {
	patch := wirePatch{Schemas: []string{patchSchema}}
	if change.DisplayName != nil {
		patch.replace("displayName", *change.DisplayName)
	}
	if change.Roles != nil {
		patch.replace(rolesPath, append([]string{}, *change.Roles...))
	}
	patch.members("Remove", change.RemoveMembers)
	patch.members("Add", change.AddMembers)
	return patch
}

func (p *wirePatch) members(op string, ids []string) {
	if len(ids) > 0 {
		p.Operations = append(p.Operations, wireOperation{Op: op, Path: "members", Value: newWireMembers(ids)})
	}
}
