// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"context"
	"fmt"
	"time"
)

const (
	// awaitInterval is short: what is waited for takes milliseconds, and the pause is in every figure that is shown.
	awaitInterval = 10 * time.Millisecond
	// awaitTimeout is for a loaded machine.
	awaitTimeout = 30 * time.Second
)

// Await calls check until it returns nil, for half a minute at most; then its last complaint is the error.
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
