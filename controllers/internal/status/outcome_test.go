// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"errors"
	"fmt"
	"testing"
)

// refusal is an error with an explanation, as those of calls to LambdaTest are.
type refusal struct{ call string }

func (r refusal) Error() string { return r.call + ": " + r.Explanation() }

func (r refusal) Explanation() string { return "400 Bad Request" }

func TestAMessageDoesNotDependOnTheCallThatFailed(t *testing.T) {
	for name, outcome := range map[string]func(format string, args ...any) Outcome{
		"ready":       func(format string, args ...any) Outcome { return Readyf("R", format, args...) },
		"progressing": func(format string, args ...any) Outcome { return Progressingf("R", format, args...) },
		"stalled":     func(format string, args ...any) Outcome { return Stalledf("R", format, args...) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, err := range []error{refusal{"POST /Users"}, fmt.Errorf("looking: %w", refusal{"GET /Users"})} {
				if got, want := outcome("LambdaTest refuses %q (%v): %s.", "QA", err, "correct it").Message, `LambdaTest refuses "QA" (400 Bad Request): correct it.`; got != want {
					t.Errorf("the message is %q, want %q", got, want)
				}
			}
			if got, want := outcome("No answer (%v).", errors.New("closed")).Message, "No answer (closed)."; got != want {
				t.Errorf("the message is %q, want %q", got, want)
			}
		})
	}
}
