// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package conformance plays what identity providers send against a running SCIM endpoint, over HTTP alone, and says what was answered
// otherwise than expected: Okta's published test suite, and transcripts of exchanges. Requests go to the given base URLs in
// alternation, so that several replicas have to behave as one.
//
// It imports nothing of the operator: what it knows of SCIM is what the files say.
package conformance
