// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import (
	"errors"
	"strings"
)

// The names of the API. They are separate from those of this project's own SCIM
// endpoint, because the two dialects change independently.
const (
	userSchema    = "urn:ietf:params:scim:schemas:core:2.0:User"
	userExtension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"
	patchSchema   = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

	rolePath             = userExtension + ":OrganizationRole"
	concurrencyGroupPath = userExtension + ":LambdatestGroup"
)

type wireUser struct {
	Schemas   []string           `json:"schemas"`
	ID        string             `json:"id,omitempty"`
	UserName  string             `json:"userName"`
	Active    *flag              `json:"active"`
	Name      wireName           `json:"name"`
	Extension *wireUserExtension `json:"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User,omitempty"`
}

// flag is sent as true or false. In answers it may also be a string of them: the documents do not say which.
type flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(value []byte) error {
	switch strings.ToLower(string(value)) {
	case `true`, `"true"`:
		*f = true
	case `false`, `"false"`:
		*f = false
	default:
		return errors.New("neither true nor false")
	}
	return nil
}

type wireName struct {
	GivenName  string `json:"givenName"`
	FamilyName string `json:"familyName"`
}

type wireUserExtension struct {
	OrganizationRole string `json:"OrganizationRole,omitempty"`
	LambdatestGroup  string `json:"LambdatestGroup,omitempty"`
}

type wirePatch struct {
	Schemas    []string        `json:"schemas"`
	Operations []wireOperation `json:"Operations"`
}

type wireOperation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// newWireUser is the body of a creation.
func newWireUser(user User) wireUser {
	wire := wireUser{
		Schemas:  []string{userSchema},
		UserName: user.UserName,
		Active:   (*flag)(&user.Active),
		Name:     wireName{GivenName: user.GivenName, FamilyName: user.FamilyName},
	}
	extension := wireUserExtension{OrganizationRole: user.Role, LambdatestGroup: user.ConcurrencyGroup}
	if extension != (wireUserExtension{}) {
		wire.Schemas = append(wire.Schemas, userExtension)
		wire.Extension = &extension
	}
	return wire
}

// user converts the answer; the second result says what is missing, or "". A
// missing "active" must not count as false: the caller would believe that a
// deactivation succeeded.
func (w wireUser) user() (User, string) {
	switch {
	case !isDecimal(w.ID):
		return User{}, "the answer shows a user without a numeric id"
	case w.UserName == "":
		return User{}, "the answer shows a user without userName"
	case w.Active == nil:
		return User{}, "the answer shows a user without active"
	}
	user := User{
		ID:         w.ID,
		UserName:   w.UserName,
		Active:     bool(*w.Active),
		GivenName:  w.Name.GivenName,
		FamilyName: w.Name.FamilyName,
	}
	if w.Extension != nil {
		user.Role, user.ConcurrencyGroup = w.Extension.OrganizationRole, w.Extension.LambdatestGroup
	}
	return user, ""
}

// userPatch writes "Replace" as LambdaTest documents it.
func userPatch(change UserChange) wirePatch {
	patch := wirePatch{Schemas: []string{patchSchema}}
	if change.Active != nil {
		patch.replace("active", *change.Active)
	}
	if change.Role != nil {
		patch.replace(rolePath, *change.Role)
	}
	if change.ConcurrencyGroup != nil {
		patch.replace(concurrencyGroupPath, *change.ConcurrencyGroup)
	}
	return patch
}

func (p *wirePatch) replace(path string, value any) {
	p.Operations = append(p.Operations, wireOperation{Op: "Replace", Path: path, Value: value})
}
