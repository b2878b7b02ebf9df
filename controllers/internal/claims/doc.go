// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package claims is what resources say: the indexes they are found by, the merge of all claims about a person, and the roles that
// groups give. It reads the cache and is pure otherwise: it knows neither accounts nor calls. It imports api only.
package claims
