// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import (
	"context"
	"net/http"
)

// The roles of an account, highest first.
const (
	RoleAdmin = "Admin"
	RoleUser  = "User"
	RoleGuest = "Guest"
)

// User is an account of the organization, as LambdaTest shows it.
type User struct {
	// ID is LambdaTest's decimal number.
	ID string
	// UserName is the e-mail address. It never changes after creation.
	UserName string
	Active   bool
	// GivenName and FamilyName are set at creation; SCIM cannot change them later.
	GivenName  string
	FamilyName string
	// Role is one of the roles above, or the name of a custom role. It is empty if LambdaTest does not show it: then it is unknown.
	Role string
	// ConcurrencyGroup is the name of a concurrency group that exists at LambdaTest. It is empty if LambdaTest does not show it: then it is
	// unknown. According to the documents, only the answer to CreateUser shows it.
	ConcurrencyGroup string
}

// UserChange is the change that UpdateUser makes; nil fields change nothing.
type UserChange struct {
	Active           *bool
	Role             *string
	ConcurrencyGroup *string
}

// IsEmpty reports whether there is nothing to change, so that no call is needed.
func (c UserChange) IsEmpty() bool {
	return c == UserChange{}
}

// CreateUser creates the account. If the organization already has an account
// with that userName, LambdaTest updates it; the ID of the result shows which one
// it is. Role and ConcurrencyGroup are sent unless empty; without a role,
// LambdaTest may set the role of an existing account to User. ID is ignored. For
// an address of another organization the error is IsRejected.
func (c *Client) CreateUser(ctx context.Context, user User) (User, error) {
	req := call{method: http.MethodPost, route: "/Users", body: newWireUser(user)}
	if err := checkUserName(req, user.UserName); err != nil {
		return User{}, err
	}
	created, err := c.user(ctx, req, func(User) string { return "" })
	if err == nil && !c.sameUserName(created.UserName, user.UserName) {
		return User{}, c.otherName(req, "the answer shows another userName than was created", user.UserName, created.UserName)
	}
	return created, err
}

// GetUser reads one account. For a user of another organization the error is
// IsRejected, for an unknown id IsNotFound.
func (c *Client) GetUser(ctx context.Context, id string) (User, error) {
	return c.userByID(ctx, call{method: http.MethodGet, route: "/Users/{id}", id: id})
}

// UpdateUser makes all changes in one call and returns the account after it. The
// account may differ from the request, for example because a group gives the
// role or because of another change meanwhile; the caller must compare. An empty
// change is refused without a call.
func (c *Client) UpdateUser(ctx context.Context, id string, change UserChange) (User, error) {
	req := call{method: http.MethodPatch, route: "/Users/{id}", id: id, body: userPatch(change)}
	if change.IsEmpty() {
		return User{}, invalid(req.name(), "nothing to change")
	}
	return c.userByID(ctx, req)
}

// DeactivateUser deactivates the account. LambdaTest keeps the account. To
// deactivate it again is no error.
func (c *Client) DeactivateUser(ctx context.Context, id string) error {
	req := call{method: http.MethodDelete, route: "/Users/{id}", id: id}
	if err := checkUserID(req); err != nil {
		return err
	}
	return c.do(ctx, req, nil)
}

func (c *Client) userByID(ctx context.Context, req call) (User, error) {
	if err := checkUserID(req); err != nil {
		return User{}, err
	}
	return c.user(ctx, req, func(got User) string {
		if got.ID != req.id {
			return "the answer shows another id than was asked for"
		}
		return ""
	})
}

// user makes a call that answers with one user; doubt says what is wrong with
// that user, or "".
func (c *Client) user(ctx context.Context, req call, doubt func(User) string) (User, error) {
	var wire wireUser
	if err := c.do(ctx, req, &wire); err != nil {
		return User{}, err
	}
	user, wrong := wire.user()
	if wrong == "" {
		wrong = doubt(user)
	}
	if wrong != "" {
		return User{}, c.malformed(req, http.StatusOK, wrong)
	}
	return user, nil
}

func checkUserName(req call, userName string) error {
	if userName == "" || len(userName) > maxUserNameBytes {
		return invalid(req.name(), "the userName is empty or too long")
	}
	return nil
}

func checkUserID(req call) error {
	if !isDecimal(req.id) {
		return invalid(req.name(), "the id is not a decimal number")
	}
	return nil
}

func isDecimal(id string) bool {
	for _, char := range []byte(id) {
		if char < '0' || char > '9' {
			return false
		}
	}
	return id != "" && len(id) <= 40
}
