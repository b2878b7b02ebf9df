// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// fairly bounds 20 creations next to an organization with problems. Alone they take a fraction of a second; one call of the slow
// organization takes seven seconds.
const fairly = 10 * time.Second

// slowly skips a scenario that takes minutes, unless E2E=1.
func slowly() {
	if os.Getenv("E2E") == "" {
		Skip("this takes minutes, and go test ./... should be quick: `make e2e` sets E2E=1 and runs it")
	}
}

var _ = Describe("a backlog of creations", Label("order"), func() {
	// overtaken denies a person through SCIM while that many creations wait. It returns the position of the denial's call after the SCIM
	// answer; 0 or less means that the call was made before the answer.
	overtaken := func(ctx SpecContext, w *world, waiting int) int {
		GinkgoHelper()
		ada := w.address("ada")
		id := w.provisioned(ctx, ada)
		account, _ := w.account(ada)()
		w.suspend(ctx, true)
		Eventually(w.organization(ctx)).Should(BeStalled(v1alpha1.SuspendedReason))
		w.declareAll(ctx, w.addresses(waiting))
		Eventually(w.standings(ctx), "3m").Should(HaveKeyWithValue(v1alpha1.SuspendedReason, waiting))
		w.suspend(ctx, false)
		Eventually(w.accounts, "1m").Should(BeNumerically(">", waiting/100+1))

		w.deny(ctx, id)

		answered := len(w.LambdaTest.Calls())
		Eventually(w.placeOfDenial(account.ID, 0)).ShouldNot(BeZero())
		Expect(waiting-w.accounts()).To(BeNumerically(">", waiting/2), "creations that are still waiting")
		return w.placeOfDenial(account.ID, 0)() - answered
	}

	It("of 100 at 5 calls a second is overtaken by a denial: it is among the next three calls", func(ctx SpecContext) {
		w := newWorld(ctx, limited(5, 1), every(tenMinutes))
		Expect(overtaken(ctx, w, 100)).To(BeNumerically("<=", 3))
	})

	It("of 5 000 at 50 calls a second is overtaken by a denial: it is among the next three calls", Label("slow"), func(ctx SpecContext) {
		slowly()
		w := newWorld(ctx, limited(50, 1), every(tenMinutes))
		place := overtaken(ctx, w, 5000)
		AddReportEntry("call in which the denial was carried out, after its answer", place)
		Expect(place).To(BeNumerically("<=", 3))
	})

	It("makes progress while other people change all the time", func(ctx SpecContext) {
		w := newWorld(ctx, limited(10, 1), every(tenMinutes))
		busy := w.declareAll(ctx, w.addresses(20))
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(busy)))
		people := []string{w.address("new-1"), w.address("new-2"), w.address("new-3"), w.address("new-4"), w.address("new-5")}
		roles := []v1alpha1.Role{v1alpha1.RoleAdmin, v1alpha1.RoleGuest}

		w.declareAll(ctx, people)

		changes := 0
		Eventually(func() int {
			changes++
			sideBySide(busy, func(user *v1alpha1.LambdaTestUser) { w.redeclare(ctx, user, role(roles[changes%len(roles)])) })
			return w.accounts()
		}).Should(Equal(len(busy) + len(people)))
	})
})

var _ = DescribeTable("an organization does not wait for another", Label("fairness"),
	func(ctx SpecContext, trouble func(*world)) {
		troubled, healthy := newWorld(ctx), newWorld(ctx)
		trouble(troubled)
		troubled.declareAll(ctx, troubled.addresses(300), role(v1alpha1.RoleUser))
		Eventually(troubled.LambdaTest.Calls).Should(ContainElement(Or(
			HaveField("Route", createUser), HaveField("Fault", Not(BeEmpty())))), "a call with the problem")

		people := healthy.addresses(20)
		begun := time.Now()
		healthy.declareAll(ctx, people)

		Eventually(healthy.accounts, fairly).Should(Equal(len(people)))
		AddReportEntry("20 creations beside it took", time.Since(begun).Round(time.Millisecond).String())
	},
	Entry("whose LambdaTest takes seven seconds to answer", func(w *world) { w.LambdaTest.Latency(7 * time.Second) }),
	Entry("whose LambdaTest fails", func(w *world) { w.LambdaTest.Fail(http.StatusInternalServerError) }),
	Entry("whose LambdaTest cuts every connection", func(w *world) { w.LambdaTest.Inject(simulator.Fault{Kind: simulator.Drop}) }),
	Entry("whose LambdaTest asks to slow down", func(w *world) {
		w.LambdaTest.Fail(http.StatusTooManyRequests, simulator.RetryAfter(time.Minute))
	}),
)
