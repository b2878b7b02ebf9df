// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

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
})
