// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("importing unclaimed accounts", Label("import"), func() {
	importing := specified(func(spec *v1alpha1.LambdaTestOrganizationSpec) { spec.ImportUsers = v1alpha1.ImportObserve })

	It("creates a resource that only observes for each, and changes nothing at LambdaTest", func(ctx SpecContext) {
		w := newWorld(ctx, importing)
		people := w.addresses(30)

		w.hired(people...)

		Eventually(w.standings(ctx)).Should(Equal(map[string]int{v1alpha1.ObservedReason: len(people)}))
		Eventually(w.user(ctx, v1alpha1.ImportedUserName(w.Name, people[0]))).Should(And(
			HaveField("Spec.ManagementPolicy", v1alpha1.ManagementObserve), HaveField("Status.Account.Active", true)))
		w.afterSweeps(2)
		Expect(w.LambdaTest.Writes()).To(BeZero())
	})

	It("ends for a person whom another resource claims, without a call", func(ctx SpecContext) {
		w := newWorld(ctx, importing)
		ada := w.address("ada")
		w.hired(ada)
		imported := v1alpha1.ImportedUserName(w.Name, ada)
		Eventually(w.user(ctx, imported)).Should(BeReady(v1alpha1.ObservedReason))

		declared := w.declare(ctx, ada)

		Eventually(func() error { _, err := w.claim(ctx, imported); return err }).Should(beGone())
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		Expect(w.LambdaTest.Writes()).To(BeZero())
	})

	It("ends for all people when the organization no longer imports, without a call", func(ctx SpecContext) {
		w := newWorld(ctx, importing)
		people := w.addresses(30)
		w.hired(people...)
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.ObservedReason, len(people)))

		w.configure(ctx, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.ImportUsers = v1alpha1.ImportNone })

		Eventually(w.standings(ctx)).Should(BeEmpty())
		Expect(w.LambdaTest.Writes()).To(BeZero())
		Expect(w.inactive()).To(BeZero())
	})
})
