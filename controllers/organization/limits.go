// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package organization

import "time"

const (
	// organizationConcurrency is how many organizations are reconciled at once: one whose Secret is read slowly delays no denial of another.
	organizationConcurrency = 8

	// orgRetry is how often an organization that cannot be connected is reconciled again without any change.
	orgRetry = 5 * time.Minute
	// duplicateRetry is how often the younger of two organizations checks whether the older one still is the same organization.
	duplicateRetry = 30 * time.Second
	// TakeOverRetry is how often an organization checks whether another one has stopped, which takes as long as a call.
	TakeOverRetry = time.Second
	// OlderOnesPatience is how long, after a start, an organization waits until the tokens of older ones were read.
	OlderOnesPatience = 30 * time.Second
	// membersRetry is how often an organization that is new checks whether the members of its groups are there, and membersPatience how
	// long it waits for them.
	membersRetry    = 100 * time.Millisecond
	membersPatience = 10 * time.Second
)
