// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// place is where a request of the operator arrives.
type place string

const (
	apiServer    place = "API server"
	atLambdaTest place = "LambdaTest"
)

// hooks see every request of the operator that writes, at the API server and at LambdaTest. They spring traps, and count which kind of write met
// which fault.
type hooks struct {
	mu    sync.Mutex
	traps []*trap
	open  map[*flight]struct{}
	met   map[string]map[string]int // kind of write, fault
}

// trap is a fault that waits for a kind of write.
type trap struct {
	place place
	// on chooses the write by its kind: "patch lambdatestusers/status", "PATCH /Users/{id}".
	on func(kind string) bool
	// after: the write is carried out first. Its answer is lost in any case.
	after bool
	// skip is how many such writes pass first.
	skip int
	// spring acts on the replica that writes.
	spring func(*replica)
	sprung chan struct{}
}

// flight is a write that is not answered yet.
type flight struct {
	from, kind string
	done       bool
}

// set sets a trap, and returns a channel that is closed when it has sprung.
func (h *hooks) set(t trap) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.sprung = make(chan struct{})
	h.traps = append(h.traps, &t)
	return t.sprung
}

// forget removes the traps that have not sprung.
func (h *hooks) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.traps = nil
}

// take returns the trap that a write springs.
func (h *hooks) take(where place, kind string, after bool) *trap {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, t := range h.traps {
		if t.place != where || t.after != after || !t.on(kind) {
			continue
		}
		if t.skip--; t.skip >= 0 {
			continue
		}
		h.traps = append(h.traps[:i:i], h.traps[i+1:]...)
		return t
	}
	return nil
}

// around returns the handler of a place with its hooks.
func (h *hooks) around(w *World, where place, next http.Handler) http.Handler {
	return http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		sender := w.named(w.network.NameOf(r.RemoteAddr))
		if sender == nil || r.Method == http.MethodGet {
			next.ServeHTTP(to, r)
			return
		}
		if sender.isCrashed() { // it is on its way to its end
			panic(http.ErrAbortHandler)
		}
		f := h.begin(sender.host.Name(), kindOf(where, r))
		defer h.end(f)
		if t := h.take(where, f.kind, false); t != nil {
			t.spring(sender)
			close(t.sprung)
			panic(http.ErrAbortHandler)
		}
		answer := &watched{ResponseWriter: to}
		defer func() {
			if fault := answer.fault(); fault != "" {
				h.count(f.kind, fault)
			}
		}()
		next.ServeHTTP(answer, r)
		answer.returned = true
		h.carriedOut(f)
		if t := h.take(where, f.kind, true); t != nil {
			t.spring(sender)
			close(t.sprung)
			panic(http.ErrAbortHandler)
		}
	})
}

func (h *hooks) begin(from, kind string) *flight {
	f := &flight{from: from, kind: kind}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		h.open = map[*flight]struct{}{}
	}
	h.open[f] = struct{}{}
	h.countLocked(kind, "")
	return f
}

func (h *hooks) carriedOut(f *flight) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.done = true
}

func (h *hooks) end(f *flight) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, f)
}

// crashed counts the writes under way of a replica that crashes.
func (h *hooks) crashed(_ *World, name string) {
	h.interrupted(name, "crash before", "crash after")
}

// leaderLost counts the writes under way of a leader that leads no more.
func (h *hooks) leaderLost(_ *World, name string) {
	h.interrupted(name, "leader change", "leader change")
}

func (h *hooks) interrupted(name, before, after string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for f := range h.open {
		switch {
		case f.from != name:
		case f.done:
			h.countLocked(f.kind, after)
		default:
			h.countLocked(f.kind, before)
		}
	}
}

func (h *hooks) count(kind, fault string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.countLocked(kind, fault)
}

func (h *hooks) countLocked(kind, fault string) {
	if h.met == nil {
		h.met = map[string]map[string]int{}
	}
	if h.met[kind] == nil {
		h.met[kind] = map[string]int{}
	}
	h.met[kind][fault]++
}

// covered is a copy of what was counted. The fault without a name counts all writes of a kind.
func (h *hooks) covered() map[string]map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	covered := map[string]map[string]int{}
	for kind, faults := range h.met {
		covered[kind] = maps.Clone(faults)
	}
	return covered
}

// watched is a ResponseWriter that notes the status.
type watched struct {
	http.ResponseWriter
	status   int
	returned bool
}

// WriteHeader implements http.ResponseWriter.
func (a *watched) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (a *watched) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Flush implements http.Flusher.
func (a *watched) Flush() {
	if f, ok := a.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// fault is what the write met; empty when it went well.
func (a *watched) fault() string {
	switch {
	case !a.returned:
		return "lost answer"
	case a.status == http.StatusConflict || a.status == http.StatusTooManyRequests || a.status >= http.StatusInternalServerError:
		return strconv.Itoa(a.status)
	}
	return ""
}

// kindOf is the kind of a write: the verb and resource at the API server, the route at LambdaTest.
func kindOf(where place, r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if where == atLambdaTest {
		route := r.Method + " /" + at(parts, 2)
		if len(parts) > 3 {
			route += "/{id}"
		}
		return route
	}
	if len(parts) > 0 && parts[0] == "api" {
		parts = parts[1:] // api, version
	} else {
		parts = parts[min(2, len(parts)):] // apis, group, version
	}
	parts = parts[min(1, len(parts)):]
	if at(parts, 0) == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	kind := verbs[r.Method] + " " + at(parts, 0)
	if sub := at(parts, 2); sub != "" {
		kind += "/" + sub
	}
	return kind
}

var verbs = map[string]string{http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete"}

func at(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return ""
}
