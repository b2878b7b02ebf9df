// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package deletion tells whether a namespace or a definition is being deleted. Nobody asked for the deletion of the single resources in
// it then. It asks the API server and reuses no answer for a later question. It imports api only.
package deletion
