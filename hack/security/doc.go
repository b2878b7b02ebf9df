// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command security reads ginkgo's reports of the security specs and prints what they proved, one line a spec, with what they measured;
// it fails when one failed or none ran. hack/security.sh runs it. It is a build tool: nothing that ships imports it.
package main
