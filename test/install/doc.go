// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package install holds the specs about what is shipped besides the binary: the kustomize base and overlays, the Helm chart, and that an
// operator with exactly the rights and arguments that they install does its work. `make package` runs them; without bin/helm, which it
// builds, they are skipped.
package install
