// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/lambdatest-operator/lambdatest-operator/controllers"
	operator "github.com/lambdatest-operator/lambdatest-operator/replica"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver"
	"github.com/lambdatest-operator/lambdatest-operator/test/simulation/network"
)

const (
	// restartPause is how long a replica that ended by itself stays away, as a kubelet's first back-off.
	restartPause = time.Second
	// probePause is how long the cluster takes to send requests to a replica that serves, and to stop when it ends.
	probePause = time.Second
	// drainDelay is the default of the flag.
	drainDelay = 5 * time.Second
)

// replica is one process of the operator, from its start to its end. The next process of the slot has a host of its own.
type replica struct {
	world  *World
	slot   int
	host   *network.Host
	cancel context.CancelFunc
	ended  chan struct{}

	// The lock of the world guards these.
	crashed, stopping bool
	away              time.Duration // how long the slot stays empty after it
	servesSince       time.Time     // zero before it serves
	leftAt            time.Time     // when the cluster notices its end; zero before
}

// boot starts a replica in a slot.
func (w *World) boot(slot int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closing {
		return
	}
	number := len(w.all) + 1
	r := &replica{
		world: w, slot: slot, host: w.network.Host(fmt.Sprintf("operator-%d.%d", slot+1, number)), ended: make(chan struct{}), away: restartPause,
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	w.slots[slot], w.all = r, append(w.all, r)
	w.trace.add("replica", r.host.Name(), "starts")
	go r.run(ctx)
}

func (r *replica) run(ctx context.Context) {
	w := r.world
	err := r.serve(ctx)
	r.host.Kill()
	w.mu.Lock()
	if !r.crashed {
		w.trace.add("replica", r.host.Name(), "ended: %v", err)
	}
	w.terms.ended(r.host.Name())
	if r.leftAt.IsZero() {
		r.leftAt = time.Now().Add(probePause)
	}
	closing, away := w.closing, r.away
	w.mu.Unlock()
	close(r.ended)
	if !closing && !r.isCrashed() {
		w.bootLater(r.slot, away) //nolint:contextcheck // the next replica has a context of its own
	}
}

// bootLater starts the next replica of a slot after a while.
func (w *World) bootLater(slot int, pause time.Duration) {
	go func() {
		if w.sleep(pause) {
			w.boot(slot)
		}
	}()
}

// serve is main.go's run, with the network and the clock of the bubble.
func (r *replica) serve(ctx context.Context) error {
	w := r.world
	listener, err := r.host.Listen(scimPort)
	if err != nil {
		return err
	}
	transport := &http.Transport{DialContext: r.host.DialContext, MaxIdleConnsPerHost: 32, IdleConnTimeout: 90 * time.Second}
	defer transport.CloseIdleConnections()
	return operator.Run(ctx, w.restConfig(r.host.Name(), operatorAccount), operator.Options{
		Log: r.logger(), LeaderElection: true, LeaseNamespace: operatorNamespace,
		Controllers: controllers.Options{
			UpstreamHosts: []string{"http://" + lambdaTestHost}, HTTPClient: &http.Client{Transport: transport},
		},
		SCIM: scimserver.Options{
			Listener: &noticing{Listener: listener, accepts: r.serves}, DrainDelay: drainDelay, Registerer: prometheus.NewRegistry(),
		},
		MetricsAddress: "0", HealthAddress: "0", RESTMapper: w.mapper,
	})
}

func (r *replica) logger() logr.Logger {
	if r.world.options.Log == nil {
		return logr.Discard()
	}
	return funcr.New(func(_, line string) { r.world.options.Log(r.host.Name(), line) }, funcr.Options{LogTimestamp: true})
}

// noticing is a listener that tells when it is first used: then the caches are filled.
type noticing struct {
	net.Listener
	once    sync.Once
	accepts func()
}

// Accept implements net.Listener.
func (n *noticing) Accept() (net.Conn, error) {
	n.once.Do(n.accepts)
	return n.Listener.Accept()
}

func (r *replica) serves() {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	r.servesSince = time.Now()
	r.world.trace.add("replica", r.host.Name(), "serves SCIM")
}

// endpoint tells whether the cluster sends requests to the replica. The caller holds the lock.
func (r *replica) endpoint() bool {
	now := time.Now()
	return !r.servesSince.IsZero() && now.Sub(r.servesSince) >= probePause && (r.leftAt.IsZero() || now.Before(r.leftAt))
}

// endpoints are the replicas to which a Service sends requests.
func (w *World) endpoints() []*replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	var serving []*replica
	for _, r := range w.all {
		if r.endpoint() {
			serving = append(serving, r)
		}
	}
	return serving
}

// current is the replica of a slot, which may have ended.
func (w *World) current(slot int) *replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.slots[slot%len(w.slots)]
}

// named is the replica on a host; nil when there is none.
func (w *World) named(host string) *replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.all {
		if r.host.Name() == host {
			return r
		}
	}
	return nil
}

func (r *replica) isCrashed() bool {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	return r.crashed
}

// over tells whether the replica has ended, or was told to.
func (r *replica) over() bool {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	if r.crashed || r.stopping {
		return true
	}
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// crash ends a replica at whatever it waits for; the next one starts after a while. First no link carries anything any more, then its
// goroutines are told: nothing that they do reaches another party. Silently is as when its machine loses power.
func (r *replica) crash(silently bool, away time.Duration) {
	if r.over() {
		return
	}
	w := r.world
	w.mu.Lock()
	r.crashed = true
	notice := probePause
	if silently {
		notice = nodeLost
	}
	r.leftAt = time.Now().Add(notice)
	w.terms.ended(r.host.Name())
	w.mu.Unlock()
	w.hooks.crashed(w, r.host.Name())
	if silently {
		r.host.Vanish()
	} else {
		r.host.Kill()
	}
	w.trace.add("replica", r.host.Name(), "crashed (silently: %v)", silently)
	r.cancel()
	w.bootLater(r.slot, away)
}

// nodeLost is how long a cluster takes to notice that a machine is gone.
const nodeLost = 40 * time.Second

// stop asks a replica to end, as SIGTERM does, and waits until it has.
func (r *replica) stop() {
	if r.over() {
		return
	}
	r.world.mu.Lock()
	r.stopping = true
	r.leftAt = time.Now().Add(probePause)
	r.world.mu.Unlock()
	r.world.trace.add("replica", r.host.Name(), "is asked to stop")
	r.cancel()
	<-r.ended
}

// sleep waits, unless the world ends before; it tells which.
func (w *World) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.ctx.Done():
		return false
	}
}

// silence is a log that nothing reads.
func silence() *log.Logger { return log.New(io.Discard, "", 0) }
