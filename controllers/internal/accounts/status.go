// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// StateOf is what the status of a claim says of an account.
func StateOf(account lambdatest.User) *v1alpha1.AccountState {
	return &v1alpha1.AccountState{
		Active:           account.Active,
		Role:             status.ShownValue(account.Role),
		ConcurrencyGroup: status.ShownValue(account.ConcurrencyGroup),
		GivenName:        status.ShownValue(account.GivenName),
		FamilyName:       status.ShownValue(account.FamilyName),
	}
}

// Remembered is the account that the status of a claim says.
func Remembered(claim *v1alpha1.LambdaTestUser) lambdatest.User {
	state := claim.Status.Account
	return lambdatest.User{
		ID:               claim.Status.AccountID,
		UserName:         claim.Spec.UserName,
		Active:           state.Active,
		Role:             state.Role,
		ConcurrencyGroup: state.ConcurrencyGroup,
		GivenName:        state.GivenName,
		FamilyName:       state.FamilyName,
	}
}
