// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
	"github.com/lambdatest-operator/lambdatest-operator/test/simulation/apiserver"
)

// layers are faults of one thing that may overlap: the end of one leaves the others.
type layers struct {
	mu     sync.Mutex
	reset  func()
	active []*func()
}

// begin adds a fault, and returns what ends it.
func (l *layers) begin(apply func()) (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active = append(l.active, &apply)
	apply()
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.active = slices.DeleteFunc(l.active, func(other *func()) bool { return other == &apply })
		l.reset()
		for _, other := range l.active {
			(*other)()
		}
	}
}

// faulty are the things that faults are injected into.
type faulty struct {
	api layers
	// apiFaults are the faults of the API server, as the layers set them.
	apiFaults apiserver.Faults
	hosts     keyed // the API server and LambdaTest as a whole
	links     keyed
	orgs      keyed
}

// keyed are layers by name.
type keyed struct {
	mu     sync.Mutex
	byName map[string]*layers
}

func (k *keyed) get(name string, reset func()) *layers {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byName == nil {
		k.byName = map[string]*layers{}
	}
	if k.byName[name] == nil {
		k.byName[name] = &layers{reset: reset}
	}
	return k.byName[name]
}

// during injects a fault for a while, and records the time.
func (w *World) during(l *layers, lasts time.Duration, p promises.Period, apply func()) {
	p.From = w.Now()
	w.trace.add("fault", p.Whom, "%s for %s", p.What, lasts)
	end := l.begin(apply)
	w.sleep(lasts)
	end()
	p.To = w.Now()
	w.trace.add("fault", p.Whom, "%s is over", p.What)
	w.trouble.Add(p)
}

// fromOperator tells whether a request is one of the operator: people and providers have troubles enough.
func fromOperator(r *http.Request) bool {
	return r.Header.Get("Authorization") == "Bearer "+operatorAccount
}

// apiTrouble lets the API server answer wrongly for a while.
func (w *World) apiTrouble(lasts time.Duration, what string, set func(*apiserver.Faults)) {
	w.faulty.api.mu.Lock()
	if w.faulty.api.reset == nil {
		w.faulty.api.reset = func() {
			w.faulty.apiFaults = apiserver.Faults{Only: fromOperator}
			w.api.SetFaults(w.faulty.apiFaults)
		}
	}
	w.faulty.api.mu.Unlock()
	w.during(&w.faulty.api, lasts, promises.Period{What: what, Whom: promises.Everybody}, func() {
		w.faulty.apiFaults.Only = fromOperator
		set(&w.faulty.apiFaults)
		w.api.SetFaults(w.faulty.apiFaults)
	})
}

// outage takes a host away for a while.
func (w *World) outage(host string, lasts time.Duration, silently bool) {
	h := w.network.Host(host)
	what := host + " is away"
	if silently {
		what = host + " is silent"
	}
	w.during(w.faulty.hosts.get(host, h.Rejoin), lasts, promises.Period{What: what, Whom: promises.Everybody}, func() { h.Isolate(silently) })
}

// linkFault is a fault of the link of a replica.
type linkFault func(w *World, replica, other string)

// linkTrouble breaks one link of a replica for a while.
func (w *World) linkTrouble(r *replica, other string, lasts time.Duration, what string, apply linkFault) {
	name := r.host.Name()
	link := w.network.Link(name, other)
	heal := func() {
		link.Heal()
		link.Delay(latency)
	}
	period := promises.Period{What: what + " to " + other, Whom: name}
	w.during(w.faulty.links.get(name+" "+other, heal), lasts, period, func() { apply(w, name, other) })
}

// upstreamTrouble lets a LambdaTest organization fail for a while.
func (w *World) upstreamTrouble(t *tenant, lasts time.Duration, p promises.Period, apply func(*simulator.Org)) {
	reset := func() {
		t.LambdaTest.ClearFaults()
		t.LambdaTest.Switch(func(s *simulator.Switches) { *s = simulator.Switches{} })
		t.LambdaTest.MustRead(defaultReadings)
	}
	p.Whom = t.Name
	w.during(w.faulty.orgs.get(t.Name, reset), lasts, p, func() { apply(t.LambdaTest) })
}

var defaultReadings = simulator.Settings{"order-of-lists": "by-id"}
