// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command simulator serves a simulated LambdaTest until it is interrupted. Its
// first line of output is its URL. The API is below that URL at /api/scim; package
// simulator documents the other paths.
package main
