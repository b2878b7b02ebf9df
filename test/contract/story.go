// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

// story is one combination, its organization, and what has happened there.
type story struct {
	*environment.Organization
	run      *run
	number   int
	row      []int
	settings simulator.Settings

	europe *simulator.Org // the sub-organization
	people map[string]*person
	ids    map[string]string // SCIM ids of people and groups
	// restarted waits for the other stories and for the restart of the leader.
	restarted func(ctx context.Context) error

	step  string
	found []violation
	known map[string]bool
}

// person is what the checks must know about somebody beyond what resources and LambdaTest say.
type person struct {
	userName string
	// mayBe are the reasons that a resource about the person may have besides Synced: what the person met at LambdaTest explains them.
	mayBe map[string]bool
	// hidden says that LambdaTest has decided the concurrency group, which the operator sees only if answers show it; unseen says that no
	// answer can show it.
	hidden, unseen bool
	// keeps is the role that nobody has asked to change.
	keeps string
	// raced says that an administrator created the account while the operator did.
	raced bool
	// offs and ons are how often the account has a reason to be switched off and on by the operator.
	offs, ons int
	// orphan says that the account stays as it is when the resource goes.
	orphan bool
}

func newStory(r *run, number int, row []int) *story {
	return &story{
		run: r, number: number, row: row, settings: settingsOf(row),
		people: map[string]*person{}, ids: map[string]string{}, known: map[string]bool{},
	}
}

func (s *story) name() string { return fmt.Sprintf("combination-%02d", s.number) }

// address is a userName of the organization: an address belongs to only one LambdaTest organization.
func (s *story) address(local string) string { return local + "@" + s.name() + ".example.com" }

// shows says whether answers always show the concurrency group.
func (s *story) shows() bool { return s.settings["concurrency-group-in-answers"] == "always" }

// of returns what is known about somebody, by the local part of the address.
func (s *story) of(local string) *person {
	folded := v1alpha1.FoldUserName(s.address(local))
	if s.people[folded] == nil {
		s.people[folded] = &person{userName: s.address(local), mayBe: map[string]bool{}}
	}
	return s.people[folded]
}

// may adds reasons that are explained from now on.
func (p *person) may(reasons ...string) {
	for _, reason := range reasons {
		p.mayBe[reason] = true
	}
}

// mayNot takes them back.
func (p *person) mayNot(reasons ...string) {
	for _, reason := range reasons {
		delete(p.mayBe, reason)
	}
}

// The people of a story, by the local part of their addresses.
const (
	ada     = "ada"     // an Admin whom LambdaTest spells "Ada", in the concurrency group QA; declared without a role
	lead    = "lead"    // has a custom role
	foreign = "foreign" // has an account in another organization; declared without a role
	stray   = "stray"   // has an account in another organization; declared with a role
	grace   = "grace"   // the provider's
	heidi   = "heidi"   // the provider's, an Admin; in a group that gives User
	victor  = "Victor"  // the provider's, spelled so; in the same group
	ivan    = "ivan"    // declared, with a concurrency group
	judy    = "judy"    // declared, and moved to a concurrency group that does not exist
	nina    = "nina"    // declared, with a concurrency group that does not exist
	mallory = "mallory" // declared, while an administrator creates an active Admin
	niaj    = "niaj"    // declared, while an administrator creates an inactive Admin
	olivia  = "olivia"  // declared; a mapping decides her concurrency group
	peggy   = "peggy"   // declared; a mapped team has a custom role
	rupert  = "rupert"  // the provider's; moves to a sub-organization and is denied there
	sybil   = "sybil"   // declared; moves to a sub-organization and comes back
	trent   = "trent"   // the provider's, an Admin; denied and revived
	walter  = "walter"  // the provider's; denied for good
)

// The groups of a story.
const (
	quality     = "Quality"     // declared as Testers; gives User
	engineering = "Engineering" // the provider's; gives Admin
	mobile      = "Mobile"      // mapped to a concurrency group
	team        = "Team"        // mapped to a team
	europeans   = "Europe"      // mapped to a sub-organization
	temporary   = "Temporary"   // deleted, and declared again
)

