// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"net/http"
	"net/mail"
)

const (
	schemaUser          = "urn:ietf:params:scim:schemas:core:2.0:User"
	schemaUserExtension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"
)

// userWish is the content of a request about a user; nil fields are not in the request.
type userWish struct {
	userName         *string
	givenName        *string
	familyName       *string
	active           *bool
	role             *string
	concurrencyGroup *string
}

// postUser creates an account, or updates role, active and concurrency group of
// an existing one. It does not update the name, because SCIM cannot.
func (o *Org) postUser(in request) (reply, error) {
	wish, err := o.readNewUser(in.body)
	if err != nil {
		return reply{}, err
	}
	existing := o.world.names[fold(*wish.userName)]
	before := existing.before()
	switch {
	case existing == nil:
		existing = &account{org: o, userName: *wish.userName, givenName: *wish.givenName, familyName: *wish.familyName, role: "User"}
		o.world.enter(existing)
	case existing.org != o:
		return reply{}, anotherOrganization()
	case wish.role == nil && !o.switches.KeepRoleOnUpsert:
		existing.role = "User"
	}
	o.apply(existing, wish)
	o.noteChange(before, existing)
	return reply{status: http.StatusCreated, body: o.oneUser(existing)}, nil
}

func (o *Org) getUser(in request) (reply, error) {
	found, err := o.accountWithID(in.id)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: o.oneUser(found)}, nil
}

func (o *Org) putUser(in request) (reply, error) {
	found, err := o.accountWithID(in.id)
	if err != nil {
		return reply{}, err
	}
	doc, err := parse(in.body, schemaUser)
	if err != nil {
		return reply{}, err
	}
	if err := doc.only("schemas", "active", schemaUserExtension); err != nil {
		return reply{}, err
	}
	wish, err := o.readUser(doc)
	if err != nil {
		return reply{}, err
	}
	before := found.before()
	o.apply(found, wish)
	o.noteChange(before, found)
	return reply{status: http.StatusOK, body: o.oneUser(found)}, nil
}

func (o *Org) patchUser(in request) (reply, error) {
	found, err := o.accountWithID(in.id)
	if err != nil {
		return reply{}, err
	}
	changes, err := operations(in.body)
	if err != nil {
		return reply{}, err
	}
	var wish userWish
	for _, change := range changes {
		if err := o.readUserChange(change, &wish); err != nil {
			return reply{}, err
		}
	}
	before := found.before()
	o.apply(found, wish)
	o.noteChange(before, found)
	return reply{status: http.StatusOK, body: o.oneUser(found)}, nil
}

// deleteUser deactivates the account and keeps it.
func (o *Org) deleteUser(in request) (reply, error) {
	found, err := o.accountWithID(in.id)
	if err != nil {
		return reply{}, err
	}
	off := false
	before := found.before()
	o.apply(found, userWish{active: &off})
	o.noteChange(before, found)
	return reply{status: http.StatusNoContent}, nil
}

func (o *Org) listUsers(in request) (reply, error) {
	all := o.accounts
	if in.query.Has("filter") {
		name, err := filtered(in.query.Get("filter"), "userName")
		if err != nil {
			return reply{}, err
		}
		if all, err = o.search(name); err != nil {
			return reply{}, err
		}
	}
	return list(o, in, all, o.showUser)
}

func (o *Org) search(userName string) ([]*account, error) {
	found := o.world.names[fold(userName)]
	if found != nil && found.org != o {
		return nil, anotherOrganization()
	}
	if o.switches.SomebodyElse {
		found = o.somebodyBut(found)
	}
	if found == nil {
		return nil, nil
	}
	return []*account{found}, nil
}

func (o *Org) somebodyBut(a *account) *account {
	for _, other := range o.accounts {
		if other != a {
			return other
		}
	}
	return nil
}

func (o *Org) accountWithID(id string) (*account, error) {
	found := o.world.accounts[id]
	switch {
	case found == nil:
		return nil, notFound("there is no user " + id)
	case found.org != o:
		return nil, anotherOrganization()
	}
	return found, nil
}

// apply changes the fields that the wish names.
func (o *Org) apply(a *account, wish userWish) {
	if wish.active != nil {
		a.active = *wish.active
	}
	a.role = *cmp.Or(wish.role, &a.role)
	a.concurrencyGroup = *cmp.Or(wish.concurrencyGroup, &a.concurrencyGroup)
	a.modified = o.world.now()
}

// readNewUser reads a creation, which must have the four required fields.
func (o *Org) readNewUser(body []byte) (userWish, error) {
	doc, err := parse(body, schemaUser)
	if err != nil {
		return userWish{}, err
	}
	wish, err := o.readUser(doc)
	if err != nil {
		return userWish{}, err
	}
	switch {
	case wish.userName == nil || !isAddress(*wish.userName):
		return userWish{}, invalidValue("userName must be a valid e-mail address")
	case wish.active == nil:
		return userWish{}, invalidValue("active is required")
	case wish.givenName == nil || *wish.givenName == "":
		return userWish{}, invalidValue("name.givenName is required")
	case wish.familyName == nil || *wish.familyName == "":
		return userWish{}, invalidValue("name.familyName is required")
	}
	return wish, nil
}

func isAddress(s string) bool {
	parsed, err := mail.ParseAddress(s)
	return err == nil && parsed.Address == s
}
