// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/parties"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

// scenario plays f in a bubble, and then compares what happened with the promises.
func scenario(t *testing.T, f func(t *testing.T, w *World, acme *tenant)) {
	t.Helper()
	t.Parallel()
	var found []promises.Violation
	var record *promises.Record
	var world *World
	leaks := Bubble(t, t.Name(), func(t *testing.T) {
		w := Open(t, Options{Seed: 1, Replicas: replicas, Organizations: []string{"acme"}, Log: logTo(t)})
		world = w
		f(t, w, w.tenants[0])
		found, record = w.JudgeSoon()
	})
	found = append(found, record.Violations("")...)
	for _, v := range found {
		t.Errorf("%s: %s: %s", v.Check, v.Whom, v.Detail)
	}
	for _, leak := range leaks {
		t.Errorf("a goroutine is left:\n%s", leak)
	}
	if t.Failed() && len(found) > 0 {
		write(t.Output(), world.timeline(), found[0].Whom)
	}
}

// TestATakeover crashes the leader before and after it has carried out a denial, in both ways.
func TestATakeover(t *testing.T) {
	for _, silently := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("silently %v, after the call %v", silently, after), func(t *testing.T) {
				scenario(t, func(t *testing.T, w *World, acme *tenant) {
					person := w.hire(t, acme)
					sprung := w.hooks.set(trap{
						place: atLambdaTest, after: after, on: func(kind string) bool { return kind == "PATCH /Users/{id}" },
						spring: func(r *replica) { r.crash(silently, time.Minute) },
					})
					w.mustDeny(t, acme, person)
					if !w.springs(sprung, time.Minute) {
						t.Fatal("the denial was not sent")
					}
					w.await(t, 25*time.Second, "the account is off", func() bool { return !w.isOn(acme, person) })
				})
			})
		}
	}
}

// TestATakeoverOfASettledOrganizationWritesNothing: a replica that takes over finds everything as it should be, and writes nothing.
func TestATakeoverOfASettledOrganizationWritesNothing(t *testing.T) {
	scenario(t, func(t *testing.T, w *World, acme *tenant) {
		for range 5 {
			w.hire(t, acme)
		}
		if found := w.settle(); len(found) > 0 {
			t.Fatal(found)
		}
		before, writes := w.resourceVersions(), w.upstreamWrites()
		w.ofLeader(func(r *replica) { r.crash(false, time.Minute) })
		w.sleep(time.Hour)
		for _, v := range append(promises.Moved(before, w.resourceVersions()), promises.Written(w.upstreamWrites()-writes)...) {
			t.Error(v)
		}
	})
}

// TestAnOutageOfTheAPIServer: a denial that was acknowledged right before is carried out once the API server is back, and one right after as well.
func TestAnOutageOfTheAPIServer(t *testing.T) {
	for _, lasts := range []time.Duration{5 * time.Second, time.Minute, 3 * time.Hour} {
		for _, silently := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, silently %v", lasts, silently), func(t *testing.T) {
				scenario(t, func(t *testing.T, w *World, acme *tenant) {
					before, after := w.hire(t, acme), w.hire(t, acme)
					w.mustDeny(t, acme, before)
					w.outage(apiHost, lasts, silently)
					w.mustDeny(t, acme, after)
					w.await(t, 40*time.Second, "both accounts are off", func() bool { return !w.isOn(acme, before) && !w.isOn(acme, after) })
				})
			})
		}
	}
}

// TestADenialPassesABacklog: people are hired while LambdaTest is away, and one who is denied meanwhile is off first when it is back.
func TestADenialPassesABacklog(t *testing.T) {
	scenario(t, func(t *testing.T, w *World, acme *tenant) {
		person := w.hire(t, acme)
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.outage(lambdaTestHost, 10*time.Minute, false)
		}()
		w.sleep(time.Minute)
		w.hiringWave(acme, rand.New(rand.NewPCG(1, 1)))
		w.mustDeny(t, acme, person)
		<-done
		w.await(t, 10*time.Second, "the account is off", func() bool { return !w.isOn(acme, person) })
	})
}

