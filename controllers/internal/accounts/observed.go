// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Observed is what is known of a person's account.
type Observed struct {
	// Account at LambdaTest; nil when there is none, or when nobody knows.
	Account *lambdatest.User
	// Known tells "none" from "nobody knows".
	Known bool
	// Current says that it was read after what is wanted came to be wanted. Without it, an account may have been created or
	// reactivated meanwhile.
	Current bool
	// Sweeping says that no sweep of the whole organization has ended yet, so one is about to tell.
	Sweeping bool
	// Doubtful says that a change was sent, that nobody knows what came of it, and that the account was not read since.
	Doubtful bool
	// ReadBackAt, unless zero, is when an account that must not be active is to be read again, because a late change may undo what
	// was read; due says that the time has come.
	ReadBackAt time.Time
	Due        bool
	// RoleUnsure says that LambdaTest has computed the role anew since it was read: nobody sets it before it is read again.
	RoleUnsure bool
}
