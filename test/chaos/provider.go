// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

const (
	// currentPeople and currentGroups are how many subjects of an organization clients work on at a time; several clients share each.
	currentPeople = 6
	currentGroups = 2
	// lifeOperations and lifeUnknown bound the history of one person or group: the checker's work grows with the first, and doubles
	// with each of the second.
	lifeOperations = 70
	lifeUnknown    = 8

	// clients of each identity provider, and how long they pause between requests.
	clientsPerTenant = 4
	clientPause      = 60 * time.Millisecond
	// waveSize people are hired at once, by so many hands: it takes LambdaTest ten seconds to follow, and a denial must not wait for that.
	waveSize  = 200
	waveHands = 16
	// insistence is how often the final read is tried, with a pause in between.
	insistence      = 50
	insistencePause = 100 * time.Millisecond
)

// subject is a person or group that clients work on, until its history is long enough.
type subject struct {
	key, name, id string
	operations    atomic.Int32
	unknown       atomic.Int32
	// leaver is true for a person who may be deleted. Others may be members of groups.
	leaver bool
	// there is true for a person who may have been created, sure for one who certainly was.
	there, sure atomic.Bool
	tag         atomic.Pointer[string]
	// groupID is the id that the group was last created under.
	groupID atomic.Pointer[string]
}

func (s *subject) spent() bool {
	return s.operations.Load() >= lifeOperations || s.unknown.Load() >= lifeUnknown
}

// roster is the people and groups of an organization that clients work on.
type roster struct {
	mu        sync.Mutex
	number    int
	people    []*subject
	groups    []*subject
	everyone  []*subject
	allGroups []*subject
}

// person returns a person to work on. A person with a long history is replaced by a new one.
func (t *tenant) person(random *rand.Rand) *subject {
	t.roster.mu.Lock()
	defer t.roster.mu.Unlock()
	t.roster.people = slices.DeleteFunc(t.roster.people, (*subject).spent)
	for len(t.roster.people) < currentPeople {
		t.roster.people = append(t.roster.people, t.hire("user"))
	}
	return t.roster.people[random.IntN(len(t.roster.people))]
}

// hire invents a person. The caller holds the lock.
func (t *tenant) hire(what string) *subject {
	t.roster.number++
	userName := t.address(fmt.Sprintf("%s-%04d", what, t.roster.number))
	s := &subject{key: t.name + "/" + userName, name: userName, id: v1alpha1.SCIMUserName(t.name, userName), leaver: t.roster.number%2 == 0}
	t.roster.everyone = append(t.roster.everyone, s)
	return s
}

func (t *tenant) group(random *rand.Rand) *subject {
	t.roster.mu.Lock()
	defer t.roster.mu.Unlock()
	t.roster.groups = slices.DeleteFunc(t.roster.groups, (*subject).spent)
	for len(t.roster.groups) < currentGroups {
		t.roster.number++
		name := fmt.Sprintf("Group %d", t.roster.number)
		s := &subject{key: t.name + "/" + v1alpha1.FoldDisplayName(name), name: name}
		t.roster.groups = append(t.roster.groups, s)
		t.roster.allGroups = append(t.roster.allGroups, s)
	}
	return t.roster.groups[random.IntN(len(t.roster.groups))]
}

// members returns ids of people who exist and will not be deleted.
func (t *tenant) members(random *rand.Rand) string {
	t.roster.mu.Lock()
	defer t.roster.mu.Unlock()
	var ids []string
	for _, person := range t.roster.people {
		if !person.leaver && person.sure.Load() && random.IntN(2) == 0 {
			ids = append(ids, person.id)
		}
	}
	return setOf(ids)
}

// known returns all people so far.
func (t *tenant) known() (people, groups []*subject) {
	t.roster.mu.Lock()
	defer t.roster.mu.Unlock()
	return slices.Clone(t.roster.everyone), slices.Clone(t.roster.allGroups)
}

// provider is one client of an identity provider.
type provider struct {
	run    *run
	tenant *tenant
	number int
	random *rand.Rand
}

func (p *provider) work(ctx context.Context) {
	for ctx.Err() == nil {
		if p.random.IntN(6) == 0 {
			p.askAboutGroup(ctx, p.tenant.group(p.random))
		} else {
			p.askAboutUser(ctx, p.tenant.person(p.random))
		}
		pause(ctx, clientPause/2+rand.N(clientPause))
	}
}

