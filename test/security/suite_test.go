// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

const (
	// settleTimeout is for a loaded machine.
	settleTimeout = 30 * time.Second
	pollInterval  = 20 * time.Millisecond

	// metadata is an address that every cloud answers with credentials.
	metadata = "169.254.169.254"
)

// env has two tenants: acme, which is attacked, and mallory, who has a token and a namespace, too.
var (
	env           *environment.Environment
	acme, mallory *tenant
	hostile       *hostileUpstream
)

func TestSecurity(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(settleTimeout)
	SetDefaultEventuallyPollingInterval(pollInterval)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Security", Label("security"))
}

var _ = BeforeSuite(func(ctx SpecContext) {
	hostile = startHostileUpstream()
	DeferCleanup(hostile.Close)
	var err error
	env, err = environment.Start(ctx, environment.Options{
		Progress:      GinkgoWriter,
		Organizations: []environment.Organization{organization("acme"), organization("mallory")},
		// A wrong configuration that the dialer must make harmless: the flag allows a metadata service.
		OperatorFlags: []string{"--upstream-hosts=http://" + metadata, "--upstream-hosts=" + hostile.URL, "--log-level=debug"},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { env.Stop() })
	acme, mallory = tenantOf("acme"), tenantOf("mallory")
	Eventually(func() error {
		return env.Client.Create(ctx, MakeUser("probe@example.com").In(environment.Namespace).FromSCIM().Obj(), client.DryRunAll)
	}).Should(MatchError(apierrors.IsForbidden, "IsForbidden"), "the admission policy is enforced a moment after it is there")
})

// After all specs, no secret may be visible anywhere.
var _ = AfterSuite(func(ctx SpecContext) {
	if env != nil && acme != nil {
		expectNoSecretAnywhere(ctx)
	}
})

var _ = ReportAfterEach(func(report SpecReport) {
	if report.Failed() && env != nil {
		AddReportEntry("operator logs", env.Logs(), ReportEntryVisibilityFailureOrVerbose)
	}
})

func organization(name string) environment.Organization {
	return environment.Organization{Name: name, Spec: v1alpha1.LambdaTestOrganizationSpec{
		SyncInterval: metav1.Duration{Duration: time.Second},
		RateLimit:    v1alpha1.RateLimit{RequestsPerSecond: 200, Burst: 200},
	}}
}

func tenantOf(name string) *tenant { return &tenant{Organization: env.Organizations[name]} }

// address is a userName that no other spec uses.
func address(name string) string {
	return fmt.Sprintf("%s-%d@example.com", name, time.Now().UnixNano())
}

// within is for what must not take long, on a loaded machine.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, limit)
}