// employed are the accounts that were there before the operator.
func (s *story) employed() []simulator.Account {
	all := []simulator.Account{
		{UserName: s.address("Ada"), GivenName: "Ada", FamilyName: "Lovelace", Active: true, Role: "Admin", ConcurrencyGroup: "QA"},
		{UserName: s.address(lead), GivenName: "Lead", FamilyName: "Lovelace", Active: true, Role: "User", CustomRole: "QA Lead"},
		{UserName: s.address("former"), GivenName: "Former", FamilyName: "Lovelace", Role: "User"},
	}
	for i := range 3 {
		all = append(all, simulator.Account{
			UserName: s.address(fmt.Sprintf("staff-%d", i+1)), GivenName: "Staff", FamilyName: "Lovelace", Active: true, Role: "User",
		})
	}
	return all
}

// play plays the story. An error ends it, because the rest would not mean anything.
func (s *story) play(ctx context.Context) {
	begun := time.Now()
	for _, step := range []struct {
		name string
		play func(ctx context.Context) error
	}{
		{"adopt", s.adopt},
		{"hire", s.hire},
		{"change of role", s.changeRoles},
		{"concurrency group", s.changeConcurrencyGroups},
		{"group with roles and members", s.declareGroups},
		{"mapping", s.mapGroups},
		{"rename", s.renameGroups},
		{"denial", s.deny},
		{"revival", s.revive},
		{"drift by hand", s.drift},
		{"ten idle sweeps", s.idle},
		{"restart of the leader", s.restartedLeader},
		{"after the restart", s.afterRestart},
		{"deletion", s.deleteAll},
	} {
		s.step = step.name
		stepBegun := time.Now()
		if err := step.play(ctx); err != nil {
			s.violate("story", "", "%s", err)
			break
		}
		s.settle(ctx)
		if s.run.options.only > 0 {
			s.run.progress("%s: %s", step.name, time.Since(stepBegun).Round(10*time.Millisecond))
		} else {
			s.run.passed(step.name)
		}
		if ctx.Err() != nil {
			return
		}
	}
	s.checkTwice()
	s.retire(ctx)
	s.run.progress("%s: %d violations, %s  (%s)", s.name(), len(s.found), time.Since(begun).Round(time.Second), deviations(s.settings))
}

// adopt declares people who have accounts, here or in another organization.
func (s *story) adopt(ctx context.Context) error {
	s.europe = s.LambdaTest.AddSubOrganization("europe", "token-of-"+s.name(), simulator.Name(s.name()+"-europe"))
	for _, local := range []string{foreign, stray} {
		s.LambdaTest.AddForeignAccount(s.address(local))
		s.of(local).may(v1alpha1.OwnedByAnotherOrganizationReason)
	}
	s.of(ada).keeps, s.of(lead).keeps = "Admin", "QA Lead"
	return s.declare(ctx,
		claim{local: ada, concurrencyGroup: "QA"},
		claim{local: lead},
		claim{local: foreign},
		claim{local: stray, role: v1alpha1.RoleUser},
	)
}

// hire creates people: the provider does, Git does, and twice an administrator is faster by a moment.
func (s *story) hire(ctx context.Context) error {
	s.of(nina).may(v1alpha1.ConcurrencyGroupNotFoundReason)
	s.of(nina).unseen = s.settings["unknown-concurrency-group"] == "ignored" // and the account has none to show instead
	err := firstError(
		s.provision(ctx, claim{local: grace, role: v1alpha1.RoleUser}),
		s.provision(ctx, claim{local: heidi, role: v1alpha1.RoleAdmin}),
		s.provision(ctx, claim{local: victor}),
		s.provision(ctx, claim{local: rupert, role: v1alpha1.RoleUser}),
		s.provision(ctx, claim{local: trent, role: v1alpha1.RoleAdmin}),
		s.provision(ctx, claim{local: walter, role: v1alpha1.RoleUser}),
		s.declare(ctx,
			claim{local: ivan, concurrencyGroup: "Web"},
			claim{local: judy, role: v1alpha1.RoleGuest, concurrencyGroup: "Web"},
			claim{local: nina, concurrencyGroup: "Nowhere"},
			claim{local: olivia, role: v1alpha1.RoleUser, concurrencyGroup: "QA"},
			claim{local: peggy, role: v1alpha1.RoleUser},
			claim{local: sybil, role: v1alpha1.RoleUser},
		),
	)
	if err != nil {
		return err
	}
	// The next POST is to be that of the person for whom the administrator is faster.
	s.settle(ctx)
	if err := s.race(ctx, claim{local: mallory}, simulator.Account{Active: true, Role: "Admin"}); err != nil {
		return err
	}
	s.settle(ctx)
	return s.race(ctx, claim{local: niaj}, simulator.Account{Role: "Admin"})
}

