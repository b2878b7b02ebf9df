// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/deletion"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Guard is the memory of the guard of one organization. No caller waits here: a request that is not answered yet is queued for the next
// write; see Run.
type Guard struct {
	*Store
	Organization
	organization types.NamespacedName
	// work says that there is something to write.
	work chan struct{}

	mu sync.Mutex
	// state is status.guard as it was last read or written, and byName has its entries by the resource that they are about. A write
	// replaces both; nothing else changes them.
	state  *policy
	byName map[string][]string
	// What the next write carries: questions by key, proposals, entries that are over, and how many denials, and people of resources that
	// disappeared, status does not count yet.
	queue     map[string]Request
	proposed  map[proposal]settlement
	over      sets.Set[string]
	uncounted int32
	vanished  int32
	// askers made a request that is held.
	askers sets.Set[string]
	// unlisted are questions whose entries status has no room for, by key. They are asked again when there is room.
	unlisted map[string]answered
	// refused is the last token of a proposal that was refused, and others the last one that approves a sweep.
	refused, others string
	// refusedPart is the last value that named a resource about which nothing was held: another set has another token, so it stays refused.
	refusedPart string
	// denied are the people who were denied explicitly since deniedSince.
	denied      sets.Set[string]
	deniedSince time.Time

	// changedAt is when the held set last changed, and reported the token that the organization's condition has.
	changedAt time.Time
	reported  string
	// announced says that an event was recorded about the set that is held.
	announced bool
	// alerted is the window for which an alert about many denials was raised.
	alerted time.Time
}

// Store is what the guards of all organizations read and write with.
type Store struct {
	Client client.Client
	// Live reads from the API server.
	Live         client.Reader
	Recorder     events.EventRecorder
	Terminations *deletion.Terminations
	Now          func() time.Time
	Audit        audit.Log
}

// Organization are what a guard needs of its organization.
type Organization struct {
	// Account returns the account of a person, if one is known.
	Account func(user string) (lambdatest.User, bool)
	// Wake reconciles those again who asked about something of that kind.
	Wake func(kind Kind, askers ...string)
	// Changed reconciles the organization, whose status is to follow.
	Changed func()
	// IsOthers tells whether a token approves a sweep of the organization.
	IsOthers func(token string) bool
}

// answered is a request with its verdict.
type answered struct {
	Request
	verdict Verdict
}

// New returns the guard of an organization. It holds nothing until Load has read what the API server has.
func New(store *Store, organization types.NamespacedName, calls Organization) *Guard {
	return &Guard{
		Store: store, Organization: calls, organization: organization,
		work: make(chan struct{}, 1), state: policyOf(nil), byName: map[string][]string{},
		queue: map[string]Request{}, proposed: map[proposal]settlement{}, over: sets.Set[string]{},
		askers: sets.Set[string]{}, unlisted: map[string]answered{}, denied: sets.Set[string]{},
	}
}

// learn takes what the API server has.
func (g *Guard) learn(stored *v1alpha1.GuardStatus, now time.Time) {
	state, byName := policyOf(stored), map[string][]string{}
	for _, list := range state.lists() {
		for entry := range list.Set {
			byName[NameIn(entry)] = append(byName[NameIn(entry)], entry)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state.token() != state.token() {
		g.changedAt = now
	}
	g.state, g.byName = state, byName
	g.announced = g.announced && state.held.Len() > 0
}

// Ask answers from memory what was decided before. Anything else is queued.
func (g *Guard) Ask(request Request) Verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	verdict := g.recall(request)
	switch verdict {
	case Held:
		g.askers.Insert(request.Asker)
	case Pending:
		g.queue[request.key()] = request
		g.poke()
	case Admitted, Rejected, Deferred:
	}
	return verdict
}

func (g *Guard) recall(request Request) Verdict {
	if g.over.HasAny(request.Entries...) {
		return Pending
	}
	if question, waits := g.unlisted[request.key()]; waits {
		return question.verdict
	}
	return g.state.recall(request)
}

// propose queues an annotation that decides about the held set, unless its token was handled before, here or by the sweeps. by is who says to have
// decided, if that is known.
func (g *Guard) propose(annotation, value, by string) {
	token := v1alpha1.DecisionOf(value).Token
	forSweep := g.IsOthers(token)
	g.mu.Lock()
	defer g.mu.Unlock()
	if forSweep {
		g.others = token
	}
	handled := token == g.others || value == g.refusedPart || token == g.state.approved.token || token == g.state.rejected.token ||
		token == g.refused && token != g.state.token()
	if !handled {
		g.proposed[proposal{annotation, value, by}] = settlement{}
	}
}

// Resolve notes that every request about these resources is over, except for the entries that still are asked about. A rejected entry
// outlives its resource: it keeps a role, or a denial, until the resource is declared again.
func (g *Guard) Resolve(names []string, living map[string]bool, still ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, name := range names {
		withdrawn := func(request Request) bool {
			return NameIn(request.Entries[0]) == name && !slices.Contains(still, request.Entries[0])
		}
		maps.DeleteFunc(g.queue, func(_ string, question Request) bool { return withdrawn(question) })
		maps.DeleteFunc(g.unlisted, func(_ string, question answered) bool { return withdrawn(question.Request) })
		for _, entry := range g.byName[name] {
			keeps := g.state.keeps(entry) && !living[name]
			if !slices.Contains(still, entry) && !keeps {
				g.over.Insert(entry)
			}
		}
	}
}

// Keeps tells whether a rejection keeps what a resource that is gone had decided.
func (g *Guard) Keeps(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.byName[name], func(entry string) bool { return g.state.keeps(entry) && !g.over.Has(entry) })
}

// Holds tells whether a request about a resource is held.
func (g *Guard) Holds(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.byName[name], g.state.held.Has)
}

// known is status.guard as it was last read or written. It is not changed.
func (g *Guard) known() *policy {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state
}

// Pending tells whether there is something to write.
func (g *Guard) Pending() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.over)+len(g.queue)+len(g.proposed) > 0 || g.uncounted > 0 || g.vanished > 0
}

// takeAskers hands over everybody whose request is held.
func (g *Guard) takeAskers() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	askers := g.askers.UnsortedList()
	clear(g.askers)
	return askers
}

// CountDenial counts an explicit denial, once a person and hour. Many of them raise an alert, also where no limit is set.
func (g *Guard) CountDenial(user string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !now.Before(g.deniedSince.Add(window)) {
		clear(g.denied)
		g.deniedSince = now
	}
	if !g.denied.Has(user) {
		g.denied.Insert(user)
		g.uncounted++
	}
}

// CountVanished counts the people of a resource that disappeared although the operator did not remove its finalizer. They use up the implicit
// limit of the hour, so that later losses are held sooner.
func (g *Guard) CountVanished(people int) {
	if people == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.vanished += *status.Int32(people)
	g.poke()
}
