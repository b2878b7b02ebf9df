// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// guard is what is in memory about the guard of one organization: status.guard as it was last read or written, who asks, and who waits.
// Whoever asks never waits here: what is not known is queued, and one goroutine an organization writes down the answers; see run.
type guard struct {
	*guardStore
	guardCalls
	organization types.NamespacedName
	// work says that there is something to write.
	work chan struct{}

	mu    sync.Mutex
	state *guardState
	// byName finds entries by whom they are about.
	byName map[string][]string
	// queue has the questions, by what they are about, and proposed the annotations that are to be decided about.
	queue    map[string]guardRequest
	proposed map[guardProposal]struct{}
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
	// others is the last token that was not about the guard, but about a comparison.
	others string
	// denied are the people who were denied explicitly since deniedSince, uncounted how many of them status does not count yet.
	denied      map[string]struct{}
	deniedSince time.Time
	uncounted   int
	// alerted is the window in which somebody was told that many people are denied.
	alerted time.Time
}

// guardStore is what the guards of all organizations read and write with.
type guardStore struct {
	client client.Client
	// live reads from the API server.
	live         client.Reader
	recorder     events.EventRecorder
	terminations *terminations
	now          func() time.Time
}

// guardCalls are what a guard needs of its organization.
type guardCalls struct {
	// account returns the account of a person, if one is known.
	account func(user string) (lambdatest.User, bool)
	// wake looks again at those who asked about something of that kind.
	wake func(kind guardKind, askers ...string)
	// changed says that the organization's status is to follow.
	changed func()
	// isOthers tells whether a token approves something else of the organization.
	isOthers func(token string) bool
}

type crowdedQuestion struct {
	guardRequest
	outcome guardOutcome
}

// guardProposal is an annotation that decides about the held set.
type guardProposal struct{ annotation, token string }

// guardBatch is what one write carries: all that there was to do when it began.
type guardBatch struct {
	questions []guardRequest
	proposals []guardProposal
	over      entrySet
	denials   int

	outcomes  []guardOutcome
	decisions []decision
}

func newGuard(store *guardStore, organization types.NamespacedName, calls guardCalls) *guard {
	return &guard{
		guardStore: store, guardCalls: calls, organization: organization,
		work: make(chan struct{}, 1), state: guardStateOf(nil), byName: map[string][]string{}, over: entrySet{},
		queue: map[string]guardRequest{}, proposed: map[guardProposal]struct{}{},
		askers: map[string]struct{}{}, crowded: map[string]crowdedQuestion{}, denied: map[string]struct{}{},
	}
}

// learn takes what the API server has.
func (g *guard) learn(state *guardState, now time.Time) {
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
			g.byName[nameIn(entry)] = append(g.byName[nameIn(entry)], entry)
		}
	}
}

// ask answers from memory what was decided before. Anything else is queued, and its answer wakes the asker.
func (g *guard) ask(request guardRequest) guardOutcome {
	g.mu.Lock()
	defer g.mu.Unlock()
	if outcome, known := g.recall(request); known {
		if outcome == guardHolds {
			g.askers[request.asker] = struct{}{}
		}
		return outcome
	}
	g.queue[request.key()] = request
	g.poke()
	return guardPonders
}

func (g *guard) recall(request guardRequest) (guardOutcome, bool) {
	if slices.ContainsFunc(request.entries, g.over.has) {
		return guardPonders, false
	}
	if crowded, waits := g.crowded[request.key()]; waits {
		return crowded.outcome, true
	}
	return g.state.recall(request)
}

// propose queues an annotation that decides about the held set.
func (g *guard) propose(proposal guardProposal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.proposed[proposal] = struct{}{}
	g.poke()
}

// poke tells the writer that there is work.
func (g *guard) poke() {
	select {
	case g.work <- struct{}{}:
	default:
	}
}

