// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// settleTimeout is long because the machine may be loaded; on a free one, the effects take milliseconds or one sweep.
	settleTimeout = 30 * time.Second
	pollInterval  = 20 * time.Millisecond
)

var env *environment.Environment

func TestScenarios(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(settleTimeout)
	SetDefaultEventuallyPollingInterval(pollInterval)
	EnforceDefaultTimeoutsWhenUsingContexts()
	suite, reporter := GinkgoConfiguration()
	if os.Getenv("CI") == "true" {
		// Scenarios wait in real time, and a shared machine may pause for longer. The report shows a spec that passes at the second attempt as
		// flaked.
		suite.FlakeAttempts = 2
	}
	RunSpecs(t, "Scenarios", suite, reporter)
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	env, err = environment.Start(ctx, environment.Options{
		Progress:      GinkgoWriter,
		Organizations: []environment.Organization{},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { env.Stop() })
})

var _ = ReportAfterEach(func(report SpecReport) {
	if report.Failed() {
		AddReportEntry("operator logs", env.Logs(), ReportEntryVisibilityFailureOrVerbose)
	}
})
