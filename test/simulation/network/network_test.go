// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"
)

const latency = 5 * time.Millisecond

// TestAConnectionIsANetConn runs Go's own suite for implementations, outside of a bubble.
func TestAConnectionIsANetConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		near, far, err := connect(t.Context(), New(0))
		return near, far, func() { _, _ = near.Close(), far.Close() }, err
	})
}

// connect connects the hosts "near" and "far".
func connect(ctx context.Context, n *Network) (net.Conn, net.Conn, error) {
	listener, err := n.Host("far").Listen(80)
	if err != nil {
		return nil, nil, err
	}
	near, err := n.Host("near").DialContext(ctx, "tcp", "far:80")
	if err != nil {
		return nil, nil, err
	}
	far, err := listener.Accept()
	return near, far, err
}

// pair is connect in a bubble: both ends are closed at its end.
func pair(t *testing.T, n *Network) (near, far net.Conn) {
	t.Helper()
	near, far, err := connect(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

func TestBytesArriveInOrderAfterTheLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(latency)
		near, far := pair(t, n)
		began := time.Now()
		n.Link("near", "far").Delay(time.Second)
		write(t, near, "slow")
		n.Link("far", "near").Delay(time.Millisecond)
		write(t, near, " fast")
		read(t, far, "slow fast")
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestAResetEndsBothSides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(latency)
		near, far := pair(t, n)
		time.AfterFunc(time.Minute, n.Link("near", "far").Reset)
		for _, end := range []net.Conn{near, far} {
			if _, err := end.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Error(err)
			}
			if _, err := end.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
				t.Error(err)
			}
		}
		if _, err := n.Host("near").DialContext(t.Context(), "tcp", "far:80"); err != nil {
			t.Error("a reset is over at once:", err)
		}
	})
}

func TestACutLinkRefusesUntilHealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(latency)
		_, _ = pair(t, n)
		n.Link("near", "far").Cut()
		_, err := n.Host("near").DialContext(t.Context(), "tcp", "far:80")
		var dialling *net.OpError
		if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &dialling) || dialling.Op != "dial" {
			t.Error(err)
		}
		n.Link("near", "far").Heal()
		if _, err := n.Host("near").DialContext(t.Context(), "tcp", "far:80"); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatABlackHoleTookArrivesOnceHealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(latency)
		near, far := pair(t, n)
		began := time.Now()
		write(t, near, "under way, ")
		n.Link("near", "far").BlackHole()
		write(t, near, "sent meanwhile")
		time.AfterFunc(30*time.Second, n.Link("near", "far").Heal)
		read(t, far, "under way, sent meanwhile")
		if took := time.Since(began); took != 30*time.Second+latency {
			t.Errorf("took %s", took)
		}
		if _, err := n.Host("near").DialContext(t.Context(), "tcp", "far:80"); err != nil {
			t.Error(err)
		}
	})
}

func TestABlackHoleThatLastsEndsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(latency)
		near, _ := pair(t, n)
		began := time.Now()
		n.Link("near", "far").BlackHole()
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ETIMEDOUT) || time.Since(began) != deadAfter {
			t.Error(err, time.Since(began))
		}
		began = time.Now()
		if _, err := n.Host("near").DialContext(t.Context(), "tcp", "far:80"); !errors.Is(err, syscall.ETIMEDOUT) || time.Since(began) != dialTimeout {
			t.Error(err, time.Since(began))
		}
	})
}

func TestAHealedBlackHoleDoesNotCountForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(latency)
		near, far := pair(t, n)
		link := n.Link("near", "far")
		link.BlackHole()
		time.Sleep(deadAfter - time.Second)
		link.Heal()
		link.BlackHole()
		time.Sleep(2 * time.Second)
		link.Heal()
		write(t, near, "still there")
		read(t, far, "still there")
	})
}

func TestAnIsolatedHostIsApartFromNewHostsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(latency)
		near, far := pair(t, n)
		n.Host("far").Isolate(true)
		write(t, near, "later")
		n.Link("near", "far").Heal() // a link alone cannot end it
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := n.Host("new").DialContext(ctx, "tcp", "far:80"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		n.Host("far").Rejoin()
		read(t, far, "later")
		n.Host("far").Isolate(false)
		if _, err := n.Host("newer").DialContext(t.Context(), "tcp", "far:80"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error(err)
		}
		n.Host("far").Rejoin()
		if _, err := n.Host("newer").DialContext(t.Context(), "tcp", "far:80"); err != nil {
			t.Error(err)
		}
	})
}

