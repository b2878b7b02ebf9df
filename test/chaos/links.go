// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// network has every link that can be broken.
type network struct {
	server *toxiproxy.ApiServer
	links  []*link
}

func newNetwork() *network {
	return &network{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())}
}

// link is the way from one party to another.
type link struct {
	name  string
	proxy *toxiproxy.Proxy
}

// nowhere is the target of a link while the address of its other end is not known.
const nowhere = "127.0.0.1:1"

// open starts a link that listens; lead sets its target.
func (n *network) open(name string) (*link, error) {
	l := &link{name: name, proxy: toxiproxy.NewProxy(n.server, name, "127.0.0.1:0", nowhere)}
	if err := l.proxy.Start(); err != nil {
		return nil, fmt.Errorf("opening the link %s: %w", name, err)
	}
	n.links = append(n.links, l)
	return l, nil
}

// lead sets the other end, once.
func (l *link) lead(address string) {
	l.proxy.Lock()
	defer l.proxy.Unlock()
	l.proxy.Upstream = address
}

// address is where the link listens.
func (l *link) address() string { return l.proxy.Listen }

// slow delays traffic in both directions.
func (l *link) slow(latency time.Duration) error {
	for _, way := range []string{"upstream", "downstream"} {
		milliseconds := latency.Milliseconds()
		toxic := fmt.Sprintf(`{"type": "latency", "stream": %q, "attributes": {"latency": %d, "jitter": %d}}`, way, milliseconds, milliseconds/2)
		if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			return fmt.Errorf("slowing %s: %w", l.name, err)
		}
	}
	return nil
}

// freeze keeps connections open but transfers nothing.
func (l *link) freeze() error {
	for _, way := range []string{"upstream", "downstream"} {
		toxic := fmt.Sprintf(`{"type": "timeout", "stream": %q, "attributes": {"timeout": 0}}`, way)
		if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			return fmt.Errorf("freezing %s: %w", l.name, err)
		}
	}
	return nil
}

// cut ends all connections and refuses new ones.
func (l *link) cut() { l.proxy.Stop() }

// heal removes all faults.
func (l *link) heal(ctx context.Context) error {
	l.proxy.Toxics.ResetToxics(ctx)
	if err := l.proxy.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
		return fmt.Errorf("healing %s: %w", l.name, err)
	}
	return nil
}

func (n *network) close() {
	for _, l := range n.links {
		l.proxy.Stop()
	}
}
