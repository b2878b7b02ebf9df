// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package expect

import (
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// UpstreamError is the error that a real client gives for a status.
func UpstreamError(t *testing.T, status int, options ...simulator.FaultOption) error {
	t.Helper()
	server := simulator.Start()
	defer server.Close()
	server.FailNext(status, options...)
	c, err := lambdatest.New(server.BaseURL(), simulator.DefaultToken)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.GetUser(t.Context(), "1")
	return err
}
