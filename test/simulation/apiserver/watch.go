// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// minWatchTimeout is kube-apiserver's: a watch without a timeout ends after this time to twice of it.
	minWatchTimeout = 30 * time.Minute
	// bookmarkInterval is how often a watch gets a bookmark, and bookmarkMargin how long before its end the last one.
	bookmarkInterval = time.Minute
	bookmarkMargin   = 2 * time.Second
)

// feed is one watch.
type feed struct {
	*request
	server *Server
	chosen *selection
	writer http.ResponseWriter
	// position is the revision up to which everything was sent.
	position int64
	// changed is closed when the table has more.
	changed <-chan struct{}
	cut     <-chan struct{}
	broken  bool
}

func (s *Server) watch(w http.ResponseWriter, req *request) {
	chosen, err := req.listOptions()
	if err != nil {
		fail(w, err)
		return
	}
	from, err := parseRevision(chosen.ResourceVersion)
	if err != nil {
		fail(w, fmt.Errorf("invalid resource version: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	s.mu.Lock()
	s.watches++
	f := &feed{request: req, server: s, chosen: chosen, writer: w, position: from, cut: s.cut.wait()}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.watches--
		s.mu.Unlock()
	}()
	f.flush()
	if f.begin() {
		f.follow(s.watchTimeout(chosen))
	}
}

func (s *Server) watchTimeout(chosen *selection) time.Duration {
	if chosen.TimeoutSeconds != nil && *chosen.TimeoutSeconds > 0 {
		return time.Duration(*chosen.TimeoutSeconds) * time.Second
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return minWatchTimeout + time.Duration(s.rand.Int64N(int64(minWatchTimeout)))
}

// begin sends the initial events if the client asked for them; it returns false if the watch ended.
func (f *feed) begin() bool {
	initial := f.chosen.SendInitialEvents != nil && *f.chosen.SendInitialEvents
	if !initial {
		if f.position == 0 {
			f.position = f.server.Revision()
		}
		return true
	}
	if err := f.server.waitFor(f.Context(), f.chosen.ResourceVersion); err != nil {
		f.sendError(err)
		return false
	}
	f.server.mu.Lock()
	state, _ := f.server.read(f.kind, &selection{namespace: f.chosen.namespace, labels: f.chosen.labels, fields: f.chosen.fields}, where{})
	f.server.mu.Unlock()
	f.position = state.revision
	for _, v := range state.versions {
		f.send("ADDED", v)
	}
	if f.chosen.AllowWatchBookmarks {
		f.bookmark(true)
	}
	f.flush()
	return !f.broken
}

// follow sends what changes until the watch ends.
func (f *feed) follow(timeout time.Duration) {
	end, bookmark := time.NewTimer(timeout), time.NewTimer(min(bookmarkInterval, max(timeout-bookmarkMargin, 0)))
	defer end.Stop()
	defer bookmark.Stop()
	deadline, due := time.Now().Add(timeout), false
	for f.sendChanges() {
		if due && f.chosen.AllowWatchBookmarks {
			f.bookmark(false)
		}
		due = false
		f.flush()
		select {
		case <-f.changed:
		case <-bookmark.C:
			due = true
			if left := time.Until(deadline) - bookmarkMargin; left > 0 {
				bookmark.Reset(min(bookmarkInterval, left))
			}
		case <-f.cut:
			panic(http.ErrAbortHandler) // closes the connection
		case <-end.C:
			return
		case <-f.Context().Done():
			return
		}
	}
}

// sendChanges sends what changed since the position; it returns false if the watch ended.
func (f *feed) sendChanges() bool {
	f.server.mu.Lock()
	table := f.kind.table
	changes, ok := table.since(f.position)
	revision := f.server.store.revision
	f.changed = table.changed.wait()
	f.server.mu.Unlock()
	if !ok {
		f.sendError(apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", f.position, revision)))
		return false
	}
	for _, c := range changes {
		f.sendChange(c)
		if f.broken {
			return false
		}
	}
	f.position = max(f.position, revision)
	return true
}

// sendChange sends a change as the selection sees it: an object that begins to match was added, one that ceases to was deleted.
func (f *feed) sendChange(c change) {
	was, is := f.chosen.matches(f.kind, c.before), f.chosen.matches(f.kind, c.after)
	switch {
	case is && was:
		f.sendFaulty("MODIFIED", c.after)
	case is:
		f.sendFaulty("ADDED", c.after)
	case was:
		f.sendFaulty("DELETED", c.before.tombstone(c.revision))
	}
}

// sendFaulty sends an event, unless the faults of the server say otherwise.
func (f *feed) sendFaulty(event string, v *version) {
	if f.broken = !f.server.troubleEvent(f.request); !f.broken {
		f.send(event, v)
	}
}

// send writes an event. The bytes of the object are shared by all watches.
func (f *feed) send(event string, v *version) {
	prefix, body := f.kind.prefix, []byte(nil)
	if f.partial {
		prefix, body = partialPrefix, v.partial()
	} else {
		body = f.kind.view(v)
	}
	f.print(`{"type":"`, event, `","object":`, prefix)
	f.writeBytes(body[1:])
	f.print("}\n")
}

func (f *feed) print(texts ...string) {
	for _, text := range texts {
		if _, err := io.WriteString(f.writer, text); err != nil {
			f.broken = true
		}
	}
}

func (f *feed) writeBytes(content []byte) {
	if _, err := f.writer.Write(content); err != nil {
		f.broken = true
	}
}

// bookmark sends the position. The one that ends the initial events has an annotation.
func (f *feed) bookmark(endsInitial bool) {
	o, prefix := object{}, partialPrefix
	if !f.partial {
		maps.Copy(o, f.kind.traits.empty)
		prefix = f.kind.prefix
	}
	metadata := object{"resourceVersion": strconv.FormatInt(f.position, 10)}
	if endsInitial {
		metadata["annotations"] = object{metav1.InitialEventsAnnotationKey: "true"}
	}
	o["metadata"] = metadata
	body, err := json.Marshal(o)
	if err != nil {
		panic(err) // it was decoded from JSON
	}
	f.print(`{"type":"BOOKMARK","object":`, prefix)
	f.writeBytes(body[1:])
	f.print("}\n")
}

func (f *feed) sendError(err error) {
	body, marshalErr := json.Marshal(statusOf(err))
	if marshalErr != nil {
		panic(marshalErr) // a Status has no field that fails
	}
	f.print(`{"type":"ERROR","object":`)
	f.writeBytes(body)
	f.print("}\n")
	f.flush()
}

func (f *feed) flush() {
	if err := http.NewResponseController(f.writer).Flush(); err != nil {
		f.broken = true
	}
}