func (s *story) changeRoles(ctx context.Context) error {
	return firstError(
		s.patchUser(ctx, grace, userExtension+":OrganizationRole", "Guest"),
		s.redeclare(ctx, ivan, func(u *v1alpha1.LambdaTestUser) { u.Spec.Role = v1alpha1.RoleAdmin }),
		s.redeclare(ctx, lead, func(u *v1alpha1.LambdaTestUser) { u.Spec.Role = v1alpha1.RoleGuest }),
		s.request(ctx, ada),
	)
}

func (s *story) changeConcurrencyGroups(ctx context.Context) error {
	// LambdaTest may refuse what does not exist, or ignore it: then an answer that shows the former one tells.
	s.of(judy).may(v1alpha1.ConcurrencyGroupNotFoundReason, v1alpha1.UpstreamRejectedReason)
	s.of(judy).hidden = true
	return firstError(
		s.redeclare(ctx, judy, func(u *v1alpha1.LambdaTestUser) { u.Spec.ConcurrencyGroup = "Nowhere" }),
		s.patchUser(ctx, grace, userExtension+":LambdatestGroup", "QA"),
		s.redeclare(ctx, ivan, func(u *v1alpha1.LambdaTestUser) { u.Spec.ConcurrencyGroup = "QA" }),
		s.redeclare(ctx, ada, func(u *v1alpha1.LambdaTestUser) { u.Spec.ConcurrencyGroup = "Web" }),
	)
}

func (s *story) declareGroups(ctx context.Context) error {
	err := firstError(
		s.declareGroup(ctx, "testers", "Testers", v1alpha1.RoleUser, heidi, victor),
		s.provisionGroup(ctx, engineering, "Admin", grace, trent),
		s.declareGroup(ctx, "mobile", mobile, "", olivia),
		s.declareGroup(ctx, "team", team, "", peggy),
		s.declareGroup(ctx, "europe", europeans, ""),
		s.declareGroup(ctx, "temporary", temporary, v1alpha1.RoleGuest, ivan),
	)
	if err != nil {
		return err
	}
	s.settle(ctx)
	if err := s.deleteGroup(ctx, "temporary"); err != nil {
		return err
	}
	s.settle(ctx)
	return s.declareGroup(ctx, "temporary", temporary, "", ivan)
}

// mapGroups is what an administrator does in LambdaTest's console; then the claims of the members change.
func (s *story) mapGroups(ctx context.Context) error {
	s.LambdaTest.SetTeam(team, "QA Lead")
	err := firstError(
		s.LambdaTest.MapGroup(mobile, simulator.Mapping{Kind: simulator.ConcurrencyGroup, Target: mobile}),
		s.LambdaTest.MapGroup(team, simulator.Mapping{Kind: simulator.Team, Target: team}),
		s.LambdaTest.MapGroup(europeans, simulator.Mapping{Kind: simulator.SubOrganization, Target: "europe"}),
	)
	if err != nil {
		return err
	}
	s.of(olivia).may(v1alpha1.SetBackReason, v1alpha1.UpstreamRejectedReason)
	s.of(olivia).hidden = true
	s.of(peggy).may(v1alpha1.SetBackReason, v1alpha1.UpstreamRejectedReason)
	for _, local := range []string{rupert, sybil} {
		s.of(local).may(v1alpha1.AccountMovedReason)
	}
	return firstError(
		s.redeclare(ctx, olivia, func(u *v1alpha1.LambdaTestUser) { u.Spec.ConcurrencyGroup = "Web" }),
		s.redeclare(ctx, peggy, func(u *v1alpha1.LambdaTestUser) { u.Spec.Role = v1alpha1.RoleGuest }),
		s.changeGroup(ctx, "europe", func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members = []string{s.address(rupert), s.address(sybil)} }),
	)
}

func (s *story) renameGroups(ctx context.Context) error {
	return firstError(
		s.changeGroup(ctx, "testers", func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName = quality }),
		s.changeGroup(ctx, "mobile", func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName = "Mobile apps" }),
		s.changeGroup(ctx, "team", func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName = "The team" }),
	)
}

// deny takes access from people: by the provider, by a second claim, and for somebody who has moved.
func (s *story) deny(ctx context.Context) error {
	s.of(rupert).may(v1alpha1.DeniedButActiveReason)
	for _, local := range []string{trent, walter, grace, rupert} {
		s.of(local).offs++
	}
	return firstError(
		s.patchUser(ctx, trent, "", attributes{"active": false}),
		s.patchUser(ctx, walter, "", attributes{"active": false}),
		s.patchUser(ctx, rupert, "", attributes{"active": false}),
		s.declare(ctx, claim{local: grace, denies: true}),
	)
}

