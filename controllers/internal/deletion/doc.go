// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package deletion tells whether a namespace or a definition is being deleted: then the deletion of a resource in it is no decision about
// that resource. It asks the API server and reuses no answer for a later question. It imports api only.
package deletion
