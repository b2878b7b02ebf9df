// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import (
	"context"
	"net/http"
	"strings"
)

// Group is a group of accounts. It may give them a role. Every write fails with
// IsForbidden while group provisioning is off in the organization.
type Group struct {
	ID          string
	DisplayName string
	// Roles are the roles that members get. An account gets the highest role of
	// all its groups.
	Roles   []string
	Members []Member
}

// Member is an account in a group.
type Member struct {
	// ID is the id of the account.
	ID string
	// UserName is the name that LambdaTest shows; it is not sent.
	UserName string
}

// GroupChange is the change that PatchGroup makes; nil and empty fields change nothing.
type GroupChange struct {
	DisplayName *string
	// Roles replaces all roles; a pointer to an empty list removes them all.
	Roles *[]string
	// AddMembers and RemoveMembers are ids of accounts.
	AddMembers    []string
	RemoveMembers []string
}

// IsEmpty reports whether there is nothing to change, so that no call is needed.
func (c GroupChange) IsEmpty() bool {
	return c.DisplayName == nil && c.Roles == nil && len(c.AddMembers) == 0 && len(c.RemoveMembers) == 0
}

// CreateGroup creates the group, or restores a deleted group of that name without
// its former members. If a group of that name exists, the error is IsConflict.
// ID is ignored.
func (c *Client) CreateGroup(ctx context.Context, group Group) (Group, error) {
	req := call{method: http.MethodPost, route: "/Groups", body: newWireGroup(group)}
	if err := checkGroup(req, group); err != nil {
		return Group{}, err
	}
	return c.group(ctx, req, func(got Group) string {
		if !c.sameUserName(got.DisplayName, group.DisplayName) {
			return "the answer shows another displayName than was created"
		}
		return ""
	})
}

// GetGroup reads one group with all its members.
func (c *Client) GetGroup(ctx context.Context, id string) (Group, error) {
	return c.groupByID(ctx, call{method: http.MethodGet, route: "/Groups/{id}", id: id})
}

// ReplaceGroup replaces name, roles and the whole membership.
func (c *Client) ReplaceGroup(ctx context.Context, id string, group Group) (Group, error) {
	req := call{method: http.MethodPut, route: "/Groups/{id}", id: id, body: newWireGroup(group)}
	if err := checkGroup(req, group); err != nil {
		return Group{}, err
	}
	return c.groupByID(ctx, req)
}

// PatchGroup makes all changes in one call and returns the group after it.
// If the name is taken, the error is IsConflict. An empty change is refused
// without a call.
func (c *Client) PatchGroup(ctx context.Context, id string, change GroupChange) (Group, error) {
	req := call{method: http.MethodPatch, route: "/Groups/{id}", id: id, body: groupPatch(change)}
	if change.IsEmpty() {
		return Group{}, invalid(req.name(), "nothing to change")
	}
	return c.groupByID(ctx, req)
}

// DeleteGroup deletes the group; LambdaTest recomputes the roles of its members.
func (c *Client) DeleteGroup(ctx context.Context, id string) error {
	req := call{method: http.MethodDelete, route: "/Groups/{id}", id: id}
	if err := checkGroupID(req); err != nil {
		return err
	}
	return c.do(ctx, req, nil)
}

func (c *Client) groupByID(ctx context.Context, req call) (Group, error) {
	if err := checkGroupID(req); err != nil {
		return Group{}, err
	}
	return c.group(ctx, req, func(got Group) string {
		if got.ID != req.id {
			return "the answer shows another id than was asked for"
		}
		return ""
	})
}

// group makes a call that answers with one group; doubt says what is wrong with
// that group, or "".
func (c *Client) group(ctx context.Context, req call, doubt func(Group) string) (Group, error) {
	var wire wireGroup
	if err := c.do(ctx, req, &wire); err != nil {
		return Group{}, err
	}
	group, wrong := wire.group()
	if wrong == "" {
		wrong = doubt(group)
	}
	if wrong != "" {
		return Group{}, c.malformed(req, http.StatusOK, wrong)
	}
	return group, nil
}

func checkGroup(req call, group Group) error {
	if strings.TrimSpace(group.DisplayName) == "" {
		return invalid(req.name(), "the displayName is empty")
	}
	return nil
}

func checkGroupID(req call) error {
	if !isOpaqueID(req.id) {
		return invalid(req.name(), "the id is not one that LambdaTest gives")
	}
	return nil
}

// isOpaqueID accepts ids that cannot change a path. The contract promises decimal
// numbers only for users.
func isOpaqueID(id string) bool {
	isOther := func(r rune) bool {
		isLetter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !isLetter && (r < '0' || r > '9') && r != '-' && r != '_'
	}
	return id != "" && len(id) <= 100 && !strings.ContainsFunc(id, isOther)
}
