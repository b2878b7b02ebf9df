// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// conn is one end of a connection.
type conn struct {
	network       *Network
	link          *Link
	host          *Host
	peer          *conn
	in, out       *stream
	local, remote *net.TCPAddr

	readDeadline, writeDeadline time.Time
	closed, writeClosed         bool
	err                         error // why it is over, other than by Close
}

// Read implements net.Conn.
func (c *conn) Read(into []byte) (int, error) {
	for {
		n, wake, until, err := c.tryRead(into)
		if err != nil && !errors.Is(err, io.EOF) {
			err = c.opError("read", err)
		}
		if wake == nil {
			return n, err
		}
		await(wake, until)
	}
}

// tryRead reads what is there, or says what to wait for.
func (c *conn) tryRead(into []byte) (n int, wake <-chan struct{}, until time.Time, err error) {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	switch {
	case c.closed:
		return 0, nil, until, net.ErrClosed
	case c.err != nil:
		return 0, nil, until, c.err
	case passed(c.readDeadline):
		return 0, nil, until, os.ErrDeadlineExceeded
	case len(into) == 0:
		return 0, nil, until, nil
	}
	g, due := c.in.first()
	if g == nil {
		return 0, c.in.waker(), earlier(due, c.readDeadline), nil
	}
	switch g.kind {
	case end:
		return 0, nil, until, io.EOF
	case reset:
		c.failLocked(syscall.ECONNRESET)
		return 0, nil, until, c.err
	}
	n = copy(into, g.data)
	g.data = g.data[n:]
	c.in.unread -= n
	if len(g.data) == 0 {
		c.in.queue = c.in.queue[1:]
	}
	c.in.changed() // a writer may wait for room
	return n, nil, until, nil
}

// Write implements net.Conn. It returns once all is sent, which is not when it arrives.
func (c *conn) Write(from []byte) (int, error) {
	written := 0
	for {
		n, wake, err := c.tryWrite(from[written:])
		written += n
		if err != nil {
			return written, c.opError("write", err)
		}
		if wake == nil {
			return written, nil
		}
		c.network.mu.Lock()
		deadline := c.writeDeadline
		c.network.mu.Unlock()
		await(wake, deadline)
	}
}

// tryWrite sends what there is room for, and says what to wait for when that is not all.
func (c *conn) tryWrite(from []byte) (int, <-chan struct{}, error) {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	switch {
	case c.closed:
		return 0, nil, net.ErrClosed
	case c.err != nil:
		return 0, nil, c.err
	case c.writeClosed || c.in.hasReset():
		return 0, nil, syscall.EPIPE
	case passed(c.writeDeadline):
		return 0, nil, os.ErrDeadlineExceeded
	}
	n := min(len(from), window-c.out.unread)
	if n > 0 {
		c.out.send(segment{data: append([]byte(nil), from[:n]...)})
		c.refuse()
	}
	if n < len(from) {
		return max(n, 0), c.out.waker(), nil
	}
	return n, nil, nil
}

// refuse lets a peer that has closed answer with a reset. The caller holds the lock.
func (c *conn) refuse() {
	if !c.peer.closed || c.host.dead || c.peer.host.dead {
		return
	}
	c.out.queue, c.out.unread = nil, 0
	if !c.link.holes[c.out.direction] {
		c.in.send(segment{kind: reset})
	}
}

// Close implements net.Conn: what was sent still arrives. The peer reads the end of the stream, or a reset when something is left unread here.
func (c *conn) Close() error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	c.closed = true
	if c.err == nil {
		switch g, _ := c.in.first(); {
		case g != nil && g.kind == data:
			c.out.send(segment{kind: reset})
		case !c.writeClosed:
			c.out.send(segment{kind: end})
		}
	}
	c.leave()
	return nil
}

// CloseWrite ends what is sent, and leaves the other direction open, as net.TCPConn does.
func (c *conn) CloseWrite() error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	switch {
	case c.closed:
		return c.opError("close", net.ErrClosed)
	case c.err != nil:
		return c.opError("close", c.err)
	}
	if !c.writeClosed {
		c.writeClosed = true
		c.out.send(segment{kind: end})
	}
	return nil
}

// fail ends this end of the connection.
func (c *conn) fail(err error) {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.failLocked(err)
}

func (c *conn) failLocked(err error) {
	if c.err == nil {
		c.err = err
	}
	c.leave()
}

// leave forgets the connection once neither end can hear anything, and wakes those who wait.
func (c *conn) leave() {
	c.in.changed()
	c.out.changed()
	delete(c.host.conns, c)
	if (c.closed || c.err != nil) && (c.peer.closed || c.peer.err != nil) {
		delete(c.link.conns, c)
		delete(c.link.conns, c.peer)
	}
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(at time.Time) error {
	return errors.Join(c.SetReadDeadline(at), c.SetWriteDeadline(at))
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(at time.Time) error { return c.deadline(&c.readDeadline, c.in, at) }

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(at time.Time) error { return c.deadline(&c.writeDeadline, c.out, at) }

func (c *conn) deadline(which *time.Time, s *stream, at time.Time) error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	if c.closed {
		return c.opError("set", net.ErrClosed)
	}
	*which = at
	s.changed()
	return nil
}

func (c *conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

func passed(deadline time.Time) bool { return !deadline.IsZero() && !deadline.After(time.Now()) }

// earlier is the earlier of two times; zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// await waits for a change, or until a time; zero means for ever.
func await(wake <-chan struct{}, until time.Time) {
	if until.IsZero() {
		<-wake
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-wake:
	case <-timer.C:
	}
}
