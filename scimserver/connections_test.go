// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"net"
	"net/http"
	"testing"
)

// opening opens connections, and tells which are cut.
type opening struct {
	t           *testing.T
	connections *connections
	cut         map[string]bool
	ends        map[string]func(bool)
	conns       map[string]net.Conn
}

type namedConn struct {
	net.Conn
	name string
	cut  map[string]bool
}

func (c *namedConn) Close() error { c.cut[c.name] = true; return nil }

func newOpening(t *testing.T, most int) *opening {
	return &opening{t, newConnections(most), map[string]bool{}, map[string]func(bool){}, map[string]net.Conn{}}
}

// open opens connections; those that ask have a request under way until answer.
func (o *opening) open(asks bool, names ...string) {
	for _, name := range names {
		conn := &namedConn{name: name, cut: o.cut}
		ctx := o.connections.opened(o.t.Context(), conn)
		if o.conns[name] = conn; asks {
			o.ends[name] = o.connections.begin(ctx)
		}
	}
}

func (o *opening) answer(validToken bool, names ...string) {
	for _, name := range names {
		o.ends[name](validToken)
	}
}

func (o *opening) areCut(names ...string) {
	o.t.Helper()
	for _, name := range names {
		if !o.cut[name] {
			o.t.Errorf("%s is open", name)
		}
		delete(o.cut, name)
	}
	for name := range o.cut {
		o.t.Errorf("%s is cut", name)
	}
}

func TestTheConnectionThatWaitsLongestMakesRoom(t *testing.T) {
	o := newOpening(t, 2)
	o.open(false, "a", "b", "c")
	o.areCut("a")
	o.connections.changed(o.conns["b"], http.StateClosed)
	o.open(false, "d")
	o.areCut()
	o.open(false, "e")
	o.areCut("c")
}

func TestAConnectionWhoseRequestIsWorkedOnIsNotCut(t *testing.T) {
	o := newOpening(t, 2)
	o.open(true, "a", "b")
	o.open(false, "c")
	o.areCut("c")
	o.answer(false, "a")
	o.open(false, "d")
	o.areCut("a")
	o.answer(false, "a") // a late end of a connection that is gone
	o.connections.changed(o.conns["a"], http.StateClosed)
	o.open(false, "e")
	o.areCut("d")
}

func TestAFloodWithoutATokenCostsNoProviderItsConnection(t *testing.T) {
	o := newOpening(t, 4)
	o.open(true, "okta")
	o.answer(true, "okta")
	o.open(false, "a", "b", "c", "d", "e")
	o.areCut("a", "b")
}

func TestATenantsConnectionsKeepNobodyFromShowingAToken(t *testing.T) {
	o := newOpening(t, 4)
	tenant := []string{"a", "b", "c", "d"}
	o.open(true, tenant...)
	o.answer(true, tenant...)
	o.open(false, "okta", "x")
	o.areCut("a", "b")
}
