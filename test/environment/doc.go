// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package environment runs the whole product: a real control plane, the resources of config/, a simulated LambdaTest, and replicas of
// the operator as separate processes with the ServiceAccount of config/. `make run`, `make demo`, the end-to-end specs, the benchmarks and
// the chaos test use it.
//
//	env, err := environment.Start(ctx, environment.Options{Progress: os.Stdout})
//	defer env.Stop()
//
// It is test support: nothing that ships imports it.
package environment
