// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package network

import "time"

// stream is one direction of a connection. The lock of the network guards it.
type stream struct {
	link      *Link
	direction int
	queue     []segment // in the order of arrival
	unread    int
	last      time.Time // when the last segment arrives
	silent    bool      // nothing that is sent gets anywhere
	// wake is closed when something changed that a reader or a writer may wait for; nil while none waits.
	wake chan struct{}
}

// segment is a piece of a stream.
type segment struct {
	due  time.Time // zero: in a black hole
	data []byte
	kind kind
}

type kind int

const (
	data  kind = iota
	end        // no more data: a FIN
	reset      // the connection is over: an RST
)

func newStream(l *Link, direction int) *stream { return &stream{link: l, direction: direction} }

// send appends a segment, which arrives after those before it.
func (s *stream) send(g segment) {
	if s.silent {
		return
	}
	s.schedule(&g)
	s.unread += len(g.data)
	s.queue = append(s.queue, g)
	s.changed()
}

func (s *stream) schedule(g *segment) {
	if s.link.holes[s.direction] {
		g.due = time.Time{}
		return
	}
	g.due = time.Now().Add(s.link.latency)
	if g.due.Before(s.last) {
		g.due = s.last
	}
	s.last = g.due
}

// hold keeps what has not arrived where a black hole began.
func (s *stream) hold() {
	if !s.link.holes[s.direction] {
		return
	}
	now := time.Now()
	for i := range s.queue {
		if s.queue[i].due.After(now) {
			s.queue[i].due = time.Time{}
		}
	}
}

// release sends what a black hole kept.
func (s *stream) release() {
	for i := range s.queue {
		if s.queue[i].due.IsZero() { // in a black hole that goes on, it stays there
			s.schedule(&s.queue[i])
		}
	}
	s.changed()
}

// first returns the segment that can be read now; until says when to look again, if that is known.
func (s *stream) first() (g *segment, until time.Time) {
	if len(s.queue) == 0 || s.queue[0].due.IsZero() {
		return nil, time.Time{}
	}
	if due := s.queue[0].due; due.After(time.Now()) {
		return nil, due
	}
	return &s.queue[0], time.Time{}
}

// hasReset tells whether the end of the connection has arrived, behind whatever is unread.
func (s *stream) hasReset() bool {
	if len(s.queue) == 0 {
		return false
	}
	g := s.queue[len(s.queue)-1]
	return g.kind == reset && !g.due.IsZero() && !g.due.After(time.Now())
}

// changed wakes a reader and a writer.
func (s *stream) changed() {
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
}

// waker returns a channel that is closed with the next change.
func (s *stream) waker() chan struct{} {
	if s.wake == nil {
		s.wake = make(chan struct{})
	}
	return s.wake
}
