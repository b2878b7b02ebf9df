// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package conformance sends the requests of identity providers to a running SCIM endpoint, only over HTTP, and reports answers that differ
// from the expected ones. It plays Okta's published test suite, and transcripts of exchanges. Requests go to the given base URLs in turn,
// so that several replicas must behave as one.
//
// It imports no package of the operator: all it knows about SCIM is in the files.
package conformance
