// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command vuln checks the findings of govulncheck. It fails on a vulnerability that the code reaches and that accepted.yaml does not list,
// and on a listed one that is no longer found, so that the list stays current. hack/vuln.sh runs it with govulncheck's JSON as input. It is
// a build tool: nothing that ships imports it.
package main
