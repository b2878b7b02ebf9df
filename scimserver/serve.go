// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
)

// Start serves until ctx is done, then drains: Ready says no, requests are served for DrainDelay more, and those in flight are
// answered. Before the caches are synced and the tokens are loaded the answer to everything is 503.
func (s *Server) Start(ctx context.Context) error {
	listener, err := s.listen()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	tlsConfig, err := s.tls(ctx, group)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if tlsConfig != nil {
		listener = tls.NewListener(listener, tlsConfig)
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      2 * requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnContext:       s.connections.opened,
		ConnState:         s.connections.changed,
		ErrorLog:          quietLog(s.log),
	}
	group.Go(func() error { return s.follow(ctx) })
	group.Go(func() error { return serve(server, listener) })
	group.Go(func() error { return s.drain(ctx, server) })
	return group.Wait()
}

func (s *Server) listen() (net.Listener, error) {
	if s.options.Listener != nil {
		return s.options.Listener, nil
	}
	listener, err := net.Listen("tcp", s.options.Address)
	if err != nil {
		return nil, fmt.Errorf("listening for SCIM: %w", err)
	}
	return listener, nil
}

// tls returns the configuration for the certificate files, which are watched, or nil for plain HTTP.
func (s *Server) tls(ctx context.Context, group *errgroup.Group) (*tls.Config, error) {
	if s.options.TLSCertFile == "" {
		return nil, nil
	}
	watcher, err := certwatcher.New(s.options.TLSCertFile, s.options.TLSKeyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the TLS certificate: %w", err)
	}
	group.Go(func() error { return watcher.Start(ctx) })
	return &tls.Config{
		GetCertificate: watcher.GetCertificate,
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
	}, nil
}

func serve(server *http.Server, listener net.Listener) error {
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving SCIM: %w", err)
	}
	return nil
}

// drain waits for the stop and ends the server without cutting off a request.
func (s *Server) drain(ctx context.Context, server *http.Server) error {
	<-ctx.Done()
	s.draining.Store(true)
	time.Sleep(s.options.DrainDelay)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		return fmt.Errorf("waiting for SCIM requests to end: %w", err)
	}
	return nil
}

// Ready says whether the caches are synced and the tokens loaded; it fits into a manager's AddReadyzCheck.
func (s *Server) Ready(*http.Request) error {
	switch {
	case s.draining.Load():
		return errors.New("SCIM: stopping")
	case !s.started.Load():
		return errors.New("SCIM: caches are not synced or tokens not loaded yet")
	default:
		return nil
	}
}
