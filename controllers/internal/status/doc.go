// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package status is how an outcome is written into a resource: conditions by the rules of kstatus, texts that the API server
// takes, and the memory of status writes that the cache does not show yet. It decides nothing. It imports api only.
package status
