// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

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
	twice := map[string][]accountChange{"org/ada@example.com": {{After: simulator.Account{ID: "1"}}, {After: simulator.Account{ID: "2"}}}}

	once := &snapshot{users: []v1alpha1.LambdaTestUser{*ada, *declared}}
	if found := once.duplicates([]string{"org/ada@example.com"}, nil); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	both := &snapshot{users: []v1alpha1.LambdaTestUser{*ada, *again}}
	if found := both.duplicates([]string{"org/ada@example.com", "org/ada@example.com"}, twice); len(found) != 3 {
		t.Errorf("found %v, want a resource, an account, and a creation", found)
	}
}
