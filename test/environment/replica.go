// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
	"github.com/lambdatest-operator/lambdatest-operator/test/process"
)

// Replica is one process of the operator.
type Replica struct {
	*process.Process
	// SCIMURL is its base URL for identity providers, MetricsURL where it is scraped, HealthURL has /readyz and /healthz.
	SCIMURL, MetricsURL, HealthURL string
}

// build builds the operator's binary.
func build(ctx context.Context, binary string) error {
	root, err := controlplane.ModuleRoot()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	command.Dir = root
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building the operator: %w\n%s", err, output)
	}
	return nil
}

func (e *Environment) startReplicas(ctx context.Context, binary string, options Options) error {
	kubeconfig, err := e.Plane.ServiceAccountKubeconfig(ctx, OperatorNamespace, OperatorServiceAccount)
	if err != nil {
		return err
	}
	count := options.Replicas
	if count == 0 {
		count = 2
	}
	if err := os.MkdirAll(filepath.Join(e.dir, "logs"), 0o700); err != nil {
		return err
	}
	for i := range count {
		flags, err := options.replicaFlags(i, kubeconfig)
		if err != nil {
			return err
		}
		replica, err := e.newReplica(fmt.Sprintf("operator-%d", i+1), binary, kubeconfig, flags)
		if err != nil {
			return err
		}
		e.Replicas = append(e.Replicas, replica)
	}
	if err := e.startAll(ctx); err != nil {
		return err
	}
	e.Front, err = newFront(e.Replicas)
	return err
}

func (o Options) replicaFlags(replica int, kubeconfig string) ([]string, error) {
	if o.ReplicaFlags == nil {
		return o.OperatorFlags, nil
	}
	own, err := o.ReplicaFlags(replica, kubeconfig)
	return slices.Concat(o.OperatorFlags, own), err
}

// startAll starts the replicas in parallel, as a Deployment does.
func (e *Environment) startAll(ctx context.Context) error {
	failures := make(chan error, len(e.Replicas))
	for _, replica := range e.Replicas {
		go func() { failures <- replica.Start(ctx) }()
	}
	var first error
	for range e.Replicas {
		if err := <-failures; err != nil && first == nil {
			first = err
		}
	}
	if first == nil {
		fmt.Fprintf(e.progress, "%d replicas of the operator serve SCIM, as service account %s\n", len(e.Replicas), OperatorServiceAccount)
	}
	return first
}

func (e *Environment) newReplica(name, binary, kubeconfig string, flags []string) (*Replica, error) {
	addresses, err := freeAddresses(3)
	if err != nil {
		return nil, err
	}
	scim, metrics, health := addresses[0], addresses[1], addresses[2]
	replica := &Replica{
		SCIMURL:    "http://" + scim + "/scim/v2",
		MetricsURL: "http://" + metrics + "/metrics",
		HealthURL:  "http://" + health,
	}
	replica.Process = process.New(process.Command{
		Name: name,
		Path: binary,
		Args: append([]string{
			"run",
			"--kubeconfig=" + kubeconfig,
			"--leader-election-namespace=" + OperatorNamespace,
			"--scim-bind-address=" + scim,
			"--scim-drain-delay=0s",
			"--metrics-bind-address=" + metrics,
			"--metrics-secure=false",
			"--health-probe-bind-address=" + health,
			"--upstream-hosts=" + e.Simulator.URL(),
			"--log-format=text",
		}, flags...),
		LogPath: filepath.Join(e.dir, "logs", name+".log"),
		Ready:   replica.ready,
	})
	return replica, nil
}

func (r *Replica) ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.HealthURL+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("readyz answers %s", response.Status)
	}
	return nil
}

// stopReplicas stops all replicas at once, so that none takes over from another.
func (e *Environment) stopReplicas() {
	var all sync.WaitGroup
	for _, replica := range e.Replicas {
		all.Go(replica.Stop)
	}
	all.Wait()
}

// freeAddresses finds free loopback addresses. It holds all of them until the last one is found, so that they differ.
func freeAddresses(count int) ([]string, error) {
	addresses := make([]string, 0, count)
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("finding a free port: %w", err)
		}
		defer func() { _ = listener.Close() }()
		port := listener.Addr().(*net.TCPAddr).Port
		addresses = append(addresses, "127.0.0.1:"+strconv.Itoa(port))
	}
	return addresses, nil
}

// Logs returns the end of each replica's log.
func (e *Environment) Logs() string {
	const tail = 8192
	var all strings.Builder
	for _, replica := range e.Replicas {
		content, err := os.ReadFile(replica.LogPath())
		if err != nil {
			continue
		}
		fmt.Fprintf(&all, "\nthe end of the log of %s:\n%s", replica.Name(), content[max(0, len(content)-tail):])
	}
	return all.String()
}
