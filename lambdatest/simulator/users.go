// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"net/http"
	"net/mail"
	"slices"
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
	if existing := o.world.names[fold(*wish.userName)]; existing != nil {
		return o.postKnownUser(existing, wish)
	}
	created := &account{org: o, userName: *wish.userName, givenName: *wish.givenName, familyName: *wish.familyName, role: "User"}
	o.world.enter(created)
	o.apply(created, wish)
	o.noteChange(Account{}, created)
	return reply{status: http.StatusCreated, body: o.oneUser(created)}, nil
}

func (o *Org) postKnownUser(known *account, wish userWish) (reply, error) {
	// The e-mail of another organization is 400 in both of the vendor's tables.
	if known.org != o && (known.home != o || o.meets(memberOfSubOrganization) != shown) {
		return reply{}, anotherOrganization()
	}
	if !known.active && o.meets(postOfInactive) == is400 {
		return reply{}, invalidValue("the account is inactive")
	}
	status := http.StatusCreated
	switch setting := o.meets(postOfKnownEmail); {
	case setting == is200:
		status = http.StatusOK
	case setting == is409 && known.active:
		return reply{}, taken("a user of that userName exists")
	}
	before := known.before()
	if wish.role == nil && !known.isPlainUser() && o.meets(postWithoutRole) == resetsToUser {
		o.giveRole(known, "User")
	}
	o.apply(known, wish)
	o.noteChange(before, known)
	return reply{status: status, body: o.oneUser(known)}, nil
}

func (a *account) isPlainUser() bool {
	return a.role == "User" && a.customRole == ""
}

func (o *Org) getUser(in request) (reply, error) {
	found, err := o.accountWithID(in)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: o.oneUser(found)}, nil
}

func (o *Org) putUser(in request) (reply, error) {
	found, err := o.accountWithID(in)
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
	found, err := o.accountWithID(in)
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
	found, err := o.accountWithID(in)
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
	asked, err := o.windowOf(in)
	if err != nil {
		return reply{}, err
	}
	var all []*account
	if in.query.Has("filter") {
		name, err := filtered(in.query.Get("filter"), "userName")
		if err != nil {
			return reply{}, err
		}
		if all, err = o.search(name); err != nil {
			return reply{}, err
		}
	} else {
		all, asked = o.read(o.members(), asked)
	}
	out := list(o, asked, all, o.showUser)
	if len(out.Resources) < out.TotalResults && o.meets(totalResults) == thisPage {
		out.TotalResults = len(out.Resources)
	}
	return reply{status: http.StatusOK, body: out}, nil
}

// members are the users of a list.
func (o *Org) members() []*account {
	if len(o.moved) == 0 || o.meets(memberOfSubOrganizationInList) == missing {
		return o.accounts
	}
	all := slices.Concat(o.accounts, o.moved)
	slices.SortFunc(all, byNumber)
	return all
}

func byNumber(a, b *account) int {
	return cmp.Compare(a.number, b.number)
}

// read applies the reading of the list of users.
func (o *Org) read(all []*account, asked window) ([]*account, window) {
	first := window{1, or(o.switches.PageSize, defaultPageSize)}
	isInactive := func(a *account) bool { return !a.active }
	whole := asked.start == 1 && len(all) <= min(asked.count, first.count)
	if whole && !slices.ContainsFunc(all, isInactive) {
		return all, asked
	}
	switch o.meets(listOfUsers) {
	case firstPageAlways:
		return all, first
	case allAtOnce:
		return all, window{1, len(all)}
	case pagesWithoutInactive:
		return slices.DeleteFunc(slices.Clone(all), isInactive), asked
	}
	return all, asked
}

func (o *Org) search(userName string) ([]*account, error) {
	found := o.world.names[fold(userName)]
	if found != nil && found.userName != userName && o.meets(lettersOfUserName) == comparedWithCase {
		found = nil
	}
	if found != nil {
		if err := o.reach(found, false); err != nil {
			return nil, err
		}
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

func (o *Org) accountWithID(in request) (*account, error) {
	found := o.world.accounts[in.id]
	if found == nil {
		return nil, notFound("there is no user " + in.id)
	}
	return found, o.reach(found, in.method() != http.MethodGet)
}

// reach says whether a call can read or write an account, be it of this
// organization, moved to a sub-organization, or of another organization.
func (o *Org) reach(a *account, toWrite bool) error {
	setting := shown
	switch {
	case a.org == o:
	case a.home == o:
		setting = o.meets(memberOfSubOrganization)
	default:
		setting = o.meets(userOfAnotherOrganization)
	}
	switch {
	case setting == is404:
		return notFound("there is no such user in this organization")
	case setting == is400, setting == shownReadOnly && toWrite:
		return anotherOrganization()
	}
	return nil
}

// apply changes the fields that the wish names.
func (o *Org) apply(a *account, wish userWish) {
	activated := wish.active != nil && *wish.active && !a.active
	if wish.active != nil {
		a.active = *wish.active
	}
	switch {
	case wish.role != nil:
		o.giveRole(a, *wish.role)
	case activated && !a.isPlainUser() && o.meets(reactivation) == becomesUser:
		o.giveRole(a, "User")
	}
	if wish.concurrencyGroup != nil {
		o.giveConcurrencyGroup(a, *wish.concurrencyGroup)
	}
	a.change = o.world.nextChange()
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
