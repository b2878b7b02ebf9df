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
	// Below the ports that Linux and macOS hand out for outgoing connections: while a process is down between kill and
	// restart, a client that keeps dialling it could otherwise be given that very port, and connect to itself.
	lowestPort  = 10_000
	highestPort = 32_000
	// portAttempts is how many random ports are tried for each listener.
	portAttempts = 100
)

// ports are on the loopback interface and stay the same over restarts.
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
			continue // somebody has it
		}
		_ = listener.Close()
		return port, nil
	}
	return 0, errors.New("finding a free port: all that were tried are taken")
}

func loopback(port int) string {
	return fmt.Sprintf("127.0.0.1:%d", port)
}