func (p *provider) askAboutUser(ctx context.Context, person *subject) {
	if _, err := p.user(ctx, p.run.replica(p.random), person, p.userRequest(person)); errors.Is(err, errNoAnswer) {
		person.unknown.Add(1)
	}
}

// userRequest invents a request about a person.
func (p *provider) userRequest(person *subject) userRequest {
	in := userRequest{Verb: p.userVerb(person), Display: p.run.unique(), Role: p.role()}
	switch in.Verb {
	case userCreate:
		in.External = person.key
		if person.leaver {
			in.External = p.run.unique() // another person with the same address
		}
	case userActivate:
		in.Active = p.random.IntN(2) == 0
	case userReplace:
		in.Active = p.random.IntN(3) > 0
	case userRenameIf:
		if tag := person.tag.Load(); tag != nil {
			in.Tag = *tag
		} else {
			in.Verb = userRename
		}
	}
	return in.meaningful()
}

// meaningful removes the fields that the verb does not use.
func (r userRequest) meaningful() userRequest {
	switch r.Verb {
	case userCreate, userReplace:
	case userRename, userRenameIf:
		r.Role = ""
	default:
		r.Role, r.Display = "", ""
	}
	return r
}

func (p *provider) userVerb(person *subject) string {
	if !person.there.Load() {
		return userCreate
	}
	switch n := p.random.IntN(100); {
	case n < 28:
		return userRead
	case n < 38:
		return userCreate
	case n < 60:
		return userActivate
	case n < 72:
		return userRename
	case n < 78:
		return userRenameIf
	case n < 88:
		return userReplace
	case n < 92:
		return userDenyOddly
	case n < 95:
		return userDenyAndRole
	case person.leaver:
		return userDelete
	}
	return userRead
}

func (p *provider) role() string {
	return []string{"Admin", "User", "Guest"}[p.random.IntN(3)]
}

// user sends a request about a person to one replica, and records it.
func (p *provider) user(ctx context.Context, replica int, person *subject, in userRequest) (userAnswer, error) {
	method, path, body := in.wire(person.name, person.id)
	o := userOperation{Subject: person.key, Client: p.number, Call: p.run.now(), In: in}
	answer, err := p.run.clients[replica].send(ctx, *p.tenant.token.Load(), method, path, in.Tag, body)
	o.Return = p.run.now()
	switch {
	case err == nil:
		o.Out = userAnswered(answer)
		if o.Out.Tag != "" {
			person.tag.Store(&o.Out.Tag)
		}
		if o.Out.acknowledged() && in.Verb == userCreate {
			person.there.Store(true)
			person.sure.Store(true)
		}
	case errors.Is(err, errNoAnswer) && in.writes():
		o.Out, o.Return = userAnswer{Unknown: true, Detail: err.Error()}, forever
		person.there.Store(person.there.Load() || in.Verb == userCreate)
	default:
		p.run.turnedAway.Add(1)
		return userAnswer{}, err
	}
	person.operations.Add(1)
	p.run.users.add(o)
	return o.Out, err
}

func (p *provider) askAboutGroup(ctx context.Context, group *subject) {
	if _, err := p.groupOperation(ctx, p.run.replica(p.random), group, p.groupRequest(group)); errors.Is(err, errNoAnswer) {
		group.unknown.Add(1)
	}
}

func (p *provider) groupRequest(group *subject) groupRequest {
	in := groupRequest{Verb: groupCreate, Members: p.tenant.members(p.random), Role: []string{"", "User", "Admin"}[p.random.IntN(3)]}
	id := group.groupID.Load()
	if id == nil {
		return in
	}
	role := in.Role
	in.ID, in.Role = *id, ""
	switch n := p.random.IntN(100); {
	case n < 30:
		in.Verb, in.Members = groupRead, ""
	case n < 55:
		in.Verb = groupAdd
	case n < 75:
		in.Verb = groupRemove
	case n < 88:
		in.Verb = groupReplace
	case n < 94:
		in.Verb, in.ID, in.Role = groupCreate, "", role
	default:
		in.Verb, in.Members = groupDelete, ""
	}
	if in.Members == "" && (in.Verb == groupAdd || in.Verb == groupRemove) {
		in.Verb = groupRead
	}
	return in
}

