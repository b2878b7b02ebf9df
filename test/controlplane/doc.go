// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package controlplane runs a real Kubernetes control plane for specs and for the development environment: etcd,
// kube-apiserver and, when asked for, kube-controller-manager, from the binaries that `make controlplane` builds.
//
//	plane, err := controlplane.Start(ctx, controlplane.Options{})
//	defer plane.Stop()
//	client, err := client.New(plane.Config(), client.Options{})
//
// It differs from controller-runtime's envtest, which runs on the same binaries, where the specs need it: there are
// controllers that collect garbage and empty namespaces, service account tokens work and RBAC is as strict as in a
// cluster, each process can be killed and started again on its port and data, Ctrl-C does not reach the processes, and
// on Linux they die with a parent that is killed.
//
// It is test support: nothing that ships imports it.
package controlplane
