// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"errors"
	"fmt"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Attempt is what one reconcile of a person or a group tries at LambdaTest: whether a call may be made, its turn in the lane, and what
// follows from its failure.
type Attempt struct {
	Connection *Connection
	// Place names the person or the group in the lane and among the holdoffs.
	Place string
	// Fingerprint names what is tried. After a failure, anything else is tried at once, and so is what a resync request asks for.
	Fingerprint string
	// Denies says that the call takes access away: it is repeated after short pauses.
	Denies bool
	// Leaving, unless empty, is appended to messages about trouble: how the resource can go without LambdaTest.
	Leaving string
	// Proven says that LambdaTest has just shown the account by its id: what is to be done about it is done in the right organization.
	Proven bool

	queued bool
}

// Obstacle is why no call is made now, if something is in the way: the organization, or an earlier answer to the same attempt. While it
// is not certain that this still is the same organization, accounts are only read, unless this one is proven to be in it.
func (a *Attempt) Obstacle(reads bool) (because status.Outcome, blocked bool) {
	if _, obstacle := a.Connection.State(); obstacle != (status.Outcome{}) {
		return a.closing(obstacle), true
	}
	if mismatch, there := a.Connection.Mismatch(); there && !reads && !a.Proven {
		return a.closing(mismatch.Outcome(a.Connection.Organization.Name)), true
	}
	now := a.Connection.Options.Now()
	held, ok := a.Holdoff()
	if !ok || held.Partial() || !held.Waiting(now) {
		return status.Outcome{}, false
	}
	return held.outcomeAt(now), true
}

// Holdoff is what an earlier answer to the same attempt left behind.
func (a *Attempt) Holdoff() (Holdoff, bool) {
	return a.Connection.Holdoffs.Get(a.Place, a.Fingerprint)
}

// History is how calls went for the same attempt.
func (a *Attempt) History() lane.History {
	return a.Connection.Holdoffs.History(a.Place, a.Fingerprint)
}

// Acquire asks the lane to make one call. False: the place waits in the lane, which requeues it.
func (a *Attempt) Acquire(priority int) bool {
	a.queued = !a.Connection.Lane.Acquire(a.Place, priority, a.History())
	return !a.queued
}

// LeaveLane gives back a grant that was not used. A place that waits in the lane stays there.
func (a *Attempt) LeaveLane() {
	if !a.queued {
		a.Connection.Lane.Forget(a.Place)
	}
}

// WhileWaiting is the outcome of waiting in the lane: silent, unless the whole organization waits.
func (a *Attempt) WhileWaiting() status.Outcome {
	switch state, pausedUntil := a.Connection.Lane.State(); {
	case state == "unauthorized":
		return a.unauthorized()
	case state == "open":
		return status.Progressingf(v1alpha1.UpstreamUnavailableReason, "LambdaTest has not answered for a while. It is tried again and again%s", a.patience())
	case pausedUntil.After(a.Connection.Options.Now().Add(longPause)):
		return a.rateLimited()
	}
	return status.Outcome{}
}

// Failed is the outcome of a call that failed for a reason other than what was asked for. Otherwise LambdaTest has answered, and the
// caller decides what follows. doubt is called when the change may or may not have been made.
func (a *Attempt) Failed(err error, priority int, doubt func()) (outcome status.Outcome, unanswered bool) {
	switch {
	case errors.Is(err, ErrNotCalled), errors.Is(err, context.Canceled):
		return status.Outcome{RetryAfter: a.Connection.Options.Backoff.Min}, true
	case lambdatest.IsOutcomeUnknown(err):
		doubt()
		return a.Unavailable(err), true
	case lambdatest.IsUnavailable(err):
		return a.Unavailable(err), true
	case !lambdatest.IsUnauthorized(err) && !lambdatest.IsRateLimited(err):
		return status.Outcome{}, false
	}
	// This concerns the whole organization: queue again in the lane.
	a.queued = true
	a.Connection.Lane.Await(a.Place, priority, a.History())
	if lambdatest.IsUnauthorized(err) {
		return a.unauthorized(), true
	}
	return a.rateLimited(), true
}

// Unavailable is the outcome of a call without a reliable answer: it is repeated after pauses that grow, those of denials only a little.
func (a *Attempt) Unavailable(err error) status.Outcome {
	options := a.Connection.Options
	if a.Denies {
		options.Backoff.Max = min(options.Backoff.Max, lane.DenialBackoffMax)
	}
	outcome := status.Progressingf(v1alpha1.UpstreamUnavailableReason, "LambdaTest gave no answer that can be trusted (%v). The call is repeated by itself.", err)
	return a.Connection.Holdoffs.Failed(a.Place, a.Fingerprint, a.Connection.Lane.Answers(), options.Now(), options.Backoff, outcome)
}

// Refused is the outcome of a refusal. It is remembered, so that the call is repeated only after a change, on request, or when it is the
// turn of its cause. A denial does not wait for a part of the wish that was refused.
func (a *Attempt) Refused(held Holdoff, reason, format string, args ...any) status.Outcome {
	held.Fingerprint, held.Denies = a.Fingerprint, a.Denies && !held.Partial()
	held.Outcome = a.closing(status.Stalledf(reason, format, args...))
	held.Outcome.Refused = true
	a.Connection.Holdoffs.Refuse(a.Place, held, a.Connection.Options.Now())
	return held.Outcome
}

func (a *Attempt) unauthorized() status.Outcome {
	set, _ := a.Connection.State()
	return a.closing(status.Stalledf(v1alpha1.UnauthorizedReason, "LambdaTest refuses the token of %s %s: put a valid one into Secret %s; it is used at once.",
		v1alpha1.OrganizationKind, a.Connection.Organization.Name, set.TokenSecret))
}

func (a *Attempt) rateLimited() status.Outcome {
	return status.Progressingf(v1alpha1.RateLimitedReason, "LambdaTest asks to slow down. The call is repeated by itself%s", a.patience())
}

// patience ends a message about trouble that passes by itself. A denial may not be able to wait for that.
func (a *Attempt) patience() string {
	if a.Denies {
		return "."
	}
	return "; nothing needs to be done here."
}

// closing appends how a resource that is being deleted can go without LambdaTest.
func (a *Attempt) closing(outcome status.Outcome) status.Outcome {
	if a.Leaving != "" {
		outcome.Message = fmt.Sprintf("%s %s", outcome.Message, a.Leaving)
	}
	return outcome
}
