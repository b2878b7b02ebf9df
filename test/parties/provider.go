// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package parties

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

// waveSize people are hired at once, by so many hands: it takes LambdaTest ten seconds to follow, and a denial must not wait for that.
const (
	waveSize  = 200
	waveHands = 16
)

// Provider is one client of an identity provider.
type Provider struct {
	world        *World
	organization *Organization
	number       int
	random       *rand.Rand
	pause        time.Duration
}

// NewProvider returns a client of an organization's identity provider. Work pauses that long between two requests, give or take a half.
func (w *World) NewProvider(o *Organization, pause time.Duration) *Provider {
	return &Provider{world: w, organization: o, number: int(w.numbers.Add(1)), random: w.Chance(), pause: pause}
}

// Work implements Party.
func (p *Provider) Work(ctx context.Context) {
	for ctx.Err() == nil {
		p.Step(ctx)
		Pause(ctx, p.pause/2+time.Duration(p.random.Int64N(int64(p.pause))))
	}
}

// Step implements Party: it sends one request.
func (p *Provider) Step(ctx context.Context) {
	if p.random.IntN(6) == 0 {
		p.askAboutGroup(ctx, p.organization.Group(p.random))
	} else {
		p.askAboutUser(ctx, p.organization.Person(p.random))
	}
}

func (p *Provider) askAboutUser(ctx context.Context, person *Subject) {
	if _, err := p.Ask(ctx, p.world.replica(p.random), person, p.userRequest(person)); errors.Is(err, ErrNoAnswer) {
		person.unknown.Add(1)
	}
}

// userRequest invents a request about a person.
func (p *Provider) userRequest(person *Subject) promises.UserRequest {
	in := promises.UserRequest{Verb: p.userVerb(person), Display: p.world.unique(), Role: p.role()}
	switch in.Verb {
	case promises.UserCreate:
		in.External = person.Key
		if person.leaver {
			in.External = p.world.unique() // another person with the same address
		}
	case promises.UserActivate:
		in.Active = p.random.IntN(2) == 0
	case promises.UserReplace:
		in.Active = p.random.IntN(3) > 0
	case promises.UserRenameIf:
		if tag := person.tag.Load(); tag != nil {
			in.Tag = *tag
		} else {
			in.Verb = promises.UserRename
		}
	}
	return meaningful(in)
}

// meaningful removes the fields that the verb does not use.
func meaningful(r promises.UserRequest) promises.UserRequest {
	switch r.Verb {
	case promises.UserCreate, promises.UserReplace:
	case promises.UserRename, promises.UserRenameIf:
		r.Role = ""
	default:
		r.Role, r.Display = "", ""
	}
	return r
}

func (p *Provider) userVerb(person *Subject) string {
	if !person.there.Load() {
		return promises.UserCreate
	}
	switch n := p.random.IntN(100); {
	case n < 28:
		return promises.UserRead
	case n < 38:
		return promises.UserCreate
	case n < 60:
		return promises.UserActivate
	case n < 72:
		return promises.UserRename
	case n < 78:
		return promises.UserRenameIf
	case n < 88:
		return promises.UserReplace
	case n < 92:
		return promises.UserDenyOddly
	case n < 95:
		return promises.UserDenyAndRole
	case person.leaver:
		return promises.UserDelete
	}
	return promises.UserRead
}

func (p *Provider) role() string {
	return []string{"Admin", "User", "Guest"}[p.random.IntN(3)]
}

// Ask sends a request about a person to one replica, and records it. It returns ErrNoAnswer when the outcome is unknown, and ErrNotSent when
// the request had no effect.
func (p *Provider) Ask(ctx context.Context, replica int, person *Subject, in promises.UserRequest) (promises.UserAnswer, error) {
	method, path, body := userWire(in, person.Name, person.ID)
	o := promises.UserOperation{Subject: person.Key, Client: p.number, Call: p.world.Now(), In: in}
	answer, err := p.world.Endpoints[replica].Send(ctx, *p.organization.Token.Load(), method, path, in.Tag, body)
	o.Return = p.world.Now()
	switch {
	case err == nil:
		o.Out = userAnswered(answer)
		if o.Out.Tag != "" {
			person.tag.Store(&o.Out.Tag)
		}
		if o.Out.Acknowledged() && in.Verb == promises.UserCreate {
			person.there.Store(true)
			person.sure.Store(true)
		}
	case errors.Is(err, ErrNoAnswer) && in.Writes():
		o.Out, o.Return = promises.UserAnswer{Unknown: true, Detail: err.Error()}, promises.Forever
		person.there.Store(person.there.Load() || in.Verb == promises.UserCreate)
	default:
		p.world.TurnedAway.Add(1)
		return promises.UserAnswer{}, err
	}
	person.operations.Add(1)
	p.world.Users.Add(o)
	return o.Out, err
}

