// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// sideBySide calls do for 0 to count-1, so many at a time, and returns the first error.
func sideBySide(workers, count int, do func(i int) error) error {
	var next atomic.Int64
	var group errgroup.Group
	for range min(workers, count) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= count {
					return nil
				}
				if err := do(i); err != nil {
					next.Store(int64(count)) // the others stop, too
					return err
				}
			}
		})
	}
	return group.Wait()
}
