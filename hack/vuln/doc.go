// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command vuln judges what govulncheck finds: a vulnerability that the code reaches fails, unless accepted.yaml says why it stays; and
// an accepted one that is found no more fails, too, so that the list never grows old. hack/vuln.sh runs it with govulncheck's JSON as
// its input. It is a build tool: nothing that ships imports it.
package main
