// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// The view and the actions of people at LambdaTest.

const (
	listUsers      = "GET /Users"
	readUser       = "GET /Users/{id}"
	createUser     = "POST /Users"
	updateUser     = "PATCH /Users/{id}"
	deactivateUser = "DELETE /Users/{id}"
)

// account returns a function for Eventually: the account at LambdaTest.
func (w *world) account(userName string) func() (simulator.Account, error) {
	return func() (simulator.Account, error) {
		account, found := w.LambdaTest.Account(userName)
		if !found {
			return account, fmt.Errorf("LambdaTest has no account of %s", userName)
		}
		return account, nil
	}
}

func beActive() OmegaMatcher            { return HaveField("Active", true) }
func beInactive() OmegaMatcher          { return HaveField("Active", false) }
func haveRole(role string) OmegaMatcher { return HaveField("Role", role) }

// hired adds accounts that existed before the operator.
func (w *world) hired(userNames ...string) {
	for _, userName := range userNames {
		w.LambdaTest.AddAccount(simulator.Account{UserName: userName, GivenName: "Ada", FamilyName: "Lovelace", Active: true})
	}
}

// edit changes an account as a person at LambdaTest would.
func (w *world) edit(userName string, change func(*simulator.Account)) {
	GinkgoHelper()
	_, err := w.LambdaTest.EditAccount(userName, change)
	Expect(err).NotTo(HaveOccurred())
}

func activated(account *simulator.Account)   { account.Active = true }
func deactivated(account *simulator.Account) { account.Active = false }

// accounts counts the accounts.
func (w *world) accounts() int { return len(w.LambdaTest.Accounts()) }

// inactive counts the deactivated accounts.
func (w *world) inactive() int {
	count := 0
	for _, account := range w.LambdaTest.Accounts() {
		if !account.Active {
			count++
		}
	}
	return count
}

// withRole returns a function for Eventually: how many accounts have a role.
func (w *world) withRole(role string) func() int {
	return func() int {
		count := 0
		for _, account := range w.LambdaTest.Accounts() {
			if account.Role == role {
				count++
			}
		}
		return count
	}
}

// lists counts the sweeps that began.
func (w *world) lists() int {
	begun := 0
	for _, call := range w.LambdaTest.Calls() {
		if call.Route == listUsers && call.Query.Get("startIndex") == "1" && !call.Query.Has("filter") {
			begun++
		}
	}
	return begun
}

// afterSweeps waits for that many further complete sweeps of the organization.
func (w *world) afterSweeps(count int) {
	GinkgoHelper()
	Eventually(w.lists).Should(BeNumerically(">", w.lists()+count), "sweeps that began")
}

// callsFor returns the calls whose body or query contains the userName.
func (w *world) callsFor(userName string) []simulator.Call {
	var found []simulator.Call
	for _, call := range w.LambdaTest.Calls() {
		if strings.Contains(call.Body, userName) || strings.Contains(call.Query.Get("filter"), userName) {
			found = append(found, call)
		}
	}
	return found
}

// callsTo returns the calls of one route.
func (w *world) callsTo(route string) []simulator.Call {
	var found []simulator.Call
	for _, call := range w.LambdaTest.Calls() {
		if call.Route == route {
			found = append(found, call)
		}
	}
	return found
}

// denies reports whether a call deactivates that account.
func denies(call simulator.Call, id string) bool {
	switch call.Route {
	case deactivateUser:
		return strings.HasSuffix(call.Path, "/"+id)
	case updateUser:
		return strings.HasSuffix(call.Path, "/"+id) && strings.Contains(call.Body, `"active"`) && strings.Contains(call.Body, "false")
	}
	return false
}

// placeOfDenial returns which call after a position deactivated the account: 1 is the next call; 0 means none.
func (w *world) placeOfDenial(id string, from int) func() int {
	return func() int {
		for i, call := range w.LambdaTest.Calls()[from:] {
			if denies(call, id) {
				return i + 1
			}
		}
		return 0
	}
}
