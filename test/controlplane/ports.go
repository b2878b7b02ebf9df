// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

const (
	// These ports are below those that Linux and macOS use for outgoing connections. Otherwise, while a process is down
	// between kill and restart, a client that keeps dialling it could get that port itself, and connect to itself.
	lowestPort  = 10_000
	highestPort = 32_000
	// portAttempts is the number of random ports to try for each listener.
	portAttempts = 100
)

// ports are on the loopback interface. They do not change when a process restarts.
type ports struct {
	etcd, etcdPeers, apiServer, controllerManager int
}

func freePorts() (ports, error) {
	var p ports
	taken := map[int]bool{}
	for _, port := range []*int{&p.etcd, &p.etcdPeers, &p.apiServer, &p.controllerManager} {
		free, err := freePort(taken)
		if err != nil {
			return ports{}, err
		}
		taken[free] = true
		*port = free
	}
	return p, nil
}

func freePort(taken map[int]bool) (int, error) {
	for range portAttempts {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		if taken[port] {
			continue
		}
		listener, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue // the port is in use
		}
		_ = listener.Close()
		return port, nil
	}
	return 0, errors.New("finding a free port: all ports that were tried are in use")
}

func loopback(port int) string {
	return fmt.Sprintf("127.0.0.1:%d", port)
}
