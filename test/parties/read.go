// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package parties

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

// insistence is how often the final read is tried, with a pause in between.
const (
	insistence      = 50
	insistencePause = 100 * time.Millisecond
)

// ReadAll reads all people and groups once more, at each replica. A subject that cannot be read is a violation, because its final state is
// unknown.
func (w *World) ReadAll(ctx context.Context, organizations []*Organization) []promises.Violation {
	var all sync.WaitGroup
	unread := make([][]promises.Violation, len(organizations))
	for i, o := range organizations {
		reader := w.NewProvider(o, 0)
		all.Go(func() { unread[i] = reader.readAll(ctx) })
	}
	all.Wait()
	return slices.Concat(unread...)
}

func (p *Provider) readAll(ctx context.Context) []promises.Violation {
	var unread []promises.Violation
	people, groups := p.organization.Known()
	for _, person := range people {
		for replica := range p.world.Endpoints {
			unread = append(unread, insist(ctx, person.Key, func() error {
				_, err := p.Ask(ctx, replica, person, promises.UserRequest{Verb: promises.UserRead})
				return err
			})...)
		}
	}
	for _, group := range groups {
		id := group.groupID.Load()
		if id == nil {
			continue
		}
		for replica := range p.world.Endpoints {
			unread = append(unread, insist(ctx, group.Key, func() error {
				_, err := p.AskGroup(ctx, replica, group, promises.GroupRequest{Verb: promises.GroupRead, ID: *id})
				return err
			})...)
		}
	}
	return unread
}

// insist repeats a request until it is answered, because readAll sends more requests than the rate limit of one token.
func insist(ctx context.Context, whom string, ask func() error) []promises.Violation {
	var err error
	for range insistence {
		if err = ask(); err == nil {
			return nil
		}
		Pause(ctx, insistencePause)
	}
	return []promises.Violation{{Check: "unread", Whom: whom, Detail: err.Error()}}
}
