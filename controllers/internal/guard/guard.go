// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/deletion"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Guard is what is in memory about the guard of one organization: status.guard as it was last read or written, who asks, and who waits.
// Whoever asks never waits here: what is not known is queued, and one goroutine an organization writes down the answers; see run.
type Guard struct {
	*Store
	Organization
	organization types.NamespacedName
	// work says that there is something to write.
	work chan struct{}

	mu    sync.Mutex
	state *policy
	// byName finds entries by whom they are about.
	byName map[string][]string
	// queue has the questions, by what they are about, and proposed the annotations that are to be decided about.
	queue    map[string]Request
	proposed map[proposal]struct{}
	// over are entries to be dropped with the next write.
	over entrySet
	// askers wait for a decision.
	askers map[string]struct{}
	// crowded are questions whose answer is listed nowhere, for want of room; they are asked again when there is some.
	crowded map[string]crowdedQuestion
	// changedAt is when the held set last changed, told is the token in the organization's condition.
	changedAt time.Time
	told      string
	// announced says that an event told of the set that is held.
	announced bool
	// stale is the last annotation that named no set.
	stale string
	// others is the last token that was not about the guard, but about a sweep.
	others string
	// denied are the people who were denied explicitly since deniedSince, uncounted how many of them status does not count yet.
	denied      map[string]struct{}
	deniedSince time.Time
	uncounted   int
	// alerted is the window in which somebody was told that many people are denied.
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
}

// Organization are what a guard needs of its organization.
type Organization struct {
	// Account returns the account of a person, if one is known.
	Account func(user string) (lambdatest.User, bool)
	// Wake looks again at those who asked about something of that kind.
	Wake func(kind Kind, askers ...string)
	// Changed says that the organization's status is to follow.
	Changed func()
	// IsOthers tells whether a token approves something else of the organization.
	IsOthers func(token string) bool
}

type crowdedQuestion struct {
	Request
	outcome Verdict
}

// proposal is an annotation that decides about the held set.
type proposal struct{ annotation, token string }

// batch is what one write carries: all that there was to do when it began.
type batch struct {
	questions []Request
	proposals []proposal
	over      entrySet
	denials   int

	outcomes  []Verdict
	decisions []decision
}

// New returns the guard of an organization. It holds nothing until Load has read what the API server has.
func New(store *Store, organization types.NamespacedName, calls Organization) *Guard {
	return &Guard{
		Store: store, Organization: calls, organization: organization,
		work: make(chan struct{}, 1), state: policyOf(nil), byName: map[string][]string{}, over: entrySet{},
		queue: map[string]Request{}, proposed: map[proposal]struct{}{},
		askers: map[string]struct{}{}, crowded: map[string]crowdedQuestion{}, denied: map[string]struct{}{},
	}
}

// learn takes what the API server has.
func (g *Guard) learn(state *policy, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state.token() != state.token() {
		g.changedAt = now
	}
	g.state = state
	g.announced = g.announced && state.token() != ""
	g.byName = map[string][]string{}
	for _, list := range state.lists() {
		for entry := range list.entrySet {
			g.byName[NameIn(entry)] = append(g.byName[NameIn(entry)], entry)
		}
	}
}

// Ask answers from memory what was decided before. Anything else is queued, and its answer wakes the asker.
func (g *Guard) Ask(request Request) Verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	if outcome, known := g.recall(request); known {
		if outcome == Held {
			g.askers[request.Asker] = struct{}{}
		}
		return outcome
	}
	g.queue[request.key()] = request
	g.poke()
	return Pending
}

func (g *Guard) recall(request Request) (Verdict, bool) {
	if slices.ContainsFunc(request.Entries, g.over.has) {
		return Pending, false
	}
	if crowded, waits := g.crowded[request.key()]; waits {
		return crowded.outcome, true
	}
	return g.state.recall(request)
}

// propose queues an annotation that decides about the held set.
func (g *Guard) propose(proposal proposal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.proposed[proposal] = struct{}{}
	g.poke()
}

// poke tells the writer that there is work.
func (g *Guard) poke() {
	select {
	case g.work <- struct{}{}:
	default:
	}
}

// batch is all that there is to write. It stays queued until it is written.
func (g *Guard) batch() *batch {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, question := range g.queue {
		for _, entry := range question.Entries {
			delete(g.over, entry)
		}
	}
	return &batch{
		questions: slices.SortedFunc(maps.Values(g.queue), Request.compare),
		proposals: slices.Collect(maps.Keys(g.proposed)), over: maps.Clone(g.over), denials: g.uncounted,
	}
}