// TestASweepSetsBack: what people change at LambdaTest is set back by the next sweep.
func TestASweepSetsBack(t *testing.T) {
	scenario(t, func(t *testing.T, w *World, acme *tenant) {
		on, off := w.hire(t, acme), w.hire(t, acme)
		w.mustDeny(t, acme, off)
		w.await(t, 10*time.Second, "the account is off", func() bool { return !w.isOn(acme, off) })
		for range 3 {
			w.setActive(t, acme, on, false)
			w.setActive(t, acme, off, true)
			w.await(t, sweepBound, "both are set back", func() bool { return w.isOn(acme, on) && !w.isOn(acme, off) })
		}
	})
}

// TestAHandOver: a person whom Git declares is provisioned by the provider, and then Git's manifest goes; the person never loses access.
func TestAHandOver(t *testing.T) {
	scenario(t, func(t *testing.T, w *World, acme *tenant) {
		person := acme.Hire("both")
		claim := acme.Declaration(person.Name)
		if err := w.cluster.Create(w.ctx, claim); err != nil {
			t.Fatal(err)
		}
		w.await(t, time.Minute, "the account is on", func() bool { return w.isOn(acme, person) })
		w.mustCreate(t, acme, person)
		if err := w.cluster.Delete(w.ctx, claim); err != nil {
			t.Fatal(err)
		}
		w.ofLeader(func(r *replica) { r.crash(false, time.Second) })
		w.sleep(30 * time.Minute)
		for _, change := range w.changes()[person.Key] {
			if !change.After.Active {
				t.Errorf("the account was off at %s", change.At)
			}
		}
	})
}

// TestTheGuardHoldsWhileLeadersChange: of a prune by mistake, no leader lets more people go than the limit, and an approval lets all go.
func TestTheGuardHoldsWhileLeadersChange(t *testing.T) {
	scenario(t, func(t *testing.T, w *World, acme *tenant) {
		crew := acme.Crew()
		on := func() (n int) {
			for _, name := range crew {
				if account, there := acme.LambdaTest.Account(name); there && account.Active {
					n++
				}
			}
			return n
		}
		w.await(t, time.Minute, "the crew is on", func() bool { return on() == len(crew) })
		w.pruneCrew(acme)
		for i := range 4 {
			w.sleep(time.Duration(i) * 3 * time.Second)
			w.ofLeader(func(r *replica) { r.crash(i%2 == 0, time.Second) })
			w.sleep(time.Minute)
		}
		if left := on(); left < len(crew)-10 {
			t.Errorf("%d of %d are on", left, len(crew))
		}
		w.decide(acme, true)
		w.await(t, time.Minute, "the crew is off", func() bool { return on() == 0 })
	})
}

// TestARollingUpdateLosesNothing: requests that are answered while all replicas are replaced are not lost.
func TestARollingUpdateLosesNothing(t *testing.T) {
	scenario(t, func(t *testing.T, w *World, acme *tenant) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 3 {
				w.rollingUpdate()
			}
		}()
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
				acme.provider.Step(w.ctx)
				w.sleep(2 * time.Second)
			}
		}
		if turnedAway := w.parties.TurnedAway.Load(); turnedAway > 5 {
			t.Errorf("%d requests found no replica", turnedAway)
		}
	})
}

// TestEachWriteMayBeTheLast crashes the replica before and after each kind of write that the ordinary life of a person and a group has. The kinds
// are those that the API server and LambdaTest saw.
func TestEachWriteMayBeTheLast(t *testing.T) {
	scenario(t, func(t *testing.T, w *World, acme *tenant) {
		w.live(t, acme)
		tried := map[string]bool{}
		for {
			kinds := slices.Sorted(maps.Keys(w.hooks.covered()))
			kinds = slices.DeleteFunc(kinds, func(kind string) bool { return tried[kind] })
			if len(kinds) == 0 {
				break
			}
			for _, kind := range kinds {
				tried[kind] = true
				for _, after := range []bool{false, true} {
					w.crashAt(t, acme, kind, after)
				}
			}
		}
		if len(tried) < 12 {
			t.Errorf("only %d kinds of writes were seen: %v", len(tried), slices.Sorted(maps.Keys(tried)))
		}
	})
}

