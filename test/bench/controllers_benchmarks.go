// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

// controllersBenchmarks are those that need few people, and then those for which the organization grows to 100 000.
func controllersBenchmarks() []benchmark {
	return nil
}

// controllersAtScaleBenchmarks need 100 000 people; those that kill replicas come last.
func controllersAtScaleBenchmarks() []benchmark {
	return nil
}
