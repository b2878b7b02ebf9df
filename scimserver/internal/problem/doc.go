// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package problem is the SCIM error (RFC 7644, section 3.12): a status, a kind and a detail that the client may read. It knows neither
// Kubernetes nor how an error is written to a connection. It imports nothing of this repository.
package problem
