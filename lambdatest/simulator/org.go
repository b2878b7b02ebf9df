// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/subtle"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Org is one organization: its accounts and groups, its faults and switches, and
// a record of its calls.
type Org struct {
	name         string
	world        *world
	token        string
	formerTokens []string

	accounts []*account // by id
	moved    []*account // members of its sub-organizations, by id
	groups   []*group   // living ones, by id
	groupIDs map[string]*group
	named    map[string]*group // living ones, by folded displayName
	deleted  map[string]*group // by folded displayName

	concurrencyGroups map[string]bool

	defaultConcurrencyGroup string
	console                 console

	settings Settings
	answers  map[string]map[string]int
	refusals int

	switches Switches
	faults   []*armed
	random   *rand.Rand
	bucket   bucket

	records []Call
	counts  map[string]int

	keepChanges bool
	changes     []AccountChange
	acting      acting
}

// account is an account at LambdaTest; org is nil if the account belongs to an
// organization that is not simulated. home is the parent of the sub-organization
// to which a mapping moved the account; it is nil if no mapping moved it.
type account struct {
	id               string
	number           int // the id
	change           int // number of the last change
	org              *Org
	home             *Org
	userName         string
	givenName        string
	familyName       string
	active           bool
	role             string // in effect
	ownRole          string // given to the account itself; empty when none was
	customRole       string
	concurrencyGroup string
	groups           map[*group]struct{}
	assigned         map[*group]bool // groups whose mapping has the account
}

// add creates an organization; the caller holds the lock, or the only reference.
func (w *world) add(name, token string, options []Option) *Org {
	o := &Org{
		name:              name,
		token:             token,
		world:             w,
		groupIDs:          map[string]*group{},
		named:             map[string]*group{},
		deleted:           map[string]*group{},
		concurrencyGroups: map[string]bool{},
		random:            rand.New(rand.NewPCG(1, 1)),
		counts:            map[string]int{},
		console:           newConsole(),
		settings:          defaultSettings(),
		answers:           map[string]map[string]int{},
	}
	for _, option := range options {
		option(o)
	}
	w.orgs = append(w.orgs, o)
	return o
}

// withToken returns the organization with this token. If the token is not valid,
// it returns the organization that had it before, or the first one, so that the
// call is recorded there.
func (w *world) withToken(token string) (org *Org, valid bool) {
	for _, o := range w.orgs {
		if subtle.ConstantTimeCompare([]byte(o.token), []byte(token)) == 1 {
			return o, true
		}
	}
	for _, o := range w.orgs {
		if slices.Contains(o.formerTokens, token) {
			return o, false
		}
	}
	return w.orgs[0], false
}

// nextID returns the next id, as text and as a number, for users and groups of
// all organizations.
func (w *world) nextID() (string, int) {
	w.lastID++
	return strconv.Itoa(w.lastID), w.lastID
}

// nextChange counts changes of users and groups of all organizations.
func (w *world) nextChange() int {
	w.lastChange++
	return w.lastChange
}

// enter adds a new account to all maps and lists.
func (w *world) enter(a *account) {
	a.id, a.number = w.nextID()
	a.change = w.nextChange()
	a.groups = map[*group]struct{}{}
	w.accounts[a.id] = a
	w.names[fold(a.userName)] = a
	if a.org != nil {
		a.org.accounts = append(a.org.accounts, a)
	}
}

// leave removes an account from all maps and lists, as only LambdaTest itself can.
func (w *world) leave(a *account) {
	delete(w.accounts, a.id)
	delete(w.names, fold(a.userName))
	if a.org == nil {
		return
	}
	a.org.accounts = without(a.org.accounts, a)
	if a.home != nil {
		a.home.moved = without(a.home.moved, a)
	}
	for g := range a.groups {
		g.members = without(g.members, a)
	}
}

func without[T comparable](all []T, one T) []T {
	return slices.DeleteFunc(all, func(other T) bool { return other == one })
}

// fold makes names equal that differ only in case.
func fold(name string) string {
	return strings.ToLower(name)
}
