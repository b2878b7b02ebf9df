// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"time"
)

// Defaults of Options.
const (
	// DefaultConcurrency is four organizations' worth of calls in flight.
	DefaultConcurrency = 96
	// DefaultBackoffMin and DefaultBackoffMax bound the wait after a failure; denials never wait longer than 2 s.
	DefaultBackoffMin = time.Second
	DefaultBackoffMax = 30 * time.Second
	// DefaultMarkRetention is how long Entra waits between disabling and deleting a user, and so how long a return is likely.
	DefaultMarkRetention = 30 * 24 * time.Hour
	// DefaultLeaseDuration is client-go's.
	DefaultLeaseDuration = 15 * time.Second
)
