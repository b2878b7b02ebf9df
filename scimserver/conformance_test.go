// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/conformance"
)

var _ = Describe("What identity providers send, over two replicas in alternation", func() {
	It("passes Okta's SCIM 2.0 SPEC test", func(ctx SpecContext) {
		tenant := newTenant(ctx)
		target := &conformance.Target{BaseURLs: []string{replicas[0].url, replicas[1].url}, Token: tenant.token}

		result := conformance.RunOkta(ctx, target)

		Expect(result.Failures).To(BeEmpty())
		Expect(result.Passed).To(Equal(12))
	})

	It("answers every transcript as written", func(ctx SpecContext) {
		tenant := newTenant(ctx)
		target := &conformance.Target{BaseURLs: []string{replicas[0].url, replicas[1].url}, Token: tenant.token}

		results, err := conformance.Run(ctx, target, os.DirFS("testdata/idp"))

		Expect(err).NotTo(HaveOccurred())
		for _, result := range results {
			AddReportEntry(result.String())
			Expect(result.Failures).To(BeEmpty(), strings.Join(result.Failures, "\n"))
		}
	})

	DescribeTable("answers the transcripts of an organization with other settings as written",
		func(ctx SpecContext, folder string, change func(*v1alpha1.SCIMSettings)) {
			tenant := newTenant(ctx, func(o *v1alpha1.LambdaTestOrganization) { change(&o.Spec.SCIM) })
			// One replica: the other sees what was stored a moment later, and a limit may be exceeded until then.
			target := &conformance.Target{BaseURLs: []string{replicas[0].url}, Token: tenant.token}

			results, err := conformance.RunTranscripts(ctx, target, os.DirFS("testdata/settings/"+folder))

			Expect(err).NotTo(HaveOccurred())
			for _, result := range results {
				Expect(result.Failures).To(BeEmpty(), strings.Join(result.Failures, "\n"))
			}
		},
		Entry("core roles", "core-roles", func(s *v1alpha1.SCIMSettings) { s.CoreRoles = true }),
		Entry("paused", "paused", func(s *v1alpha1.SCIMSettings) { s.Paused = true }),
		Entry("limits", "limits", func(s *v1alpha1.SCIMSettings) { s.Limits = v1alpha1.SCIMLimits{People: 1, Groups: 1, Members: 2} }),
	)
})
