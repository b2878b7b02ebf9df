// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package environment runs the whole product: a real control plane, the resources of config/, a simulated LambdaTest, and replicas of
// the operator as processes of their own under the ServiceAccount they ship with. `make run`, `make demo`, the end-to-end specs and
// whatever breaks or measures the operator start from it.
//
//	env, err := environment.Start(ctx, environment.Options{Progress: os.Stdout})
//	defer env.Stop()
//
// It is test support: nothing that ships imports it.
package environment