// crashAt lets a life go on until a kind of write has crashed its replica.
func (w *World) crashAt(t *testing.T, acme *tenant, kind string, after bool) {
	t.Helper()
	where := apiServer
	if kind[0] >= 'A' && kind[0] <= 'Z' {
		where = atLambdaTest
	}
	sprung := w.hooks.set(trap{
		place: where, after: after, on: func(k string) bool { return k == kind }, spring: func(r *replica) { r.crash(false, 2*time.Second) },
	})
	for range 2 {
		w.live(t, acme)
		if w.springs(sprung, time.Millisecond) {
			w.sleep(30 * time.Second)
			return
		}
	}
	w.hooks.forget()
	t.Logf("%s was not seen again", kind)
}

// springs waits for a trap, and tells whether it sprung.
func (w *World) springs(sprung <-chan struct{}, most time.Duration) bool {
	select {
	case <-sprung:
		return true
	case <-time.After(most):
		return false
	}
}

// live is an ordinary life: a person is hired, joins a group, gets another role, is denied, and is deleted; and Git declares another.
func (w *World) live(t *testing.T, acme *tenant) {
	t.Helper()
	person := w.hire(t, acme)
	random := rand.New(rand.NewPCG(1, 1))
	other := acme.Hire("declared")
	claim := acme.Declaration(other.Name)
	w.insist(func(ctx context.Context) error { return w.cluster.Create(ctx, claim) })
	group := acme.Team()
	w.askGroup(acme, group, promises.GroupRequest{Verb: promises.GroupCreate, Members: person.ID, Role: "Admin"}, random)
	w.sleep(5 * time.Second)
	w.ask(acme, person, promises.UserRequest{Verb: promises.UserReplace, Active: true, Role: "Guest"}, random)
	w.askGroup(acme, group, promises.GroupRequest{Verb: promises.GroupReplace, ID: group.GroupID()}, random)
	w.sleep(5 * time.Second)
	w.askGroup(acme, group, promises.GroupRequest{Verb: promises.GroupDelete, ID: group.GroupID()}, random)
	w.ask(acme, person, promises.UserRequest{Verb: promises.UserDelete}, random)
	w.insist(func(ctx context.Context) error { return w.cluster.Delete(ctx, claim) })
	w.sleep(5 * time.Second)
}

// hire lets the provider create a person, and waits until the account is on. The provider repeats a request that was not answered.
func (w *World) hire(t *testing.T, acme *tenant) *parties.Subject {
	t.Helper()
	person, random := acme.Hire("user"), rand.New(rand.NewPCG(1, 1))
	in := promises.UserRequest{Verb: promises.UserCreate, Role: "User", External: person.Key}
	for range attempts {
		w.ask(acme, person, in, random)
		for range 60 {
			if w.isOn(acme, person) {
				return person
			}
			w.sleep(time.Second)
		}
	}
	t.Fatalf("%s is not on", person.Name)
	return nil
}

func (w *World) mustCreate(t *testing.T, acme *tenant, person *parties.Subject) {
	t.Helper()
	in := promises.UserRequest{Verb: promises.UserCreate, Role: "User", External: person.Key}
	if !w.ask(acme, person, in, rand.New(rand.NewPCG(1, 1))) {
		t.Fatalf("%s was not created", person.Name)
	}
}

func (w *World) mustDeny(t *testing.T, acme *tenant, person *parties.Subject) {
	t.Helper()
	if !w.deny(acme, person, rand.New(rand.NewPCG(1, 1))) {
		t.Fatalf("the denial of %s was not acknowledged", person.Name)
	}
}

func (w *World) isOn(acme *tenant, person *parties.Subject) bool {
	account, there := acme.LambdaTest.Account(person.Name)
	return there && account.Active
}

// setActive changes an account at LambdaTest itself.
func (w *World) setActive(t *testing.T, acme *tenant, person *parties.Subject, active bool) {
	t.Helper()
	if _, err := acme.LambdaTest.EditAccount(person.Name, func(a *simulator.Account) { a.Active = active }); err != nil {
		t.Fatal(err)
	}
}

// await waits until something is so.
func (w *World) await(t *testing.T, most time.Duration, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(most); !is(); w.sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("after %s it is not so: %s", most, what)
			return
		}
	}
}
