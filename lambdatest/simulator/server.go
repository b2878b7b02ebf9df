// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Prefix is the path of the API below the server's URL.
const Prefix = "/api/scim"

// DefaultToken is the token of an organization that is made without Token.
const DefaultToken = "simulator-token"

// Server is a simulated LambdaTest with one or more organizations. It has the
// methods of its first organization, so that most tests only need the Server. All
// methods may be used by many goroutines at once.
type Server struct {
	*Org

	world *world
	mux   *http.ServeMux

	serving sync.Mutex
	http    *http.Server
	ended   chan struct{} // closed when http no longer listens
	address string
}

// world is the state that organizations share: a userName belongs to one of them,
// and ids are unique in all. One lock guards it and everything in it.
type world struct {
	sync.Mutex
	now    func() time.Time
	orgs   []*Org
	lastID int

	lastChange int

	accounts map[string]*account // by id
	names    map[string]*account // by folded userName
}

// New returns a server with one organization. It is an http.Handler; Start or
// Listen serve it.
func New(options ...Option) *Server {
	w := &world{
		now:      time.Now,
		lastID:   firstID,
		accounts: map[string]*account{},
		names:    map[string]*account{},
	}
	s := &Server{Org: w.add("default", DefaultToken, options), world: w}
	s.mux = s.routes()
	return s
}

// Start returns a server that listens on a free port of the loopback
// interface. It panics if there is none.
func Start(options ...Option) *Server {
	s := New(options...)
	if err := s.Listen("127.0.0.1:0"); err != nil {
		panic(err)
	}
	return s
}

// AddOrg adds an organization with its own token. For all other organizations,
// its users are users of another organization.
func (s *Server) AddOrg(name, token string, options ...Option) *Org {
	s.world.Lock()
	defer s.world.Unlock()
	return s.world.add(name, token, options)
}

// OrgNamed returns an organization; the empty name means the first one.
func (s *Server) OrgNamed(name string) (*Org, bool) {
	s.world.Lock()
	defer s.world.Unlock()
	for _, org := range s.world.orgs {
		if name == "" || org.name == name {
			return org, true
		}
	}
	return nil, false
}

// Listen serves on address until Close. After Close it may be called again, to
// serve on the same address with the same state.
func (s *Server) Listen(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	s.serving.Lock()
	defer s.serving.Unlock()
	s.address = listener.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: headerTimeout}
	s.ended = make(chan struct{})
	go func(server *http.Server, ended chan struct{}) {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Errorf("serving the simulator: %w", err))
		}
	}(s.http, s.ended)
	return nil
}

// URL is the server's address, for instance "http://127.0.0.1:8080".
func (s *Server) URL() string {
	s.serving.Lock()
	defer s.serving.Unlock()
	return "http://" + s.address
}

// BaseURL is the URL of the API, for lambdatest.New.
func (s *Server) BaseURL() string {
	return s.URL() + Prefix
}

// Close cuts all connections and stops serving; when it returns, the address is
// free. It keeps state and records.
func (s *Server) Close() {
	if server, ended := s.running(); server != nil {
		_ = server.Close()
		<-ended
	}
}

// Shutdown waits for the calls in flight and then does what Close does. If ctx
// ends first, it returns an error and the calls continue.
func (s *Server) Shutdown(ctx context.Context) error {
	server, ended := s.running()
	if server == nil {
		return nil
	}
	err := server.Shutdown(ctx)
	<-ended
	return err
}

func (s *Server) running() (*http.Server, chan struct{}) {
	s.serving.Lock()
	defer s.serving.Unlock()
	return s.http, s.ended
}

// ServeHTTP answers one request. When an answer is to be lost, it panics with
// http.ErrAbortHandler: then net/http cuts the connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mux.ServeHTTP(w, r)
}
