// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func TestChangesSayWhatBecameOfAnAccountAndByWhom(t *testing.T) {
	sim := started(t, simulator.KeepChanges())
	added := sim.AddAccount(simulator.Account{UserName: "ada@example.com", Active: true})
	off := added
	off.Active = false

	sim.LoseNextAnswer()
	request := `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "Replace", "path": "active", "value": false}]}`
	cut(t, sim, "PATCH", "/Users/"+added.ID, request)
	if _, err := sim.EditAccount("ada@example.com", func(a *simulator.Account) { a.Active = true }); err != nil {
		t.Fatal(err)
	}

	want := []simulator.AccountChange{
		{Time: noon, After: added},
		{Time: noon, Call: "PATCH /Users/{id}", Fault: simulator.Lose, Before: added, After: off},
		{Time: noon, Before: off, After: added},
	}
	if diff := cmp.Diff(want, sim.Changes()); diff != "" {
		t.Error(diff)
	}
}
