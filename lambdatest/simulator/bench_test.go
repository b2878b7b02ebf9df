// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator_test

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// benchmarkPage reads the last page of n accounts; the cost must not depend on n.
func benchmarkPage(b *testing.B, n int) {
	sim := simulator.New(simulator.Population(n))
	path := fmt.Sprintf("%s/Users?startIndex=%d&count=100", simulator.Prefix, n-99)
	for b.Loop() {
		request := httptest.NewRequest("GET", path, nil)
		request.Header.Set("Authorization", "Bearer "+simulator.DefaultToken)
		sim.ServeHTTP(httptest.NewRecorder(), request)
	}
}
