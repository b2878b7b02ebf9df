// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// guard is what is in memory about the guard of one organization: status.guard as it was last read or written, and who waits.
type guard struct {
	// writing is held by whoever writes the status. Others queue up meanwhile, and the next writer takes all of them along: people
	// by the thousand cost a few dozen writes.
	writing sync.Mutex

	mu    sync.Mutex
	state *guardState
	// byName finds entries by whom they are about.
	byName map[string][]string
	queue  []*guardQuestion
	// over are entries to be dropped with the next write.
	over entrySet
	// askers wait for a decision, crowded for room in the lists of status.
	askers, crowded map[string]struct{}
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

// guardQuestion is a request on its way into a write.
type guardQuestion struct {
	guardRequest
	outcome guardOutcome
	err     error
	done    bool
}

func newGuard() *guard {
	return &guard{
		state: guardStateOf(nil), byName: map[string][]string{}, over: entrySet{},
		askers: map[string]struct{}{}, crowded: map[string]struct{}{}, denied: map[string]struct{}{},
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

// recall answers from memory what was decided before.
func (g *guard) recall(request guardRequest) (guardOutcome, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if slices.ContainsFunc(request.entries, g.over.has) {
		return guardHolds, false
	}
	outcome, known := g.state.recall(request)
	if known && outcome == guardHolds {
		g.askers[request.asker] = struct{}{}
	}
	return outcome, known
}

func (g *guard) enqueue(request guardRequest) *guardQuestion {
	g.mu.Lock()
	defer g.mu.Unlock()
	question := &guardQuestion{guardRequest: request}
	g.queue = append(g.queue, question)
	return question
}

// takeQueue hands over who waits for a write, and what is over by then.
func (g *guard) takeQueue() ([]*guardQuestion, entrySet) {
	g.mu.Lock()
	defer g.mu.Unlock()
	queue := g.queue
	g.queue = nil
	for _, question := range queue {
		for _, entry := range question.entries {
			delete(g.over, entry)
		}
	}
	return queue, maps.Clone(g.over)
}

// answer ends the questions that a write was made for, and forgets what it dropped.
func (g *guard) answer(questions []*guardQuestion, dropped entrySet, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, question := range questions {
		question.done, question.err = true, err
		if question.outcome == guardHolds {
			g.askers[question.asker] = struct{}{}
		}
		if err == nil && !g.state.knows(question.guardRequest) {
			g.crowded[question.asker] = struct{}{}
		}
	}
	if err == nil {
		for entry := range dropped {
			delete(g.over, entry)
		}
	}
}

// settle notes that whatever was asked about these names is over, except for what still is asked. A rejected entry outlives
// its resource: it keeps a role, or a denial, until the resource is declared again.
func (g *guard) settle(names []string, living map[string]bool, still ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, name := range names {
		for _, entry := range g.byName[name] {
			keeps := g.state.rejected.has(entry) && entry != name && !living[name]
			if !slices.Contains(still, entry) && !keeps {
				g.over[entry] = struct{}{}
			}
		}
	}
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
	return len(g.over) > 0 || g.uncounted > 0
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
	for asker := range g.crowded {
		if len(askers) == g.state.room() {
			break
		}
		askers = append(askers, asker)
		delete(g.crowded, asker)
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

// denials are how many were not counted in status yet; counted takes off those that were.
func (g *guard) denials() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.uncounted
}

func (g *guard) counted(denials int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.uncounted -= denials
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
