// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// readiness is how an outcome reads in the conditions of kstatus.
type readiness int

const (
	// Silent means: there is nothing to report yet; status stays as it is.
	Silent readiness = iota
	// Ready means: LambdaTest and the resource agree.
	Ready
	// Progressing means: they do not, and the operator goes on by itself.
	Progressing
	// Stalled means: they do not, and a person must act.
	Stalled
)

// Outcome is what a reconcile came to, for the conditions of the resource.
type Outcome struct {
	Readiness readiness
	Reason    string
	Message   string
	// RetryAfter is when to reconcile again; zero leaves it to events.
	RetryAfter time.Duration
	// Refused says that LambdaTest refuses what is wanted; see tryAgain.
	Refused bool
}

// Soonest of two waits, of which zero is none.
func Soonest(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// Int32 is a count of people as a status has it.
func Int32(n int) *int32 { return new(int32(n)) } //nolint:gosec // people are far fewer than two billion

// ConflictRetry is how long the cache gets to show what another writer wrote.
const ConflictRetry = 200 * time.Millisecond

// Note is an event about a resource that is released. The zero value is none.
type Note struct{ Kind, Reason, Text string }

// Normal is a note about what was expected.
func Normal(reason, text string) Note { return Note{corev1.EventTypeNormal, reason, text} }

// Warning is a note about what an administrator should look into.
func Warning(reason, text string) Note { return Note{corev1.EventTypeWarning, reason, text} }

// message puts the text of a condition together. Of an error it takes the explanation, without the call that failed: one refusal may meet a
// lookup, a POST and a PATCH by turns, and a condition is written only when what it says changes.
func message(format string, args []any) string {
	args = slices.Clone(args)
	for i, arg := range args {
		if err, ok := arg.(error); ok {
			args[i] = explanation(err)
		}
	}
	return fmt.Sprintf(format, args...)
}

func explanation(err error) string {
	var answer interface{ Explanation() string }
	if errors.As(err, &answer) {
		return answer.Explanation()
	}
	return err.Error()
}

// Readyf is the outcome that LambdaTest and the resource agree.
func Readyf(reason, format string, args ...any) Outcome {
	return Outcome{Readiness: Ready, Reason: reason, Message: message(format, args)}
}

// Progressingf is the outcome that they do not agree, and that the operator goes on by itself.
func Progressingf(reason, format string, args ...any) Outcome {
	return Outcome{Readiness: Progressing, Reason: reason, Message: message(format, args)}
}

// Stalledf is the outcome that they do not agree, and that a person must act.
func Stalledf(reason, format string, args ...any) Outcome {
	return Outcome{Readiness: Stalled, Reason: reason, Message: message(format, args)}
}

// Retry is the outcome with a time after which to reconcile again.
func (o Outcome) Retry(after time.Duration) Outcome {
	o.RetryAfter = after
	return o
}