// batch is all that there is to write. It stays queued until it is written.
func (g *guard) batch() *guardBatch {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, question := range g.queue {
		for _, entry := range question.entries {
			delete(g.over, entry)
		}
	}
	return &guardBatch{
		questions: slices.SortedFunc(maps.Values(g.queue), guardRequest.compare),
		proposals: slices.Collect(maps.Keys(g.proposed)), over: maps.Clone(g.over), denials: g.uncounted,
	}
}

// written ends what a write has carried, and returns whom its answers wake.
func (g *guard) written(done *guardBatch) []guardRequest {
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

// settle notes that whatever was asked about these names is over, except for what still is asked. A rejected entry outlives
// its resource: it keeps a role, or a denial, until the resource is declared again.
func (g *guard) settle(names []string, living map[string]bool, still ...string) {
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
func (g *guard) withdraw(name string, still []string) {
	over := func(request guardRequest) bool {
		return nameIn(request.entries[0]) == name && !slices.Contains(still, request.entries[0])
	}
	maps.DeleteFunc(g.queue, func(_ string, question guardRequest) bool { return over(question) })
	maps.DeleteFunc(g.crowded, func(_ string, question crowdedQuestion) bool { return over(question.guardRequest) })
}

// keeps tells whether a rejection keeps what a resource that is gone had decided.
func (g *guard) keeps(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.byName[name], func(entry string) bool {
		return g.state.rejected.has(entry) && entry != name && !g.over.has(entry)
	})
}

// token names the set that is held; empty when none is.
func (g *guard) token() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.token()
}

// holds tells whether something about a resource is held.
func (g *guard) holds(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.byName[name], g.state.held.has)
}

// waiting lists whom entries are about that wait or are being carried out.
func (g *guard) waiting() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var names []string
	for _, list := range []*entryList{g.state.held, g.state.admitted, g.state.approved} {
		for entry := range list.entrySet {
			names = append(names, nameIn(entry))
		}
	}
	return names
}

// pending tells whether there is something to write.
func (g *guard) pending() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.over)+len(g.queue)+len(g.proposed) > 0 || g.uncounted > 0
}

// status is a copy of what the API server has.
func (g *guard) status() *v1alpha1.GuardStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.export()
}

// takeAskers hands over everybody who waits for a decision.
func (g *guard) takeAskers() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	askers := slices.Collect(maps.Keys(g.askers))
	clear(g.askers)
	return askers
}

// takeCrowded hands over as many of those who wait for room as there is room for now.
func (g *guard) takeCrowded() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var askers []string
	for key, question := range g.crowded {
		if len(askers) == g.state.room() {
			break
		}
		askers = append(askers, question.asker)
		delete(g.crowded, key)
	}
	return askers
}

// untold returns how long until the condition of the organization should name a new token; zero is now.
func (g *guard) untold(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	token := g.state.token()
	if left := g.changedAt.Add(guardQuiet).Sub(now); left > 0 && g.told != token {
		return left
	}
	g.told = token
	return 0
}

// firstHold says, once, that something is held again.
func (g *guard) firstHold() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := !g.announced
	g.announced = true
	return first
}

// refuse notes an annotation that names no set, and says whether that is news.
func (g *guard) refuse(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	news := g.stale != token
	g.stale = token
	return news
}

// leave notes a token that somebody else acts on, and left tells it again.
func (g *guard) leave(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.others = token
}

func (g *guard) left(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.others == token
}

func (g *guard) refused() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stale
}

// denies counts an explicit denial, once a person and hour. There is no limit to them unless somebody sets one, but many are worth an
// alert.
func (g *guard) denies(user string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !now.Before(g.deniedSince.Add(guardWindow)) {
		clear(g.denied)
		g.deniedSince = now
	}
	if _, counted := g.denied[user]; !counted {
		g.denied[user] = struct{}{}
		g.uncounted++
	}
}

// alarming tells, once in each window, that more people were denied than could go implicitly.
func (g *guard) alarming() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	status := g.state.status
	if status.WindowStart == nil || status.Explicit <= status.Limit || g.alerted.Equal(status.WindowStart.Time) {
		return false
	}
	g.alerted = status.WindowStart.Time
	return true
}
