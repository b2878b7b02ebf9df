// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package organization

import "time"

const (
	// organizationConcurrency is how many organizations are opened or reported on at once: one whose Secret is read slowly keeps nobody's
	// denials waiting.
	organizationConcurrency = 8

	// orgRetry is how often an organization that cannot be connected is looked at without anybody changing anything.
	orgRetry = 5 * time.Minute
	// duplicateRetry is how often it is looked whether the older organization of two still is the same one.
	duplicateRetry = 30 * time.Second
	// TakeOverRetry is how often an organization looks whether another one has stopped, which takes as long as a call.
	TakeOverRetry = time.Second
	// OlderOnesPatience is how long an organization waits for the first look at older ones after a start.
	OlderOnesPatience = 30 * time.Second
)