func TestAHalfOpenLinkCarriesOneDirection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(latency)
		near, far := pair(t, n)
		n.Link("near", "far").HalfOpen("near")
		write(t, far, "heard")
		read(t, near, "heard")
		write(t, near, "not heard")
		_ = far.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestAKilledHostSaysSoAndAVanishedOneDoesNot(t *testing.T) {
	for name, test := range map[string]struct {
		end   func(*Host)
		err   error
		after time.Duration
		first string
	}{
		"killed":   {end: (*Host).Kill, err: syscall.ECONNRESET, after: latency, first: "sent before"},
		"vanished": {end: (*Host).Vanish, err: syscall.ETIMEDOUT, after: deadAfter},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := New(latency)
				near, far := pair(t, n)
				write(t, far, "sent before")
				began := time.Now()
				test.end(n.Host("far"))
				if _, err := far.Write([]byte("afterwards")); err == nil {
					t.Error("a dead host sends")
				}
				got, err := io.ReadAll(near)
				if !errors.Is(err, test.err) || string(got) != test.first || time.Since(began) != test.after {
					t.Errorf("%q and %v after %s", got, err, time.Since(began))
				}
				if _, err := n.Host("far").DialContext(t.Context(), "tcp", "near:80"); !errors.Is(err, syscall.ENETDOWN) {
					t.Error("a dead host dials:", err)
				}
				if _, err := n.Host("far").Listen(81); err == nil {
					t.Error("a dead host listens")
				}
			})
		})
	}
}

func TestEndsAsTCPDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(latency)
		near, far := pair(t, n)
		write(t, near, "last words")
		if err := near.(*conn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(far); err != nil || string(got) != "last words" {
			t.Errorf("%q, %v", got, err)
		}
		write(t, far, "answer") // the other direction is open
		read(t, near, "answer")

		// The peer closed without reading: its end is a reset.
		write(t, near.(*conn).peer, "unread")
		time.Sleep(time.Second)
		_ = near.Close()
		if _, err := far.Read(make([]byte, 1)); err == nil {
			t.Error("no end")
		}
		time.Sleep(time.Second)
		if _, err := far.Write([]byte("too late")); err == nil {
			t.Error("a write after a reset succeeds")
		}
	})
}

func TestAWriterWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pair(t, New(latency))
		_ = near.SetWriteDeadline(time.Now().Add(time.Minute))
		n, err := near.Write(make([]byte, 2*window))
		if n != window || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d, %v", n, err)
		}
		_ = far
	})
}

// TestHTTP plays requests over the network, with keep-alive, large bodies, a watch and a client that gives up.
func TestHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(latency)
		client := serve(t, n, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/echo":
				_, _ = io.Copy(w, r.Body)
			case "/watch":
				for range 3 {
					fmt.Fprintln(w, "event")
					w.(http.Flusher).Flush()
					time.Sleep(time.Minute)
				}
			default:
				<-r.Context().Done()
			}
		}))
		big := strings.Repeat("x", 3*window)
		began := time.Now()
		for i := range 3 {
			answer, err := client.Post("http://server/echo", "text/plain", strings.NewReader(big))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(answer.Body); err != nil || string(got) != big {
				t.Fatalf("answer %d: %d bytes, %v", i, len(got), err)
			}
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %s", took)
		}
		answer, err := client.Get("http://server/watch")
		if err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		if got, err := io.ReadAll(answer.Body); err != nil || string(got) != "event\nevent\nevent\n" || time.Since(began) < 2*time.Minute {
			t.Errorf("%q, %v after %s", got, err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://server/never", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Do(request); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// serve starts an HTTP server on the host "server", and returns a client of the host "client".
func serve(t *testing.T, n *Network, handler http.Handler) *http.Client {
	t.Helper()
	listener, err := n.Host("server").Listen(80)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	transport := &http.Transport{DialContext: n.Host("client").DialContext}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
	})
	return &http.Client{Transport: transport}
}

func write(t *testing.T, to net.Conn, text string) {
	t.Helper()
	if _, err := to.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, from net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(from, got); err != nil || string(got) != text {
		t.Fatalf("read %q, %v; expected %q", got, err, text)
	}
}
