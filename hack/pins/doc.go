// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package pins has only tests: that everything a release is built with is named by a digest or a commit, and that only a tag on main is
// released.
package pins
