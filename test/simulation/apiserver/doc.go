// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package apiserver is a Kubernetes API server in memory: an http.Handler that answers as kube-apiserver does, for the requests that the
// operator, kubectl and GitOps tools send about the kinds that concern the operator. The rules of the custom resources are the real ones:
// their definitions are read from config/crd/bases, and apiextensions-apiserver prunes, defaults and validates. What it does and what it does
// not is in docs/simulation.md; TestDifferences compares it with a real API server.
//
// It works inside a testing/synctest bubble. It has no goroutines of its own but those of requests and of RunControllers, it does no input or
// output after New, each wait is a channel or a timer, and no lock is held while it reads from or writes to a connection.
//
// Time is time.Now, which is the bubble's time inside one. A user is who the bearer token names (the token is the name), and without a token
// the User-Agent up to its first slash. There is no RBAC: every user may do everything, except what an admission policy forbids.
package apiserver
