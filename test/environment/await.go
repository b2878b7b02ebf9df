// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"context"
	"fmt"
	"time"
)

const (
	// awaitInterval is short: most checks succeed within milliseconds, and the pause adds to every measured time.
	awaitInterval = 10 * time.Millisecond
	// awaitTimeout is long enough for a loaded machine.
	awaitTimeout = 30 * time.Second
)

// Await calls check until it returns nil, for at most half a minute. After that it returns check's last error.
func Await(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, awaitTimeout)
	defer cancel()
	ticker := time.NewTicker(awaitInterval)
	defer ticker.Stop()
	for {
		complaint := check(ctx)
		if complaint == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", complaint, ctx.Err())
		case <-ticker.C:
		}
	}
}