// groupOperation sends a request about a group to one replica, and records it.
func (p *provider) groupOperation(ctx context.Context, replica int, group *subject, in groupRequest) (groupAnswer, error) {
	method, path, body := in.wire(group.name)
	o := groupOperation{Subject: group.key, Client: p.number, Call: p.run.now(), In: in}
	answer, err := p.run.clients[replica].send(ctx, *p.tenant.token.Load(), method, path, "", body)
	o.Return = p.run.now()
	switch {
	case err == nil:
		o.Out = groupAnswered(answer)
		if in.Verb == groupCreate {
			group.groupID.Store(p.idOf(group, o.Out))
		}
	case errors.Is(err, errNoAnswer) && in.writes():
		o.Out, o.Return = groupAnswer{Unknown: true, Detail: err.Error()}, forever
	default:
		p.run.turnedAway.Add(1)
		return groupAnswer{}, err
	}
	group.operations.Add(1)
	p.run.groups.add(o)
	return o.Out, err
}

// idOf is the id of a group that was created, also if the answer to its creation was lost.
func (p *provider) idOf(group *subject, answer groupAnswer) *string {
	if answer.acknowledged() {
		return &answer.ID
	}
	if known := group.groupID.Load(); known != nil {
		return known
	}
	first := v1alpha1.SCIMGroupName(p.tenant.name, group.name, 0)
	return &first
}

// hireWave creates many people at once, and then denies those who were there before: denials overtake the backlog.
func (p *provider) hireWave(ctx context.Context) {
	wave, earlier := p.tenant.wave()
	var all sync.WaitGroup
	hands := make(chan struct{}, waveHands)
	for i, person := range wave {
		hands <- struct{}{}
		all.Go(func() {
			defer func() { <-hands }()
			in := userRequest{Verb: userCreate, Display: p.run.unique(), Role: "User", External: person.key}
			_, _ = p.user(ctx, i%replicas, person, in) // the history has what became of it
		})
	}
	for _, person := range earlier {
		_, _ = p.user(ctx, p.run.replica(p.random), person, userRequest{Verb: userActivate})
	}
	all.Wait()
}

// wave makes up many new people, and returns those who are worked on already, too.
func (t *tenant) wave() (wave, earlier []*subject) {
	t.roster.mu.Lock()
	defer t.roster.mu.Unlock()
	for range waveSize {
		wave = append(wave, t.hire("wave"))
	}
	return wave, slices.Clone(t.roster.people)
}

// readAll reads all people and groups once more, at each replica. A subject that cannot be read is a violation, because its final state is
// unknown.
func (r *run) readAll(ctx context.Context) []violation {
	var all sync.WaitGroup
	unread := make([][]violation, len(r.tenants))
	for i, t := range r.tenants {
		reader := r.newProvider(t)
		people, groups := t.known()
		all.Go(func() {
			for _, person := range people {
				for replica := range replicas {
					unread[i] = append(unread[i], insist(ctx, person.key, func() error {
						_, err := reader.user(ctx, replica, person, userRequest{Verb: userRead})
						return err
					})...)
				}
			}
			for _, group := range groups {
				id := group.groupID.Load()
				if id == nil {
					continue
				}
				for replica := range replicas {
					unread[i] = append(unread[i], insist(ctx, group.key, func() error {
						_, err := reader.groupOperation(ctx, replica, group, groupRequest{Verb: groupRead, ID: *id})
						return err
					})...)
				}
			}
		})
	}
	all.Wait()
	return slices.Concat(unread...)
}

// insist repeats a request until it is answered, because readAll sends more requests than the rate limit of one token.
func insist(ctx context.Context, whom string, ask func() error) []violation {
	var err error
	for range insistence {
		if err = ask(); err == nil {
			return nil
		}
		pause(ctx, insistencePause)
	}
	return []violation{{Check: "unread", Whom: whom, Detail: err.Error()}}
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// organizationOf is the first part of a subject's key.
func organizationOf(key string) string {
	organization, _, _ := strings.Cut(key, "/")
	return organization
}
