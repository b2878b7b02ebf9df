// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Observed is what is known of a person's account.
type Observed struct {
	// Account at LambdaTest; nil when there is none, or when it is unknown.
	Account *lambdatest.User
	// Several are all accounts of the person, if the last sweep showed more than one: userNames that differ only in case. Account is then of no
	// use.
	Several []lambdatest.User
	// Known tells "none" from "unknown".
	Known bool
	// Current says that the account was read after the desired state last changed. Without it, the account may have been created or
	// reactivated meanwhile.
	Current bool
	// Sweeping says that no sweep of the organization has ended yet: the first one is about to show the account.
	Sweeping bool
	// Doubtful says that a change was sent, that its outcome is unknown, and that the account was not read since.
	Doubtful bool
	// ReadBackAt, unless zero, is when an account that must not be active is to be read again, because a late change may undo what
	// was read; Due says that the time has come.
	ReadBackAt time.Time
	Due        bool
	// RoleUnsure says that LambdaTest has computed the role anew since it was read: it is not set before it is read again.
	RoleUnsure bool
}
