// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
	"github.com/lambdatest-operator/lambdatest-operator/test/schedule"
	"github.com/lambdatest-operator/lambdatest-operator/test/simulation/apiserver"
)

// The kinds of events.
const (
	providerAsks     schedule.Kind = "a provider asks"
	gitApplies       schedule.Kind = "Git applies a manifest"
	editorEdits      schedule.Kind = "an administrator edits an account at LambdaTest"
	intruderIntrudes schedule.Kind = "an administrator changes a resource of the provider"
	hiringWave       schedule.Kind = "hiring wave"
	layOff           schedule.Kind = "layoff"
	pruneByMistake   schedule.Kind = "prune"
	guardApprove     schedule.Kind = "what the guard holds is approved"
	guardReject      schedule.Kind = "what the guard holds is rejected"
	rotateSCIM       schedule.Kind = "rotate SCIM token"
	rotateUpstream   schedule.Kind = "rotate LambdaTest's token"

	crashReplica  schedule.Kind = "crash a replica"
	crashLeader   schedule.Kind = "crash the leader"
	vanishReplica schedule.Kind = "a replica's machine loses power"
	vanishLeader  schedule.Kind = "the leader's machine loses power"
	crashWriter   schedule.Kind = "crash the replica that writes next"
	stopReplica   schedule.Kind = "stop a replica"
	rollingUpdate schedule.Kind = "rolling update"

	slowLink   schedule.Kind = "slow link"
	cutLink    schedule.Kind = "cut link"
	resetLink  schedule.Kind = "connections are reset"
	deafLink   schedule.Kind = "half-open link: the replica hears nothing"
	muteLink   schedule.Kind = "half-open link: nothing hears the replica"
	silentLink schedule.Kind = "black hole"

	apiConflicts    schedule.Kind = "API server answers 409"
	apiTooMany      schedule.Kind = "API server answers 429"
	apiErrors       schedule.Kind = "API server answers 500 and 503"
	apiTimeouts     schedule.Kind = "API server answers 504"
	apiLosesAnswers schedule.Kind = "API server's answers are lost"
	apiSlow         schedule.Kind = "API server is slow"
	apiAway         schedule.Kind = "API server is away"
	apiSilent       schedule.Kind = "API server is silent"
	apiCompacts     schedule.Kind = "etcd is compacted"
	watchesCut      schedule.Kind = "watches are cut"
	watchesSlow     schedule.Kind = "watches are slow"

	upstreamBusy      schedule.Kind = "LambdaTest answers 429"
	upstreamFails     schedule.Kind = "LambdaTest answers 502"
	upstreamGarbles   schedule.Kind = "LambdaTest answers garbage"
	upstreamLoses     schedule.Kind = "LambdaTest's answers are lost"
	upstreamDrops     schedule.Kind = "LambdaTest drops connections"
	upstreamSlow      schedule.Kind = "LambdaTest is slow"
	upstreamTruncates schedule.Kind = "LambdaTest's lists end early"
	upstreamShuffles  schedule.Kind = "LambdaTest's lists are shuffled"
	upstreamAway      schedule.Kind = "LambdaTest is away"
)

// slowerThanCalls is a delay of the link or of LambdaTest that may make calls fail.
const slowerThanCalls = 5 * time.Second

// carryOut does what an event says, and returns when it is over.
func (w *World) carryOut(e Event) {
	if e.Kind != providerAsks {
		w.trace.add("event", "", "%s for %s, target %d", e.Kind, e.Lasts, e.Target)
	}
	t := w.tenants[e.Target%len(w.tenants)]
	random := rand.New(rand.NewPCG(w.options.Seed, uint64(e.Target)))
	switch e.Kind {
	case providerAsks:
		t.provider.Step(w.ctx)
	case gitApplies:
		t.git.Step(w.ctx)
	case editorEdits:
		w.editor.Step(w.ctx)
	case intruderIntrudes:
		w.intruder.Step(w.ctx)
	case hiringWave:
		w.hiringWave(t, random)
	case layOff:
		w.layOff(t, random)
	case pruneByMistake:
		w.pruneCrew(w.tenants[0])
	case guardApprove, guardReject:
		w.decide(w.tenants[0], e.Kind == guardApprove)
	case rotateSCIM:
		w.rotateSCIMToken(t, e.Lasts)
	case rotateUpstream:
		w.rotateUpstreamToken(t, e.Lasts)
	default:
		w.carryOutFault(e, t)
	}
}

func (w *World) carryOutFault(e Event, t *tenant) {
	if fault, ok := replicaFaults[e.Kind]; ok {
		fault(w, e)
		return
	}
	if fault, ok := linkFaults[e.Kind]; ok {
		other := []string{apiHost, lambdaTestHost, providerHost}[e.Target/7%3]
		w.linkTrouble(w.current(e.Target), other, e.Lasts, string(e.Kind), fault)
		return
	}
	if set, ok := apiFaults[e.Kind]; ok {
		w.apiTrouble(e.Lasts, string(e.Kind), set)
		return
	}
	if fault, ok := upstreamFaults[e.Kind]; ok {
		w.upstreamTrouble(t, e.Lasts, promises.Period{What: string(e.Kind), ListsOnly: listsOnly[e.Kind]}, fault)
		return
	}
	switch e.Kind {
	case apiAway, apiSilent:
		w.outage(apiHost, e.Lasts, e.Kind == apiSilent)
	case upstreamAway:
		w.outage(lambdaTestHost, e.Lasts, e.Target%2 == 0)
	case apiCompacts:
		w.api.Compact()
		w.api.CutWatches()
	default:
		panic("no such event: " + e.Kind)
	}
}

