// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"
)

const frontHeaderTimeout = 10 * time.Second

// Front is one URL for all replicas, like a Service: each request goes to the next running replica.
type Front struct {
	// SCIMURL is the base URL for an identity provider.
	SCIMURL string

	replicas []*Replica
	next     atomic.Uint64
	server   *http.Server
}

func newFront(replicas []*Replica) (*Front, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for all replicas: %w", err)
	}
	front := &Front{SCIMURL: "http://" + listener.Addr().String() + "/scim/v2", replicas: replicas}
	front.server = &http.Server{
		ReadHeaderTimeout: frontHeaderTimeout,
		Handler:           &httputil.ReverseProxy{Rewrite: front.rewrite, ErrorLog: log.New(io.Discard, "", 0)},
	}
	go func() { _ = front.server.Serve(listener) }() // returns when Close is called
	return front, nil
}

// Close stops answering.
func (f *Front) Close() { _ = f.server.Close() }

func (f *Front) rewrite(request *httputil.ProxyRequest) {
	request.SetURL(f.target())
	request.Out.URL.Path, request.Out.URL.RawPath = request.In.URL.Path, request.In.URL.RawPath
	request.Out.Host = request.In.Host
	request.SetXForwarded()
}

// target is the next running replica, or the next replica if none is running.
func (f *Front) target() *url.URL {
	turn := int(f.next.Add(1) % uint64(len(f.replicas)))
	chosen := f.replicas[turn]
	for i := range f.replicas {
		if candidate := f.replicas[(turn+i)%len(f.replicas)]; candidate.PID() != 0 {
			chosen = candidate
			break
		}
	}
	target, err := url.Parse(chosen.SCIMURL)
	if err != nil {
		panic(fmt.Errorf("the URL of a replica: %w", err)) // it was made in this package
	}
	return target
}
