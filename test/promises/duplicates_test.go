// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

func TestWhatIsThereTwiceIsTold(t *testing.T) {
	ada := MakeUser("ada@example.com").Of("org").FromSCIM().Obj()
	again := MakeUser("Ada@example.com").Of("org").FromSCIM().Named("scim-other").Obj()
	declared := MakeUser("ada@example.com").Of("org").Obj()
	twice := map[string][]AccountChange{"org/ada@example.com": {{After: simulator.Account{ID: "1"}}, {After: simulator.Account{ID: "2"}}}}

	account := simulator.Account{ID: "1", UserName: "ada@example.com"}
	once := &Snapshot{Users: []v1alpha1.LambdaTestUser{*ada, *declared}, Accounts: map[string][]simulator.Account{"org": {account}, "other": {account}}}
	if found := once.Duplicates(); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	both := &Snapshot{
		Users:    []v1alpha1.LambdaTestUser{*ada, *again},
		Accounts: map[string][]simulator.Account{"org": {account, {ID: "2", UserName: "Ada@example.com"}}},
	}
	if found := both.Duplicates(); len(found) != 2 {
		t.Errorf("found %v, want a resource and an account", found)
	}
	if found := CreatedTwice(twice); len(found) != 1 {
		t.Errorf("found %v, want a creation", found)
	}
}

func TestAPersonInTwoGroupsOfOneNameIsTold(t *testing.T) {
	ada := []simulator.Member{{ID: "1", UserName: "ada@example.com"}}
	apart := &Snapshot{Upstream: map[string][]simulator.Group{"org": {{ID: "1", DisplayName: "QA", Members: ada}, {ID: "2", DisplayName: "Web", Members: ada}}}}
	if found := apart.Duplicates(); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	twice := &Snapshot{Upstream: map[string][]simulator.Group{"org": {{ID: "1", DisplayName: "QA", Members: ada}, {ID: "2", DisplayName: "qa", Members: ada}}}}
	if found := twice.Duplicates(); len(found) != 2 {
		t.Errorf("found %v, want the group and its member", found)
	}
}
