// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"time"
)

const (
	// longWait is how long the queue of an organization must be before those at its end are told that they wait: shorter ones are over
	// before anybody looks, and a status for each would cost more than the wait.
	longWait = time.Minute
)
