// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// settleTimeout is for a loaded machine; what is waited for takes an interval of Flux, or a sweep.
	settleTimeout = 60 * time.Second
	pollInterval  = 50 * time.Millisecond
)

var (
	env          *environment.Environment
	controllers  *flux
	repositories *gitServer
)

func TestGitOps(t *testing.T) {
	if os.Getenv(fluxAssetsVariable) == "" {
		t.Skipf("these scenarios run Flux, whose build takes minutes: `make gitops` builds it, sets %s and runs them", fluxAssetsVariable)
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(settleTimeout)
	SetDefaultEventuallyPollingInterval(pollInterval)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "GitOps")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	dir := GinkgoT().TempDir()
	var err error
	env, err = environment.Start(ctx, environment.Options{
		Progress:      GinkgoWriter,
		Organizations: environment.Organizations()[:1],
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { env.Stop() })

	repositories, err = serveGit(filepath.Join(dir, "repositories"))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { repositories.close() })

	controllers, err = startFlux(ctx, os.Getenv(fluxAssetsVariable), filepath.Join(dir, "flux"))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { controllers.stop() })
})

// What a failed scenario left behind, before it is cleaned up.
var _ = JustAfterEach(func(ctx SpecContext) {
	if CurrentSpecReport().Failed() {
		resources, err := env.Kubectl(ctx, "get", "namespaces,customresourcedefinitions,lambdatestorganizations,lambdatestusers,kustomizations",
			"--all-namespaces", "--output=wide")
		AddReportEntry("resources", fmt.Sprint(resources, err), ReportEntryVisibilityFailureOrVerbose)
	}
})

var _ = ReportAfterEach(func(report SpecReport) {
	if report.Failed() {
		AddReportEntry("operator logs", env.Logs(), ReportEntryVisibilityFailureOrVerbose)
		AddReportEntry("Flux logs", controllers.logs(), ReportEntryVisibilityFailureOrVerbose)
	}
})
