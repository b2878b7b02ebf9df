// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package security attacks the running product, over real connections and a real API server: a stranger with a socket, the token of
// another tenant, a crafted body or a resource of their own. docs/security.md has the threats and names the spec of each; `make
// security` runs all of them, those of other packages, too.
//
// It is test support: nothing that ships imports it.
package security
