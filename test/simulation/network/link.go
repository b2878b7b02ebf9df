// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// Link is the way between two hosts. Its faults apply to connections that are open, and to those that are dialled.
type Link struct {
	network *Network
	hosts   [2]string
	latency time.Duration
	cut     bool
	// holes are the directions in which nothing arrives: from the first host to the second, and back.
	holes [2]bool
	conns map[*conn]struct{} // both ends
	// changed is closed, and replaced, with each change of the link.
	changed chan struct{}
	// hole counts the black holes and their ends, so that a timer knows whether it is about the present one.
	hole int
}

// errNoWay says that no answer comes, for now.
var errNoWay = errors.New("no answer")

// Link returns the link between two hosts; the order does not matter.
func (n *Network) Link(one, other string) *Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link(one, other)
}

func (n *Network) link(one, other string) *Link {
	key := [2]string{one, other}
	if other < one {
		key = [2]string{other, one}
	}
	l := n.links[key]
	if l == nil {
		l = &Link{network: n, hosts: key, latency: n.latency, conns: map[*conn]struct{}{}, changed: make(chan struct{})}
		n.links[key] = l
		l.isolate()
	}
	return l
}

// direction is the index of the direction that begins at the host.
func (l *Link) direction(from string) int {
	if l.hosts[0] == from {
		return 0
	}
	return 1
}

// Delay sets the latency, which is that of one direction. What is under way keeps its own.
func (l *Link) Delay(latency time.Duration) { l.change(func() { l.latency = latency }) }

// Reset ends all connections with an error at both ends; new ones can be made.
func (l *Link) Reset() { l.change(func() { l.fail(syscall.ECONNRESET) }) }

// Cut ends all connections, and refuses new ones until Heal.
func (l *Link) Cut() {
	l.change(func() {
		l.cut = true
		l.fail(syscall.ECONNRESET)
	})
}

// BlackHole lets nothing arrive in either direction until Heal. Connections fail when it lasts.
func (l *Link) BlackHole() { l.change(func() { l.swallow(true, true) }) }

// HalfOpen lets nothing arrive that the host sends, until Heal; it goes on hearing the other.
func (l *Link) HalfOpen(from string) {
	l.change(func() { l.swallow(l.direction(from) == 0, l.direction(from) == 1) })
}

// Heal ends all faults. What was sent into a black hole arrives. The latency stays, and so does the isolation of a host.
func (l *Link) Heal() {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	l.heal()
}

// heal is called with the lock held.
func (l *Link) heal() {
	l.cut, l.holes = false, [2]bool{}
	l.hole++
	l.isolate()
	for c := range l.conns {
		c.out.release()
	}
	l.changedLocked()
}

// isolate applies the isolation of either host. The caller holds the lock.
func (l *Link) isolate() {
	for _, name := range l.hosts {
		switch h := l.network.hosts[name]; {
		case h == nil:
		case h.apart == refusing:
			l.cut = true
			l.fail(syscall.ECONNRESET)
		case h.apart == silent && !l.holes[0]:
			l.swallow(true, true)
		}
	}
}

func (l *Link) change(what func()) {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	what()
	l.changedLocked()
}

// changedLocked wakes those who dial. The caller holds the lock of the network.
func (l *Link) changedLocked() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// swallow begins a black hole. The caller holds the lock.
func (l *Link) swallow(there, back bool) {
	l.holes = [2]bool{there, back}
	for c := range l.conns {
		c.out.hold()
	}
	l.hole++
	hole := l.hole
	time.AfterFunc(deadAfter, func() {
		l.network.mu.Lock()
		defer l.network.mu.Unlock()
		if l.hole == hole {
			l.fail(syscall.ETIMEDOUT)
		}
	})
}

// fail ends all connections. The caller holds the lock.
func (l *Link) fail(err error) {
	for c := range l.conns {
		c.failLocked(err)
	}
}

// reachable returns the time of a round trip, errNoWay when nothing would come back, or the refusal.
func (l *Link) reachable(from *Host, to string) (time.Duration, error) {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	return l.reachableLocked(from, to)
}

func (l *Link) reachableLocked(from *Host, to string) (time.Duration, error) {
	host := l.network.hosts[to]
	switch {
	case from.dead:
		return 0, syscall.ENETDOWN
	case l.cut:
		return 0, syscall.ECONNREFUSED
	case host == nil || host.dead || l.holes[0] || l.holes[1]:
		return 0, errNoWay
	}
	return 2 * l.latency, nil
}

// connect makes a connection, or returns nothing when a fault began meanwhile.
func (l *Link) connect(from *Host, to string, port int) (*conn, error) {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	if _, err := l.reachableLocked(from, to); err != nil {
		return nil, nil //nolint:nilnil // the caller looks again
	}
	host := l.network.hosts[to]
	listener := host.listeners[port]
	if listener == nil || len(listener.accepted) == cap(listener.accepted) {
		return nil, syscall.ECONNREFUSED
	}
	from.lastPort++
	near, far := l.pair(from, host, &net.TCPAddr{IP: from.ip, Port: from.lastPort}, listener.address)
	listener.accepted <- far // there is room, and the lock is held
	return near, nil
}

func (l *Link) pair(from, to *Host, near, far *net.TCPAddr) (*conn, *conn) {
	there := newStream(l, l.direction(from.name))
	back := newStream(l, 1-l.direction(from.name))
	a := &conn{network: l.network, link: l, host: from, in: back, out: there, local: near, remote: far}
	b := &conn{network: l.network, link: l, host: to, in: there, out: back, local: far, remote: near}
	a.peer, b.peer = b, a
	for _, c := range []*conn{a, b} {
		l.conns[c], c.host.conns[c] = struct{}{}, struct{}{}
	}
	return a, b
}

// awaitChange waits for the next change of the link.
func (l *Link) awaitChange(ctx context.Context) error {
	l.network.mu.Lock()
	changed := l.changed
	l.network.mu.Unlock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
