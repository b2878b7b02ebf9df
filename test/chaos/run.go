// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	"github.com/lambdatest-operator/lambdatest-operator/test/parties"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
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
	links    []*brittle
	watching client.WithWatch

	// world is what the clients share; its endpoints are reached over their links.
	world                  *parties.World
	chaosBegan, chaosEnded promises.Moment
	prunedAt, settledAt    promises.Moment
	out                    io.Writer

	claims   *claims
	replicaW *replicaWatch
	trouble  promises.Timeline

	background sync.WaitGroup // clients and faults
	onlookers  sync.WaitGroup
	faults     parties.Tally
}

// brittle is a link that may be broken, and the party that is affected.
type brittle struct {
	link *link
	whom string
}

func (r *run) count(k kind) { r.faults.Add(string(k)) }

func (r *run) progress(format string, args ...any) {
	fmt.Fprintf(r.out, "%7.1fs  %s\n", r.world.Now().Seconds(), fmt.Sprintf(format, args...))
}

func (r *run) tenant(name string) *tenant {
	for _, t := range r.tenants {
		if t.Name == name {
			return t
		}
	}
	panic("no such organization: " + name)
}

// pruned is the organization whose crew is pruned by mistake.
func (r *run) pruned() *tenant { return r.tenants[len(r.tenants)-1] }

// organizations are all of them, as the parties know them.
func (r *run) organizations() []*parties.Organization {
	all := make([]*parties.Organization, len(r.tenants))
	for i, t := range r.tenants {
		all[i] = t.Organization
	}
	return all
}

// start starts everything, with a link between every two parties.
func start(ctx context.Context, seed uint64, out io.Writer) (*run, error) {
	r := &run{network: newNetwork(), world: &parties.World{Began: time.Now(), Seed: seed}, out: out}
	r.claims, r.replicaW = &claims{run: r}, newReplicaWatch(r)
	r.world.Ready = r.replicaW.ready
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

// organizationsOfARun are in namespaces of their own, but for two that share one.
var organizationsOfARun = []struct {
	name, namespace string
	rate            int32
}{
	{"patient", "patient", patientRate},
	{"hasty", environment.Namespace, 200},
	{"pruned", environment.Namespace, 200},
}

func (r *run) openTenantLinks() ([]*link, error) {
	var links []*link
	for _, organization := range organizationsOfARun {
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
		r.world.Endpoints = append(r.world.Endpoints, newEndpoint(l.address()))
	}
	r.world.Cluster = r.env.Client
	var err error
	if r.watching, err = client.NewWithWatch(r.env.Plane.Config(), client.Options{Scheme: r.env.Client.Scheme()}); err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	for i, organization := range organizationsOfARun {
		links[i].lead(addressOf(r.env.Simulator.URL()))
		t, err := createTenant(ctx, r.env, links[i], organization.name, organization.namespace, r.world.Seed, organization.rate)
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
		parties.Pause(ctx, restartPause)
		if ctx.Err() != nil {
			return
		}
		starting, cancel := context.WithTimeout(ctx, keeperTimeout)
		if err := replica.Start(starting); err != nil && ctx.Err() == nil {
			r.faults.Add("start that failed")
		}
		cancel()
	}
}

// newEndpoint is the endpoint of a replica behind a link.
func newEndpoint(address string) *parties.Endpoint {
	transport := &http.Transport{MaxIdleConnsPerHost: 16, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext}
	return parties.NewEndpoint("http://"+address+"/scim/v2", &http.Client{Timeout: parties.Patience, Transport: transport})
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
