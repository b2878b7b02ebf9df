// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"sync"

	. "github.com/onsi/ginkgo/v2"
)

// race runs f n times at once and returns what each gave.
func race[T any](n int, f func(i int) T) []T {
	results := make([]T, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			defer GinkgoRecover()
			results[i] = f(i)
		})
	}
	group.Wait()
	return results
}
