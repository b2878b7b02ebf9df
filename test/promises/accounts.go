// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// AccountChange is what LambdaTest recorded about an account.
type AccountChange struct {
	At            Moment
	Call          string // the route; empty for a change at LambdaTest itself
	Lost          bool   // the answer was lost or spoilt on purpose
	Before, After simulator.Account
}

// IsCreation reports whether the account is new.
func (c AccountChange) IsCreation() bool { return c.Before.ID == "" }

// ByOperator reports whether a call made the change.
func (c AccountChange) ByOperator() bool { return c.Call != "" }

// ChangesOf are LambdaTest's records about the accounts of one organization by subject, each in their order.
func ChangesOf(organization string, records []simulator.AccountChange, began time.Time) map[string][]AccountChange {
	all := map[string][]AccountChange{}
	for _, c := range records {
		subject := organization + "/" + v1alpha1.FoldUserName(c.After.UserName)
		all[subject] = append(all[subject], AccountChange{
			At: c.Time.Sub(began), Call: c.Call, Lost: c.Fault != "", Before: c.Before, After: c.After,
		})
	}
	return all
}
