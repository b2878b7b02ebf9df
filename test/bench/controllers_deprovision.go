// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

const (
	// denials are made in a round, and fewestDenials at least while others wait.
	denials, fewestDenials = 120, 40
	// denialPoll is the pause between two checks whether an account is deactivated. It only spaces the denials: the measured time is that
	// which the simulated LambdaTest recorded.
	denialPoll = 2 * time.Millisecond
	// farewellTimeout is more than any promise.
	farewellTimeout = 30 * time.Second
)

func deprovision(ctx context.Context, r *run) error {
	var idle, queued []float64
	var slowestIdle, slowestQueued time.Duration
	rounds := r.rounds(3)
	p, err := r.limited(ctx, "leaving")
	if err != nil {
		return err
	}
	if err := p.employ(ctx, 2*rounds*denials); err != nil {
		return err
	}
	for round := range rounds {
		times, err := p.dismiss(ctx, (2*round)*denials, func() bool { return true })
		if err != nil {
			return err
		}
		idle, slowestIdle = append(idle, slowOf(times)), max(slowestIdle, slices.Max(times))
		if times, err = p.dismissWhileOthersCome(ctx, (2*round+1)*denials, r.newcomers()); err != nil {
			return err
		}
		queued, slowestQueued = append(queued, slowOf(times)), max(slowestQueued, slices.Max(times))
	}
	detail := fmt.Sprintf("99th percentile of up to %d denials in each round, without the %s that the call takes at LambdaTest", denials, upstreamLatency)
	slowest := func(of time.Duration) string {
		return fmt.Sprintf("the slowest of all, with that: %s ms", number(milliseconds(of)))
	}
	return errors.Join(
		r.record("deprovision", idle, detail, slowest(slowestIdle)),
		r.record("deprovision-queued", queued, detail, slowest(slowestQueued), fmt.Sprintf("%d creations wait at %d calls a second", r.newcomers(), callsPerSecond)),
	)
}

// dismissWhileOthersCome denies people while many others wait for their accounts. The others all exist before the first is processed, so
// that the queue is as long as possible.
func (p *people) dismissWhileOthersCome(ctx context.Context, after, newcomers int) ([]time.Duration, error) {
	if err := p.suspend(ctx, true); err != nil {
		return nil, err
	}
	if err := p.hire(ctx, p.count+newcomers); err != nil {
		return nil, err
	}
	created := p.LambdaTest.Count(createAccount)
	if err := p.suspend(ctx, false); err != nil {
		return nil, err
	}
	if err := p.await(ctx, func(context.Context) error {
		if p.LambdaTest.Count(createAccount) == created {
			return errors.New("no account was created yet")
		}
		return nil
	}); err != nil {
		return nil, err
	}
	times, err := p.dismiss(ctx, after, func() bool { return p.LambdaTest.Count(createAccount) < created+newcomers })
	if err != nil {
		return nil, err
	}
	if len(times) < fewestDenials {
		return nil, fmt.Errorf("the others had all got their accounts after %d denials", len(times))
	}
	return times, p.settled(ctx)
}

// dismiss denies people through the SCIM endpoint, one after the other and as long as goOn says, and returns how long each kept access after the answer.
func (p *people) dismiss(ctx context.Context, after int, goOn func() bool) ([]time.Duration, error) {
	provider := newProvider(p.env.Front.SCIMURL, p.SCIMToken)
	answered := map[string]time.Time{}
	for i := 0; i < denials && goOn(); i++ {
		who := p.person(after + i + 1)
		if err := provider.deactivate(ctx, who); err != nil {
			return nil, err
		}
		answered[who.userName()] = time.Now()
		if err := p.awaitOff(ctx, who); err != nil {
			return nil, err
		}
	}
	return p.keptAccess(answered), nil
}

func (p *provider) deactivate(ctx context.Context, who person) error {
	change := patch(object{"op": "replace", "path": "active", "value": false})
	_, err := p.send(ctx, http.MethodPatch, "/Users/"+who.id(), change, http.StatusOK)
	return err
}

func (p *people) awaitOff(ctx context.Context, who person) error {
	ctx, cancel := context.WithTimeout(ctx, farewellTimeout)
	defer cancel()
	ticker := time.NewTicker(denialPoll)
	defer ticker.Stop()
	for {
		if account, there := p.LambdaTest.Account(who.userName()); there && !account.Active {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s is off: %w", who.userName(), ctx.Err())
		case <-ticker.C:
		}
	}
}

// keptAccess is the time from the answer to the deactivation of the account. It may be negative, because the answer also takes time.
func (p *people) keptAccess(answered map[string]time.Time) []time.Duration {
	var times []time.Duration
	for _, change := range p.LambdaTest.Changes() {
		if since, denied := answered[change.After.UserName]; denied && change.Before.Active && !change.After.Active {
			times = append(times, change.Time.Sub(since))
		}
	}
	return times
}

// slowOf is the 99th percentile, without what a call takes at LambdaTest, in milliseconds.
func slowOf(times []time.Duration) float64 {
	return milliseconds(tally{latencies: slices.Sorted(slices.Values(times))}.at(0.99) - upstreamLatency)
}