func (p *Provider) askAboutGroup(ctx context.Context, group *Subject) {
	if _, err := p.AskGroup(ctx, p.world.replica(p.random), group, p.groupRequest(group)); errors.Is(err, ErrNoAnswer) {
		group.unknown.Add(1)
	}
}

func (p *Provider) groupRequest(group *Subject) promises.GroupRequest {
	in := promises.GroupRequest{Verb: promises.GroupCreate, Members: p.organization.members(p.random), Role: []string{"", "User", "Admin"}[p.random.IntN(3)]}
	id := group.groupID.Load()
	if id == nil {
		return in
	}
	role := in.Role
	in.ID, in.Role = *id, ""
	switch n := p.random.IntN(100); {
	case n < 30:
		in.Verb, in.Members = promises.GroupRead, ""
	case n < 55:
		in.Verb = promises.GroupAdd
	case n < 75:
		in.Verb = promises.GroupRemove
	case n < 88:
		in.Verb = promises.GroupReplace
	case n < 94:
		in.Verb, in.ID, in.Role = promises.GroupCreate, "", role
	default:
		in.Verb, in.Members = promises.GroupDelete, ""
	}
	if in.Members == "" && (in.Verb == promises.GroupAdd || in.Verb == promises.GroupRemove) {
		in.Verb = promises.GroupRead
	}
	return in
}

// AskGroup is Ask about a group.
func (p *Provider) AskGroup(ctx context.Context, replica int, group *Subject, in promises.GroupRequest) (promises.GroupAnswer, error) {
	method, path, body := groupWire(in, group.Name)
	o := promises.GroupOperation{Subject: group.Key, Client: p.number, Call: p.world.Now(), In: in}
	answer, err := p.world.Endpoints[replica].Send(ctx, *p.organization.Token.Load(), method, path, "", body)
	o.Return = p.world.Now()
	switch {
	case err == nil:
		o.Out = groupAnswered(answer)
		if in.Verb == promises.GroupCreate {
			group.groupID.Store(p.idOf(group, o.Out))
		}
	case errors.Is(err, ErrNoAnswer) && in.Writes():
		o.Out, o.Return = promises.GroupAnswer{Unknown: true, Detail: err.Error()}, promises.Forever
	default:
		p.world.TurnedAway.Add(1)
		return promises.GroupAnswer{}, err
	}
	group.operations.Add(1)
	p.world.Groups.Add(o)
	return o.Out, err
}

// idOf is the id of a group that was created, also if the answer to its creation was lost.
func (p *Provider) idOf(group *Subject, answer promises.GroupAnswer) *string {
	if answer.Acknowledged() {
		return &answer.ID
	}
	if known := group.groupID.Load(); known != nil {
		return known
	}
	first := v1alpha1.SCIMGroupName(p.organization.Name, group.Name, 0)
	return &first
}

// HireWave creates many people at once, and then denies those who were there before: denials overtake the backlog.
func (p *Provider) HireWave(ctx context.Context) {
	wave, earlier := p.organization.wave(waveSize)
	var all sync.WaitGroup
	hands := make(chan struct{}, waveHands)
	for i, person := range wave {
		hands <- struct{}{}
		all.Go(func() {
			defer func() { <-hands }()
			in := promises.UserRequest{Verb: promises.UserCreate, Display: p.world.unique(), Role: "User", External: person.Key}
			_, _ = p.Ask(ctx, i%len(p.world.Endpoints), person, in) // the history has what became of it
		})
	}
	for _, person := range earlier {
		_, _ = p.Ask(ctx, p.world.replica(p.random), person, promises.UserRequest{Verb: promises.UserActivate})
	}
	all.Wait()
}
