// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package replica is one replica of the operator: the cache, the SCIM endpoint, the controllers and the lease by which replicas agree on a
// leader. Run puts them together; it decides nothing. It reads no flags, sets no logger and listens for no signals, so that a test can run
// several replicas in one process. What such replicas share is the registry of controller-runtime, in which the controllers count: the
// metrics of controllers, and of Go's memory limits, are those of the process.
//
// It imports controllers, controllers/usercache, scimserver, lease and api.
package replica
