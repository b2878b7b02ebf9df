// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"slices"
)

type wireGroup struct {
	Schemas     []string           `json:"schemas"`
	ID          string             `json:"id,omitempty"`
	DisplayName string             `json:"displayName"`
	Members     []Member           `json:"members"`
	Extension   wireGroupExtension `json:"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group"`
	Meta        wireMeta           `json:"meta"`
}

type wireGroupExtension struct {
	LambdatestRoles []string `json:"LambdatestRoles"`
}

// oneGroup is an answer about one group; the switch WrongIDs gives it a wrong id.
func (o *Org) oneGroup(g *group) wireGroup {
	shown := o.showGroup(g)
	if o.switches.WrongIDs {
		shown.ID = anotherID(shown.ID)
	}
	return shown
}

func (o *Org) showGroup(g *group) wireGroup {
	shown := wireGroup{
		Schemas:     []string{schemaGroup, schemaGroupExtension},
		ID:          g.id,
		DisplayName: g.displayName,
		Members:     o.showMembers(g),
		Extension:   wireGroupExtension{append([]string{}, g.roles...)},
		Meta:        wireMeta{"Group", g.created.UTC(), g.modified.UTC()},
	}
	if o.switches.MissingIDs {
		shown.ID = ""
	}
	return shown
}

func (o *Org) showMembers(g *group) []Member {
	members := make([]Member, 0, len(g.members))
	for _, a := range g.members {
		members = append(members, Member{ID: a.id, UserName: o.showUserName(a)})
	}
	return members
}

// readGroup reads a POST or PUT into a draft; fields that the body lacks keep their value.
func (o *Org) readGroup(in request, draft groupDraft) (groupDraft, error) {
	if o.switches.GroupsOff {
		return draft, groupsOff()
	}
	doc, err := parse(in.body, schemaGroup)
	if err != nil {
		return draft, err
	}
	if name, err := doc.text("displayName"); err != nil {
		return draft, err
	} else if name != nil {
		draft.displayName = *name
	}
	if err := o.readRoles(doc, &draft); err != nil {
		return draft, err
	}
	members, err := o.readMembers(doc)
	draft.members = members
	return draft, err
}

func (o *Org) readRoles(doc document, draft *groupDraft) error {
	extension, err := doc.object(schemaGroupExtension)
	if err != nil || !extension.has("LambdatestRoles") {
		return err
	}
	return draft.setRoles(extension)
}

// readMembers reads the ids of a list of members; each must be of this
// organization, or have been moved from it to a sub-organization.
func (o *Org) readMembers(doc document) ([]*account, error) {
	entries, err := objects(doc["members"])
	if err != nil {
		return nil, err
	}
	members := make([]*account, 0, len(entries))
	for _, entry := range entries {
		id, err := entry.text("value")
		if err != nil || id == nil {
			return nil, invalidValue("a member must have a value, which is the id of a user")
		}
		member := o.world.accounts[*id]
		if member == nil || member.org != o && member.home != o {
			return nil, invalidValue("a member is no user of this organization: " + *id)
		}
		members = append(members, member)
	}
	return distinct(members), nil
}

func distinct(members []*account) []*account {
	seen := make(map[*account]bool, len(members))
	return slices.DeleteFunc(members, func(a *account) bool {
		again := seen[a]
		seen[a] = true
		return again
	})
}

// readGroupChange reads one operation of a PATCH: the documented pairs of op
// and path, nothing else.
func (o *Org) readGroupChange(change patchOperation, draft *groupDraft) error {
	switch change.op + " " + change.path {
	case "Add members", "Remove members":
		return o.readMemberChange(change, draft)
	case "Replace displayName":
		name, err := change.set("displayName").text("displayName")
		if err != nil || name == nil || *name == "" {
			return invalidValue("displayName is not a name")
		}
		draft.displayName = *name
		return nil
	case "Replace " + schemaGroupExtension + ":LambdatestRoles":
		return draft.setRoles(change.set("LambdatestRoles"))
	}
	return &problem{http.StatusBadRequest, "invalidPath", "cannot be changed: " + change.op + " " + change.path}
}

func (o *Org) readMemberChange(change patchOperation, draft *groupDraft) error {
	if !change.set("members").has("members") {
		return invalidValue("members must be a list of values")
	}
	members, err := o.readMembers(change.set("members"))
	if err != nil {
		return err
	}
	if change.op == "Add" {
		draft.members = distinct(append(draft.members, members...))
		return nil
	}
	going := make(map[*account]bool, len(members))
	for _, a := range members {
		going[a] = true
	}
	draft.members = slices.DeleteFunc(draft.members, func(a *account) bool { return going[a] })
	return nil
}
