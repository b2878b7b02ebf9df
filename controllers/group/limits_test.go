// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"testing"

	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

func TestPendingMembersFitTheirDefinition(t *testing.T) {
	if got := MaxItems(t, "../../config/crd/bases/iam.lambdatest.io_lambdatestgroups.yaml", "status", "pendingMembers"); got < maxPendingMembers {
		t.Errorf("the definition takes %d", got)
	}
}
