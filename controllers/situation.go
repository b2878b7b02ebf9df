// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import "time"

// readiness is how a situation reads in the conditions of kstatus.
type readiness int

const (
	// silent: nothing to tell yet; status stays as it is.
	silent readiness = iota
	// ready: LambdaTest and the resource agree.
	ready
	// progressing: they do not, and the operator goes on by itself.
	progressing
	// stalled: they do not, and a person must act.
	stalled
)

// situation is where things stand, for people to read.
type situation struct {
	readiness readiness
	reason    string
	message   string
	// retryAfter is when to look again, if somebody must; zero leaves it to events.
	retryAfter time.Duration
	// refused says that LambdaTest refuses what is wanted; see tryAgain.
	refused bool
}
