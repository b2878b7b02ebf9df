// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"errors"

	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// AuditOutcome is how a call that changes something ended, as the audit log has it. A call that the caller gave up may have arrived.
func AuditOutcome(err error) string {
	switch {
	case err == nil:
		return audit.OutcomeDone
	case lambdatest.IsOutcomeUnknown(err), errors.Is(err, context.Canceled):
		return audit.OutcomeUnknown
	case lambdatest.IsRejected(err), lambdatest.IsNotFound(err), lambdatest.IsForbidden(err), lambdatest.IsConflict(err):
		return audit.OutcomeRefused
	}
	return audit.OutcomeFailed
}
