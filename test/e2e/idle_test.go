// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("when nothing changes", Label("idle"), func() {
	// idle waits for that many sweeps of an organization with that many people, a group and ten unclaimed accounts. It returns the number
	// of writes meanwhile: at LambdaTest, and by any client in the API server, except to leases.
	idle := func(ctx SpecContext, people, sweeps int) (upstream int, api map[string]int) {
		GinkgoHelper()
		w := newWorldOfItsOwn(ctx, specified(func(spec *v1alpha1.LambdaTestOrganizationSpec) { spec.ImportUsers = v1alpha1.ImportObserve }))
		everybody := w.addresses(people + 10)
		w.hired(everybody[people/2:]...)
		w.declareAll(ctx, everybody[:people], role(v1alpha1.RoleUser))
		group := w.declareGroup(ctx, "Testers", v1alpha1.RoleAdmin, everybody[:20]...)
		w.deny(ctx, w.provision(ctx, everybody[0]))
		Eventually(w.standings(ctx), "3m").Should(And(
			HaveKeyWithValue(v1alpha1.SyncedReason, people), HaveKeyWithValue(v1alpha1.ObservedReason, 10)))
		Eventually(w.groupResource(ctx, group.Name)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(w.organization(ctx)).Should(And(BeReady(v1alpha1.SyncedReason),
			HaveField("Status.People", HaveValue(BeEquivalentTo(people))),
			HaveField("Status.Synced", HaveValue(BeEquivalentTo(people))),
			HaveField("Status.Active", HaveValue(BeEquivalentTo(people-1))),
			HaveField("Status.Failing", HaveValue(BeZero())),
			HaveField("Status.PendingDenials", HaveValue(BeZero())),
			HaveField("Status.Unclaimed", HaveValue(BeEquivalentTo(10))),
			HaveField("Status.Guard.Explicit", BeEquivalentTo(1))), "the counts are written a few seconds later")
		w.afterSweeps(3)
		writes, apiWrites := w.LambdaTest.Writes(), w.apiWrites(ctx)

		w.afterSweeps(sweeps)

		return w.LambdaTest.Writes() - writes, since(apiWrites, w.apiWrites(ctx))
	}

	It("five sweeps of 100 people write nothing at LambdaTest and nothing in the API server", func(ctx SpecContext) {
		upstream, api := idle(ctx, 100, 5)
		Expect(upstream).To(BeZero())
		Expect(api).To(BeEmpty())
	})

	It("ten sweeps of 1 000 people write nothing at LambdaTest and nothing in the API server", Label("slow"), func(ctx SpecContext) {
		slowly()
		upstream, api := idle(ctx, 1000, 10)
		AddReportEntry("writes at LambdaTest", upstream)
		AddReportEntry("writes in the API server", api)
		Expect(upstream).To(BeZero())
		Expect(api).To(BeEmpty())
	})
})
