// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// replicas is the number of operator replicas: if one is killed and one is paused, one remains.
	replicas = 3
	// restartPause is how long a replica that ended stays away, as a kubelet's first back-off.
	restartPause = time.Second
	// keeperTimeout is how long a replica may take to be ready, while there may be no API server.
	keeperTimeout = 60 * time.Second
)

// run is one run: the state that clients, faults and observers share.
type run struct {
	env      *environment.Environment
	network  *network
	tenants  []*tenant
	clients  []*scimClient // one for each replica, over its link
	links    []*brittle
	watching client.WithWatch

	began                  time.Time
	chaosBegan, chaosEnded moment
	prunedAt, settledAt    moment
	out                    io.Writer
	seed                   uint64

	users    history[userRequest, userAnswer]
	groups   history[groupRequest, groupAnswer]
	claims   *claims
	replicaW *replicaWatch
	trouble  timeline

	background                             sync.WaitGroup // clients and faults
	onlookers                              sync.WaitGroup
	numbers                                atomic.Int64
	turnedAway, manifests, edits, refusals atomic.Int64
	intrusions                             tally
	faults                                 tally
}

// brittle is a link that may be broken, and the party that is affected.
type brittle struct {
	link *link
	whom string
}

// tally counts by name.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (t *tally) add(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	t.counts[name]++
}

func (r *run) count(k kind) { r.faults.add(string(k)) }

func (r *run) now() moment { return time.Since(r.began) }

// unique returns a text that was not used before in this run.
func (r *run) unique() string { return fmt.Sprintf("v%d", r.numbers.Add(1)) }

// chance is a source of randomness of its own.
func (r *run) chance() *rand.Rand {
	return rand.New(rand.NewPCG(r.seed, uint64(r.numbers.Add(1))))
}

func (r *run) progress(format string, args ...any) {
	fmt.Fprintf(r.out, "%7.1fs  %s\n", r.now().Seconds(), fmt.Sprintf(format, args...))
}

func (r *run) tenant(name string) *tenant {
	for _, t := range r.tenants {
		if t.name == name {
			return t
		}
	}
	panic("no such organization: " + name)
}

// pruned is the organization whose crew is pruned by mistake.
func (r *run) pruned() *tenant { return r.tenants[len(r.tenants)-1] }

// replica picks a ready replica, as a Service does; sometimes any replica.
func (r *run) replica(random *rand.Rand) int {
	ready := r.replicaW.ready()
	if len(ready) == 0 || random.IntN(20) == 0 {
		return random.IntN(replicas)
	}
	return ready[random.IntN(len(ready))]
}

func (r *run) newProvider(t *tenant) *provider {
	return &provider{run: r, tenant: t, number: int(r.numbers.Add(1)), random: r.chance()}
}

// start starts everything, with a link between every two parties.
func start(ctx context.Context, seed uint64, out io.Writer) (*run, error) {
	r := &run{network: newNetwork(), began: time.Now(), out: out, seed: seed}
	r.claims, r.replicaW = &claims{run: r}, newReplicaWatch(r)
	tenantLinks, err := r.openTenantLinks()
	if err != nil {
		return nil, err
	}
	options := environment.Options{
		Replicas: replicas, Organizations: []environment.Organization{}, Progress: out, ReplicaFlags: r.replicaFlags,
	}
	for _, l := range tenantLinks {
		options.OperatorFlags = append(options.OperatorFlags, "--upstream-hosts=http://"+l.address())
	}
	if r.env, err = environment.Start(ctx, options); err != nil {
		return nil, err
	}
	if err := r.connect(ctx, tenantLinks); err != nil {
		r.env.Stop()
		return nil, err
	}
	return r, nil
}

// organizations are in namespaces of their own, but for two that share one.
var organizations = []struct {
	name, namespace string
	rate            int32
}{
	{"patient", "patient", patientRate},
	{"hasty", environment.Namespace, 200},
	{"pruned", environment.Namespace, 200},
}

func (r *run) openTenantLinks() ([]*link, error) {
	var links []*link
	for _, organization := range organizations {
		l, err := r.network.open("operator to LambdaTest/" + organization.name)
		if err != nil {
			return nil, err
		}
		links = append(links, l)
		r.links = append(r.links, &brittle{l, organization.name})
	}
	return links, nil
}

// replicaFlags lets a replica reach the API server over a link of its own.
func (r *run) replicaFlags(replica int, kubeconfig string) ([]string, error) {
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig of the replicas: %w", err)
	}
	name := fmt.Sprintf("operator-%d", replica+1)
	l, err := r.network.open(name + " to the API server")
	if err != nil {
		return nil, err
	}
	r.links = append(r.links, &brittle{l, name})
	for _, cluster := range config.Clusters {
		l.lead(addressOf(cluster.Server))
		cluster.Server = "https://" + l.address()
	}
	own := filepath.Join(filepath.Dir(kubeconfig), name)
	return []string{"--kubeconfig=" + own}, clientcmd.WriteToFile(*config, own)
}

// connect creates the organizations, and the links of their providers.
func (r *run) connect(ctx context.Context, links []*link) error {
	for _, replica := range r.env.Replicas {
		l, err := r.network.open("provider to " + replica.Name())
		if err != nil {
			return err
		}
		l.lead(addressOf(replica.SCIMURL))
		r.links = append(r.links, &brittle{l, "nobody"})
		r.clients = append(r.clients, newSCIMClient(l.address()))
	}
	var err error
	if r.watching, err = client.NewWithWatch(r.env.Plane.Config(), client.Options{Scheme: r.env.Client.Scheme()}); err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	for i, organization := range organizations {
		links[i].lead(addressOf(r.env.Simulator.URL()))
		t, err := createTenant(ctx, r.env, links[i], organization.name, organization.namespace, r.seed, organization.rate)
		if err != nil {
			return err
		}
		r.tenants = append(r.tenants, t)
	}
	return nil
}

// keep restarts a replica whenever it ends, as a kubelet does.
func (r *run) keep(ctx context.Context, replica *environment.Replica) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-replica.Ended():
		}
		pause(ctx, restartPause)
		if ctx.Err() != nil {
			return
		}
		starting, cancel := context.WithTimeout(ctx, keeperTimeout)
		if err := replica.Start(starting); err != nil && ctx.Err() == nil {
			r.faults.add("start that failed")
		}
		cancel()
	}
}

// addressOf is the host and port of a URL.
func addressOf(raw string) string {
	parsed, err := url.Parse(raw)
	if err != nil {
		panic(fmt.Errorf("the URL of a part of the environment: %w", err)) // it was made there
	}
	return parsed.Host
}

// awaitReady waits until a replica serves.
func awaitReady(ctx context.Context, replica *environment.Replica) error {
	return environment.Await(ctx, func(ctx context.Context) error {
		_, err := fetch(ctx, replica.HealthURL+"/readyz")
		return err
	})
}

func (r *run) stop() {
	r.env.Stop()
	r.network.close()
}

// keepLogs copies the logs of the replicas, to help to understand a failure.
func (r *run) keepLogs(dir string) {
	for _, replica := range r.env.Replicas {
		if content, err := os.ReadFile(replica.LogPath()); err == nil {
			_ = os.WriteFile(filepath.Join(dir, "chaos-"+replica.Name()+".log"), content, 0o600)
		}
	}
}
