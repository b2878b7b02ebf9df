// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package deletion tells whether a namespace or a definition is being deleted, in which case nobody asked for the deletion of the
// resources in it. It asks the API server and keeps no answer. It imports api only.
package deletion
