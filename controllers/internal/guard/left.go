// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// Left is how many more people of an organization may go now without an explicit denial, if so many are active. It is for a plan: the
// guard itself decides by what the API server has when it writes.
func Left(organization *v1alpha1.LambdaTestOrganization, active int, now time.Time) int {
	state := policyOf(organization.Status.Guard.DeepCopy())
	state.roll(now, func() int { return active })
	state.counters.Active = max(state.counters.Active, *status.Int32(active))
	_, left := state.budget(Deprovision, organization.Spec.DeprovisionGuard)
	return max(int(left), 0)
}