// replicaFaults are the ends of replicas.
var replicaFaults = map[schedule.Kind]func(*World, Event){
	crashReplica:  func(w *World, e Event) { w.current(e.Target).crash(false, e.Lasts) },
	vanishReplica: func(w *World, e Event) { w.current(e.Target).crash(true, e.Lasts) },
	crashLeader:   func(w *World, e Event) { w.ofLeader(func(r *replica) { r.crash(false, e.Lasts) }) },
	vanishLeader:  func(w *World, e Event) { w.ofLeader(func(r *replica) { r.crash(true, e.Lasts) }) },
	stopReplica:   func(w *World, e Event) { w.current(e.Target).stop() },
	rollingUpdate: func(w *World, _ Event) { w.rollingUpdate() },
	crashWriter:   func(w *World, e Event) { w.crashWriter(e) },
}

func (w *World) ofLeader(do func(*replica)) {
	if leader := w.leader(); leader != nil {
		do(leader)
	}
}

// rollingUpdate stops one replica after the other, as a Deployment does: the next one once the new one serves.
func (w *World) rollingUpdate() {
	for slot := range w.slots {
		w.current(slot).stop()
		for range 600 {
			if !w.sleep(time.Second) {
				return
			}
			if w.serves(slot) {
				break
			}
		}
	}
}

func (w *World) serves(slot int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.slots[slot].endpoint()
}

// crashWriter crashes the replica that makes one of the next writes, before it is carried out or before its answer.
func (w *World) crashWriter(e Event) {
	where := apiServer
	if e.Target%2 == 0 {
		where = atLambdaTest
	}
	w.hooks.set(trap{
		place: where, after: e.Target%3 > 0, skip: e.Target / 8 % 5,
		on:     func(kind string) bool { return kind != renewal },
		spring: func(r *replica) { r.crash(e.Target%5 == 0, e.Lasts) },
	})
}

// renewal is the most frequent write of all.
const renewal = "update leases"

// linkFaults are what can be wrong with the link of a replica.
var linkFaults = map[schedule.Kind]linkFault{
	slowLink:   func(w *World, replica, other string) { w.network.Link(replica, other).Delay(slowerThanCalls / 4) },
	cutLink:    func(w *World, replica, other string) { w.network.Link(replica, other).Cut() },
	resetLink:  func(w *World, replica, other string) { w.network.Link(replica, other).Reset() },
	deafLink:   func(w *World, replica, other string) { w.network.Link(replica, other).HalfOpen(other) },
	muteLink:   func(w *World, replica, other string) { w.network.Link(replica, other).HalfOpen(replica) },
	silentLink: func(w *World, replica, other string) { w.network.Link(replica, other).BlackHole() },
}

// apiFaults are what the API server answers wrongly.
var apiFaults = map[schedule.Kind]func(*apiserver.Faults){
	apiConflicts:    func(f *apiserver.Faults) { f.Conflict = 0.5 },
	apiTooMany:      func(f *apiserver.Faults) { f.TooMany = 0.5 },
	apiErrors:       func(f *apiserver.Faults) { f.Internal, f.Unavailable = 0.25, 0.25 },
	apiTimeouts:     func(f *apiserver.Faults) { f.Timeout = 0.4 },
	apiLosesAnswers: func(f *apiserver.Faults) { f.LostAnswer, f.LostRequest = 0.25, 0.15 },
	apiSlow:         func(f *apiserver.Faults) { f.Slow, f.Delay = 0.5, 3*time.Second },
	watchesCut:      func(f *apiserver.Faults) { f.WatchCut, f.WatchGone, f.PageGone = 0.3, 0.3, 0.3 },
	watchesSlow:     func(f *apiserver.Faults) { f.WatchSlow, f.Delay = 0.5, 2*time.Second },
}

// upstreamFaults are what LambdaTest does wrongly for one organization.
var upstreamFaults = map[schedule.Kind]func(*simulator.Org){
	upstreamBusy: func(o *simulator.Org) {
		o.Fail(http.StatusTooManyRequests, simulator.Probability(0.5), simulator.RetryAfter(time.Second))
	},
	upstreamFails:     func(o *simulator.Org) { o.Fail(http.StatusBadGateway, simulator.Probability(0.5)) },
	upstreamGarbles:   half(simulator.Fault{Kind: simulator.Garble}),
	upstreamLoses:     half(simulator.Fault{Kind: simulator.Lose}),
	upstreamDrops:     half(simulator.Fault{Kind: simulator.Drop}),
	upstreamSlow:      half(simulator.Fault{Kind: simulator.Slow, Delay: simulator.Duration(slowerThanCalls)}),
	upstreamTruncates: func(o *simulator.Org) { o.Switch(func(s *simulator.Switches) { s.TruncateLists = 3 }) },
	upstreamShuffles: func(o *simulator.Org) {
		o.MustRead(simulator.Settings{"order-of-lists": "another-at-each-call"})
	},
}

// listsOnly are the faults that spoil no call but lists.
var listsOnly = map[schedule.Kind]bool{upstreamTruncates: true, upstreamShuffles: true}

// half injects a fault into half of the calls.
func half(fault simulator.Fault) func(*simulator.Org) {
	return func(o *simulator.Org) { o.Inject(fault, simulator.Always(), simulator.Probability(0.5)) }
}

// Play carries out a schedule, and returns when all its events are over.
func (w *World) Play(events []Event) {
	began := time.Now()
	var under sync.WaitGroup
	for _, e := range events {
		if !w.sleep(e.At - time.Since(began)) {
			break
		}
		under.Go(func() { w.carryOut(e) })
	}
	under.Wait()
	w.hooks.forget()
}
