// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command bench measures the operator, and in the same run the systems that it depends on, as a baseline. It reports whether the goals in
// goals.json are reached. `make bench` runs it.
//
// A benchmark is an entry of benchmarks(). It gets a run, which has the environment, the people that benchmarks share and the place for
// figures. One file holds the benchmarks of one subject; what they share is in run.go, fixture.go and rounds.go.
package main
