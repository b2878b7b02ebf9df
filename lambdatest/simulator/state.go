// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"fmt"
	"slices"
)

// Account is an account for tests and the demo.
type Account struct {
	ID               string `json:"id"`
	UserName         string `json:"userName"`
	Active           bool   `json:"active"`
	GivenName        string `json:"givenName"`
	FamilyName       string `json:"familyName"`
	Role             string `json:"role"`
	ConcurrencyGroup string `json:"concurrencyGroup"`
	// CustomRole is a role beside the three, given in the console. SCIM shows it
	// as the reading custom-role says, and takes it away when it writes a role.
	CustomRole string `json:"customRole,omitempty"`
}

// Group is a group for tests and the demo.
type Group struct {
	ID          string   `json:"id"`
	DisplayName string   `json:"displayName"`
	Roles       []string `json:"roles"`
	Members     []Member `json:"members"`
}

// Member is an account in a group, with the JSON names of the API.
type Member struct {
	ID       string `json:"value"`
	UserName string `json:"display"`
}

// AddAccount adds an account without a call. The simulator chooses the ID; the
// role is User unless set. It panics if the userName is taken.
func (o *Org) AddAccount(a Account) Account {
	o.world.Lock()
	defer o.world.Unlock()
	return o.add(a).export()
}

func (o *Org) add(a Account) *account {
	added := &account{org: o, userName: a.UserName, givenName: a.GivenName, familyName: a.FamilyName}
	added.edit(a)
	o.world.mustBeFree(a.UserName)
	o.world.enter(added)
	o.noteChange(Account{}, added)
	return added
}

// AddForeignAccount adds an account of an organization that is not simulated. For
// this organization it is an account of another organization.
func (o *Org) AddForeignAccount(userName string) Account {
	o.world.Lock()
	defer o.world.Unlock()
	o.world.mustBeFree(userName)
	foreign := &account{userName: userName, active: true, role: "User"}
	o.world.enter(foreign)
	return foreign.export()
}

func (w *world) mustBeFree(userName string) {
	if w.names[fold(userName)] != nil {
		panic(fmt.Sprintf("simulator: %s already has an account", userName))
	}
}

// EditAccount edits an account as a person at LambdaTest would, who can also
// change names. It does not change the userName and the ID.
func (o *Org) EditAccount(userName string, change func(*Account)) (Account, error) {
	o.world.Lock()
	defer o.world.Unlock()
	o.settle()
	found := o.world.names[fold(userName)]
	if found == nil || found.org != o {
		return Account{}, fmt.Errorf("finding account %s: %w", userName, notFound("no such account"))
	}
	before := found.export()
	edited := before
	change(&edited)
	found.edit(edited)
	found.change = o.world.nextChange()
	o.reassertLater(found)
	o.noteChange(before, found)
	return found.export(), nil
}

func (a *account) edit(to Account) {
	a.givenName, a.familyName = to.GivenName, to.FamilyName
	if a.role != to.Role {
		a.ownRole = to.Role
	}
	a.active, a.role = to.Active, cmp.Or(to.Role, "User")
	a.customRole = to.CustomRole
	a.concurrencyGroup = to.ConcurrencyGroup
}

func (a *account) export() Account {
	return Account{
		ID:               a.id,
		UserName:         a.userName,
		GivenName:        a.givenName,
		FamilyName:       a.familyName,
		Active:           a.active,
		Role:             a.role,
		ConcurrencyGroup: a.concurrencyGroup,
		CustomRole:       a.customRole,
	}
}

// RemoveAccount removes an account permanently, which SCIM cannot do, and reports
// whether there was one.
func (o *Org) RemoveAccount(userName string) bool {
	o.world.Lock()
	defer o.world.Unlock()
	found := o.world.names[fold(userName)]
	if found == nil || found.org != o {
		return false
	}
	o.world.leave(found)
	return true
}

// Account returns one account by its userName, without a call.
func (o *Org) Account(userName string) (Account, bool) {
	o.world.Lock()
	defer o.world.Unlock()
	o.settle()
	found := o.world.names[fold(userName)]
	if found == nil || found.org != o {
		return Account{}, false
	}
	return found.export(), true
}

// Accounts returns all accounts in the order of their creation, without a call.
func (o *Org) Accounts() []Account {
	o.world.Lock()
	defer o.world.Unlock()
	o.settle()
	all := make([]Account, 0, len(o.accounts))
	for _, a := range o.accounts {
		all = append(all, a.export())
	}
	return all
}

// SetConcurrencyGroup creates or removes a concurrency group. Accounts in it keep
// its name.
func (o *Org) SetConcurrencyGroup(name string, exists bool) {
	o.world.Lock()
	defer o.world.Unlock()
	o.setConcurrencyGroups([]string{name}, exists)
}

func (o *Org) setConcurrencyGroups(names []string, exist bool) {
	for _, name := range slices.Compact(names) {
		o.concurrencyGroups[name] = exist
	}
}

// RotateToken replaces the token: calls with the old one now get 401.
func (o *Org) RotateToken(token string) {
	o.world.Lock()
	defer o.world.Unlock()
	o.formerTokens = append(o.formerTokens, o.token)
	o.token = token
}

// Token returns the current token.
func (o *Org) Token() string {
	o.world.Lock()
	defer o.world.Unlock()
	return o.token
}
