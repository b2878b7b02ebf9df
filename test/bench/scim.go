// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

// scimBenchmarks measure the endpoint against the API server, on an organization that is suspended.
func scimBenchmarks() []benchmark {
	return nil
}

// scimListBenchmarks need 100 000 people, who stand already when they run.
func scimListBenchmarks() []benchmark {
	return nil
}
