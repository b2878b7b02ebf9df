// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"sync"
)

// connections bounds how many connections are open, since each takes memory before anything is known of its client. When there are too
// many, one that waits is closed for the new one: the provider always gets in, also when an attacker behind the same proxy opens
// connections without end. So there is no limit per address, which would shut out all clients of a proxy.
//
// Connections that wait have sent no complete request, or have had their answers. The one that waits longest is closed, among those that
// have shown no valid token if these are more than half, else among the others. So a flood of connections without a token costs no provider
// its own, and a tenant with a token cannot keep others from showing theirs. A connection whose request is being worked on is never closed;
// if all are such, the new one is.
type connections struct {
	most int

	mu  sync.Mutex
	all map[net.Conn]*connection
	// strangers and clients are the connections that wait, longest first, without and with a valid token so far.
	strangers, clients list.List
}

// connection is guarded by the lock of connections.
type connection struct {
	net.Conn
	client bool
	// waiting is its place among those that wait; nil while a request is worked on.
	waiting *list.Element
}

func newConnections(most int) *connections {
	return &connections{most: most, all: map[net.Conn]*connection{}}
}

type connectionKey struct{}

// opened is for http.Server.ConnContext.
func (c *connections) opened(ctx context.Context, conn net.Conn) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) >= c.most && !c.closeOne() {
		cut(conn)
		return ctx
	}
	added := &connection{Conn: conn}
	c.all[conn] = added
	c.wait(added)
	return context.WithValue(ctx, connectionKey{}, added)
}

// changed is for http.Server.ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.all[conn]; known != nil {
		c.forget(known)
	}
}

// begin notes that a request of the connection is worked on, until end.
func (c *connections) begin(ctx context.Context) (end func(validToken bool)) {
	asked, known := ctx.Value(connectionKey{}).(*connection)
	if !known {
		return func(bool) {}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopWaiting(asked)
	return func(validToken bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		asked.client = asked.client || validToken
		if c.all[asked.Conn] == asked {
			c.wait(asked)
		}
	}
}

// closeOne closes the connection that can be spared most, if there is one.
func (c *connections) closeOne() bool {
	order := []*list.List{&c.clients, &c.strangers}
	if c.strangers.Len() > c.most/2 {
		slices.Reverse(order)
	}
	for _, waiting := range order {
		if first := waiting.Front(); first != nil {
			spared := first.Value.(*connection)
			c.forget(spared)
			cut(spared.Conn)
			return true
		}
	}
	return false
}

func (c *connections) wait(connection *connection) {
	connection.waiting = c.listOf(connection).PushBack(connection)
}

func (c *connections) stopWaiting(connection *connection) {
	if connection.waiting != nil {
		c.listOf(connection).Remove(connection.waiting)
		connection.waiting = nil
	}
}

func (c *connections) forget(connection *connection) {
	c.stopWaiting(connection)
	delete(c.all, connection.Conn)
}

func (c *connections) listOf(connection *connection) *list.List {
	if connection.client {
		return &c.clients
	}
	return &c.strangers
}

// cut closes a connection at once; TLS would first wait until its client reads a farewell.
func cut(conn net.Conn) {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	_ = conn.Close()
}