// revive gives access back: the provider reactivates one person, and Git takes the denial of another back.
func (s *story) revive(ctx context.Context) error {
	for _, local := range []string{trent, grace} {
		s.of(local).ons++
	}
	return firstError(
		s.patchUser(ctx, trent, "", attributes{"active": true}),
		s.delete(ctx, grace),
	)
}

// drift is what an administrator changes at LambdaTest itself; and one person comes back from the sub-organization.
func (s *story) drift(ctx context.Context) error {
	s.of(heidi).ons++
	s.of(walter).offs++
	s.of(ada).hidden = true
	if _, _, there := s.account(s.address(heidi)); there {
		s.LambdaTest.SetGroup(quality, []string{"Guest"}, s.address(heidi))
	}
	return firstError(
		s.edit(ivan, func(account *simulator.Account) { account.Role = "User" }),
		s.edit(heidi, func(account *simulator.Account) { account.Active = false }),
		s.edit(walter, func(account *simulator.Account) { account.Active = true }),
		s.edit(ada, func(account *simulator.Account) { account.ConcurrencyGroup = "QA" }),
		s.changeGroup(ctx, "europe", func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members = []string{s.address(rupert)} }),
	)
}

// idle waits while nothing changes.
func (s *story) idle(ctx context.Context) error {
	s.of(sybil).mayNot(v1alpha1.AccountMovedReason)
	return s.quietly(ctx, idleSweeps)
}

// restartedLeader waits until another process leads, and then for some sweeps: what was in force stays so without a write.
func (s *story) restartedLeader(ctx context.Context) error {
	calls := len(s.LambdaTest.Calls())
	if err := s.restarted(ctx); err != nil {
		return err
	}
	s.awaitSweeps(ctx, afterRestartSweeps)
	shot, err := s.snapshot(ctx)
	if err == nil {
		s.checkWrites(shot, s.LambdaTest.Calls()[calls:])
	}
	return err
}

// afterRestart changes something of every kind once more.
func (s *story) afterRestart(ctx context.Context) error {
	s.of(ivan).offs++
	return firstError(
		s.redeclare(ctx, ivan, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(false) }),
		s.patchUser(ctx, heidi, userExtension+":LambdatestGroup", "Web"),
		s.provision(ctx, claim{local: "newcomer", role: v1alpha1.RoleUser}),
		s.changeGroup(ctx, "testers", func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members = []string{s.address(victor)} }),
	)
}

// deleteAll lets everybody go: the provider deletes, Git prunes, and some accounts stay as they are.
func (s *story) deleteAll(ctx context.Context) error {
	for _, local := range []string{"newcomer", trent, ada, olivia, mallory} {
		s.of(local).offs++
	}
	for _, local := range []string{lead, niaj, peggy, sybil, judy, nina} {
		s.of(local).orphan = true
		if err := s.redeclare(ctx, local, func(u *v1alpha1.LambdaTestUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }); err != nil {
			return err
		}
	}
	for _, group := range []string{"testers", "mobile", "team", "temporary"} {
		if err := s.deleteGroup(ctx, group); err != nil {
			return err
		}
	}
	for _, local := range []string{"newcomer", trent, walter} {
		if err := s.deprovision(ctx, local); err != nil {
			return err
		}
	}
	for _, local := range []string{ada, ivan, olivia, mallory, lead, niaj, peggy, sybil, judy, nina, foreign, stray} {
		if err := s.delete(ctx, local); err != nil {
			return err
		}
	}
	return nil
}

func firstError(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// violation is a promise that was not kept.
type violation struct {
	Combination int    `json:"combination"`
	Step        string `json:"step"`
	Promise     string `json:"promise"`
	Whom        string `json:"whom,omitempty"`
	Detail      string `json:"detail"`
}

// violate records a violation, once for each promise and person.
func (s *story) violate(promise, whom, format string, args ...any) {
	v := violation{
		Combination: s.number, Step: s.step, Promise: promise,
		Whom: strings.ReplaceAll(whom, "@"+s.name()+".example.com", ""), Detail: fmt.Sprintf(format, args...),
	}
	if s.known[v.key()] {
		return
	}
	s.known[v.key()] = true
	s.found = append(s.found, v)
	s.run.progress("VIOLATION in combination %d, %s: %s: %s: %s", v.Combination, v.Step, v.Promise, v.Whom, v.Detail)
}

func (v violation) key() string { return v.Promise + "\x00" + v.Whom }