// written ends what a write has carried, and returns whom its answers wake.
func (g *Guard) written(done *batch) []Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	for entry := range done.over {
		delete(g.over, entry)
	}
	for _, proposal := range done.proposals {
		delete(g.proposed, proposal)
	}
	g.uncounted -= done.denials
	for i, question := range done.questions {
		delete(g.queue, question.key())
		if !g.state.knows(question) {
			g.crowded[question.key()] = crowdedQuestion{question, done.outcomes[i]}
		}
	}
	return done.questions
}

// Resolve notes that whatever was asked about these names is over, except for what still is asked. A rejected entry outlives
// its resource: it keeps a role, or a denial, until the resource is declared again.
func (g *Guard) Resolve(names []string, living map[string]bool, still ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, name := range names {
		g.withdraw(name, still)
		for _, entry := range g.byName[name] {
			keeps := g.state.rejected.has(entry) && entry != name && !living[name]
			if !slices.Contains(still, entry) && !keeps {
				g.over[entry] = struct{}{}
			}
		}
	}
}

// withdraw takes back what was asked about a name and is not asked any more.
func (g *Guard) withdraw(name string, still []string) {
	over := func(request Request) bool {
		return NameIn(request.Entries[0]) == name && !slices.Contains(still, request.Entries[0])
	}
	maps.DeleteFunc(g.queue, func(_ string, question Request) bool { return over(question) })
	maps.DeleteFunc(g.crowded, func(_ string, question crowdedQuestion) bool { return over(question.Request) })
}

// Keeps tells whether a rejection keeps what a resource that is gone had decided.
func (g *Guard) Keeps(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.byName[name], func(entry string) bool {
		return g.state.rejected.has(entry) && entry != name && !g.over.has(entry)
	})
}

// token names the set that is held; empty when none is.
func (g *Guard) token() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.token()
}

// Holds tells whether something about a resource is held.
func (g *Guard) Holds(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.byName[name], g.state.held.has)
}

// waiting lists whom entries are about that wait or are being carried out.
func (g *Guard) waiting() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var names []string
	for _, list := range []*entryList{g.state.held, g.state.admitted, g.state.approved} {
		for entry := range list.entrySet {
			names = append(names, NameIn(entry))
		}
	}
	return names
}

// Pending tells whether there is something to write.
func (g *Guard) Pending() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.over)+len(g.queue)+len(g.proposed) > 0 || g.uncounted > 0
}

// status is a copy of what the API server has.
func (g *Guard) status() *v1alpha1.GuardStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.export()
}

// takeAskers hands over everybody who waits for a decision.
func (g *Guard) takeAskers() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	askers := slices.Collect(maps.Keys(g.askers))
	clear(g.askers)
	return askers
}

// takeCrowded hands over as many of those who wait for room as there is room for now.
func (g *Guard) takeCrowded() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var askers []string
	for key, question := range g.crowded {
		if len(askers) == g.state.room() {
			break
		}
		askers = append(askers, question.Asker)
		delete(g.crowded, key)
	}
	return askers
}

// untold returns how long until the condition of the organization should name a new token; zero is now.
func (g *Guard) untold(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	token := g.state.token()
	if left := g.changedAt.Add(quiet).Sub(now); left > 0 && g.told != token {
		return left
	}
	g.told = token
	return 0
}

// firstHold says, once, that something is held again.
func (g *Guard) firstHold() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := !g.announced
	g.announced = true
	return first
}

// refuse notes an annotation that names no set, and says whether that is news.
func (g *Guard) refuse(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	news := g.stale != token
	g.stale = token
	return news
}

// leave notes a token that somebody else acts on, and left tells it again.
func (g *Guard) leave(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.others = token
}

func (g *Guard) left(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.others == token
}

func (g *Guard) refused() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stale
}

// CountDenial counts an explicit denial, once a person and hour. There is no limit to them unless somebody sets one, but many are worth an
// alert.
func (g *Guard) CountDenial(user string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !now.Before(g.deniedSince.Add(window)) {
		clear(g.denied)
		g.deniedSince = now
	}
	if _, counted := g.denied[user]; !counted {
		g.denied[user] = struct{}{}
		g.uncounted++
	}
}

// alarming tells, once in each window, that more people were denied than could go implicitly.
func (g *Guard) alarming() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	status := g.state.status
	if status.WindowStart == nil || status.Explicit <= status.Limit || g.alerted.Equal(status.WindowStart.Time) {
		return false
	}
	g.alerted = status.WindowStart.Time
	return true
}
