// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// accountChange is what LambdaTest recorded about an account.
type accountChange struct {
	At            moment
	Call          string // the route; empty for a change at LambdaTest itself
	Lost          bool   // the answer was lost or spoilt on purpose
	Before, After simulator.Account
}

func (c accountChange) isCreation() bool { return c.Before.ID == "" }
func (c accountChange) byOperator() bool { return c.Call != "" }

// accountNames are those of all accounts.
func (r *run) accountNames() []string {
	var names []string
	for _, t := range r.tenants {
		for _, account := range t.lambdaTest.Accounts() {
			names = append(names, t.name+"/"+v1alpha1.FoldUserName(account.UserName))
		}
	}
	return names
}

// accountChanges are all of them, by organization and person, in their order.
func (r *run) accountChanges() map[string][]accountChange {
	all := map[string][]accountChange{}
	for _, t := range r.tenants {
		for _, c := range t.lambdaTest.Changes() {
			subject := t.name + "/" + v1alpha1.FoldUserName(c.After.UserName)
			all[subject] = append(all[subject], accountChange{
				At: c.Time.Sub(r.began), Call: c.Call, Lost: c.Fault != "", Before: c.Before, After: c.After,
			})
		}
	}
	return all
}
