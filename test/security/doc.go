// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package security attacks the running product over real connections and a real API server: with a plain socket, with the token of
// another tenant, with crafted bodies, and with resources in Kubernetes. docs/security.md lists the threats and names the spec for each.
// `make security` runs all of them, including those of other packages.
//
// It is test support: nothing that ships imports it.
package security
