// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	// dialTimeout is how long a host tries to connect: client-go's own figure.
	dialTimeout = 30 * time.Second
	// deadAfter is how long a connection may hear nothing of its peer before it fails: what client-go's health checks of HTTP/2 take to notice
	// a peer that went away silently.
	deadAfter = 45 * time.Second
	// window is how many bytes may be sent and not read.
	window = 256 << 10
	// backlog is how many connections wait for Accept.
	backlog = 1024
	// firstPort is the first port of the side that dials.
	firstPort = 32768
)

// Network is a set of hosts with a link between every two. One lock guards everything in it.
type Network struct {
	mu      sync.Mutex
	latency time.Duration
	hosts   map[string]*Host
	byIP    map[string]*Host
	links   map[[2]string]*Link
}

// New returns a network without hosts. latency is what bytes take in one direction, unless a link says otherwise.
func New(latency time.Duration) *Network {
	return &Network{latency: latency, hosts: map[string]*Host{}, byIP: map[string]*Host{}, links: map[[2]string]*Link{}}
}

// Host is a machine, or a pod: it has one address and any number of listeners.
type Host struct {
	network   *Network
	name      string
	ip        net.IP
	dead      bool
	apart     isolation
	listeners map[int]*listener
	conns     map[*conn]struct{}
	lastPort  int
}

// Host returns the host of that name, and makes it when there is none.
func (n *Network) Host(name string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h := n.hosts[name]; h != nil {
		return h
	}
	number := len(n.hosts) + 1
	h := &Host{
		network: n, name: name, ip: net.IPv4(10, byte(number>>16), byte(number>>8), byte(number)),
		listeners: map[int]*listener{}, conns: map[*conn]struct{}{}, lastPort: firstPort,
	}
	n.hosts[name], n.byIP[h.ip.String()] = h, h
	return h
}

// NameOf returns the name of the host with the IP address of addr, which is "ip:port"; empty when there is none.
func (n *Network) NameOf(addr string) string {
	ip, _, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if h := n.byIP[ip]; h != nil {
		return h.name
	}
	return ""
}

// Name is what others dial.
func (h *Host) Name() string { return h.name }

// Listen accepts connections to a port.
func (h *Host) Listen(port int) (net.Listener, error) {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	address := &net.TCPAddr{IP: h.ip, Port: port}
	if h.dead || h.listeners[port] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: address, Err: syscall.EADDRINUSE}
	}
	l := &listener{host: h, address: address, accepted: make(chan *conn, backlog), closed: make(chan struct{})}
	h.listeners[port] = l
	return l, nil
}

// DialContext connects to "name:port" of another host, or of its own.
func (h *Host) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	c, err := h.dial(ctx, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%s: %w", address, err)}
	}
	return c, nil
}

func (h *Host) dial(ctx context.Context, address string) (*conn, error) {
	name, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, dialTimeout, syscall.ETIMEDOUT)
	defer cancel()
	link := h.network.Link(h.name, name)
	for {
		roundTrip, err := link.reachable(h, name)
		if err == nil {
			if err := sleep(ctx, roundTrip); err != nil {
				return nil, err
			}
			if c, err := link.connect(h, name, port); c != nil || err != nil {
				return c, err
			}
			continue // a fault began meanwhile
		}
		if err != errNoWay { //nolint:errorlint // it is never wrapped
			return nil, err
		}
		if err := link.awaitChange(ctx); err != nil {
			return nil, err
		}
	}
}

// sleep waits, unless ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Kill ends the host as when its process is killed: peers hear that its connections are reset. What it has sent arrives, nothing else does.
func (h *Host) Kill() { h.end(false) }

// Vanish ends the host as when its machine loses power: peers hear nothing, and give up after a while. What is under way is lost.
func (h *Host) Vanish() { h.end(true) }

func (h *Host) end(silently bool) {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	if h.dead {
		return
	}
	h.dead = true
	for _, l := range h.listeners {
		l.close()
	}
	for c := range h.conns {
		if silently {
			c.out.queue, c.out.unread = nil, 0
			c.in.silent = true // whatever the peer sends is not confirmed
			time.AfterFunc(deadAfter, func() { c.peer.fail(syscall.ETIMEDOUT) })
		} else {
			c.out.send(segment{kind: reset})
		}
		c.failLocked(net.ErrClosed)
		delete(h.conns, c)
	}
	for _, l := range h.network.links {
		l.changedLocked() // who dials learns that there is no such host any more
	}
}

// Revive lets a host that ended dial again, so that what still runs on it can come to its end. Its connections and listeners stay gone.
func (h *Host) Revive() {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	h.dead = false
}

// isolation says how all links of a host fail, those to hosts that do not exist yet included.
type isolation int

const (
	together isolation = iota
	refusing
	silent
)

// Isolate cuts all links of the host, or makes them black holes, until Rejoin.
func (h *Host) Isolate(silently bool) {
	if silently {
		h.isolate(silent)
	} else {
		h.isolate(refusing)
	}
}

// Rejoin heals all links of the host.
func (h *Host) Rejoin() { h.isolate(together) }

func (h *Host) isolate(how isolation) {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	h.apart = how
	for _, l := range h.network.links {
		if l.hosts[0] == h.name || l.hosts[1] == h.name {
			l.heal()
		}
	}
}

// listener is a net.Listener.
type listener struct {
	host     *Host
	address  *net.TCPAddr
	accepted chan *conn
	closed   chan struct{}
	isClosed bool
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.address, Err: net.ErrClosed}
	}
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.address }

// Close implements net.Listener. Connections that were not accepted are reset.
func (l *listener) Close() error {
	l.host.network.mu.Lock()
	defer l.host.network.mu.Unlock()
	if l.isClosed {
		return &net.OpError{Op: "close", Net: "tcp", Addr: l.address, Err: net.ErrClosed}
	}
	l.close()
	return nil
}

// close is called with the lock of the network held.
func (l *listener) close() {
	l.isClosed = true
	close(l.closed)
	delete(l.host.listeners, l.address.Port)
	for {
		select {
		case c := <-l.accepted:
			c.out.send(segment{kind: reset})
			c.failLocked(net.ErrClosed)
		default:
			return
		}
	}
}
