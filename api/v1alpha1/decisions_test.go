// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

func TestADecisionIsReadAsItWasWritten(t *testing.T) {
	for value, want := range map[string]v1alpha1.Decision{
		"ts463":                            {Token: "ts463"},
		"ts463:ada":                        {Token: "ts463", Only: []string{"ada"}},
		"ts463:ada,LambdaTestGroup/admins": {Token: "ts463", Only: []string{"ada", "LambdaTestGroup/admins"}},
		"":                                 {},
	} {
		got := v1alpha1.DecisionOf(value)
		if diff := cmp.Diff(want, got); diff != "" || got.String() != value {
			t.Errorf("%q is read as %+v and written as %q", value, got, got.String())
		}
	}
	if got := v1alpha1.DecisionOf("ts463:").Only; len(got) != 1 {
		t.Errorf("a part of nobody must not be the whole set: %q", got)
	}
}

func TestWhoDecidedCountsForTheSetOfItsTokenOnly(t *testing.T) {
	value := v1alpha1.DecidedBy("ts463", "system:serviceaccount:ci:deployer")
	for token, want := range map[string]string{"ts463": "system:serviceaccount:ci:deployer", "other": "", "": ""} {
		if got := v1alpha1.DecidedByIn(value, token); got != want {
			t.Errorf("for the set %q: %q, want %q", token, got, want)
		}
	}
	if got := v1alpha1.DecidedByIn("", ""); got != "" {
		t.Errorf("no annotation names %q", got)
	}
}
