// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command security reads Ginkgo's reports of the security specs and prints one line per spec, with its measurements. It fails if a spec
// failed or none ran. hack/security.sh runs it. It is a build tool: nothing that ships imports it.
package main
