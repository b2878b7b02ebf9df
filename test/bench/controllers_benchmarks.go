// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

// controllersBenchmarks are those that need few people, and then the one for which an organization grows from nobody to 100 000.
func controllersBenchmarks() []benchmark {
	return []benchmark{
		{
			name: "converge", about: "new people until they have accounts, at the highest allowed rate",
			figures: []string{"converge", "converge-writes", "converge-adopted"}, run: converge,
		},
		{
			name: "deprovision", about: "from the answer to a provider's deactivation until the account is off",
			figures: []string{"deprovision", "deprovision-queued"}, run: deprovision,
		},
		{name: "first-reconcile", about: "one new person, among more and more of them", fresh: true, run: firstReconcile},
	}
}

// controllersAtScaleBenchmarks need 100 000 people; those that kill replicas come last.
func controllersAtScaleBenchmarks() []benchmark {
	return []benchmark{
		{
			name: "sweep", about: "sweeps of an organization in which nothing changes",
			figures: []string{"sweep", "sweep-calls", "idle", "idle-api"}, run: sweeps,
		},
		{name: "relists", about: "memory after the replicas have listed everybody again", run: relists},
		{
			name: "restart", about: "both replicas are killed, one after the other: time and memory until they serve again",
			figures: []string{"restart", "restart-writes", "memory", "memory-peak"}, run: restart,
		},
		{name: "failover", about: "from the kill of the leader until the other replica writes to LambdaTest", run: failover},
	}
}
