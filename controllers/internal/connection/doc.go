// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package connection is one organization in memory: the gate for every call (Connection.Call, after lane.Acquire or lane.Wait), the
// sweep, the round that reads whom a list does not show, the census of its people, and what stands in the way of single people. The
// registry knows the connection of each organization, and which of two organizations with one token makes the calls. It plans no change. It
// imports every package of internal, api and lambdatest, and no reconciler.
package connection
