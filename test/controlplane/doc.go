// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package controlplane runs a real Kubernetes control plane for specs and for the development environment: etcd,
// kube-apiserver and optionally kube-controller-manager, from the binaries that `make controlplane` builds.
//
//	plane, err := controlplane.Start(ctx, controlplane.Options{})
//	defer plane.Stop()
//	client, err := client.New(plane.Config(), client.Options{})
//
// Compared with controller-runtime's envtest, which can use the same binaries, it adds what the specs need:
//
//   - controllers that collect garbage and empty namespaces;
//   - service account tokens, and RBAC as strict as in a cluster;
//   - each process can be killed and started again with its port and data;
//   - Ctrl-C does not reach the processes, and on Linux they end when their parent is killed.
//
// It is test support: nothing that ships imports it.
package controlplane
