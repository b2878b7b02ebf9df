// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Upstream makes the calls about people to one LambdaTest organization. *lambdatest.Client is one. The questions of package lambdatest
// (IsRejected, IsUnavailable, …) tell its errors apart. It checks answers: one about another person is an error. It retries nothing.
type Upstream interface {
	// ListUsers reads one page of all accounts.
	ListUsers(ctx context.Context, startIndex, count int) (lambdatest.Page[lambdatest.User], error)
	// FindUser looks an account up by its userName and says whether there is one.
	FindUser(ctx context.Context, userName string) (lambdatest.User, bool, error)
	// GetUser reads one account.
	GetUser(ctx context.Context, id string) (lambdatest.User, error)
	// CreateUser creates an account, or updates the one that is there; without a role it may reset that one's.
	CreateUser(ctx context.Context, user lambdatest.User) (lambdatest.User, error)
	// UpdateUser makes all changes in one call and returns the account as it is then.
	UpdateUser(ctx context.Context, id string, change lambdatest.UserChange) (lambdatest.User, error)
	// DeactivateUser switches an account off.
	DeactivateUser(ctx context.Context, id string) error
	GroupUpstream
}

// GroupUpstream makes the calls about groups, under the same rules. While group provisioning is switched
// off, every change IsForbidden.
type GroupUpstream interface {
	// ListGroups reads one page of all groups, with their members.
	ListGroups(ctx context.Context, startIndex, count int) (lambdatest.Page[lambdatest.Group], error)
	// FindGroup looks a group up by its displayName and says whether there is one.
	FindGroup(ctx context.Context, displayName string) (lambdatest.Group, bool, error)
	// GetGroup reads one group.
	GetGroup(ctx context.Context, id string) (lambdatest.Group, error)
	// CreateGroup creates a group, or restores a deleted one of the name without the members that it had.
	CreateGroup(ctx context.Context, group lambdatest.Group) (lambdatest.Group, error)
	// ReplaceGroup replaces name, roles and members, and returns the group as it is then.
	ReplaceGroup(ctx context.Context, id string, group lambdatest.Group) (lambdatest.Group, error)
	// PatchGroup makes all changes in one call, and returns the group as it is then.
	PatchGroup(ctx context.Context, id string, change lambdatest.GroupChange) (lambdatest.Group, error)
	// DeleteGroup deletes a group.
	DeleteGroup(ctx context.Context, id string) error
}

var _ Upstream = (*lambdatest.Client)(nil)
