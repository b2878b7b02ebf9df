// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package network is a network in memory, for tests that run in a bubble of testing/synctest: there a goroutine that waits for a real
// socket would stop the clock.
//
//   - network.go has hosts, listeners and dialling.
//   - link.go has the link between two hosts: its latency, and its faults in one or both directions.
//   - conn.go and stream.go are a connection: a net.Conn with deadlines that ends as TCP does.
//
// Hosts have names, and a connection shows an IP address for each. Bytes arrive in order, after the latency of their link. Nothing is lost:
// what is sent while a direction is a black hole arrives once the link is healed, as TCP repeats what was not confirmed.
//
// The package knows nothing of HTTP and of the operator, and imports the standard library alone.
package network
