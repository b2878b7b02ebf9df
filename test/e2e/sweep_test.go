// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("a sweep", Label("sweep"), func() {
	It("sets back a change that was made at LambdaTest, with one call", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		declared := w.declare(ctx, ada, role(v1alpha1.RoleGuest))
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		before := w.LambdaTest.Writes()

		w.edit(ada, func(account *simulator.Account) { account.Active, account.Role = false, "Admin" })

		Eventually(w.account(ada)).Should(And(beActive(), haveRole("Guest")))
		w.afterSweeps(1)
		Expect(w.LambdaTest.Writes()).To(Equal(before + 1))
	})

	It("creates an account again that was removed", func(ctx SpecContext) {
		w := newWorld(ctx)
		people := w.addresses(10)
		w.declareAll(ctx, people)
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))

		Expect(w.LambdaTest.RemoveAccount(people[0])).To(BeTrue())

		Eventually(w.account(people[0])).Should(beActive())
	})

	It("reads pages, and no single account", func(ctx SpecContext) {
		w := newWorld(ctx)
		people := w.addresses(150)
		w.declareAll(ctx, people)
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))
		before := len(w.LambdaTest.Calls())

		w.afterSweeps(2)

		since := w.LambdaTest.Calls()[before:]
		Expect(since).To(HaveEach(HaveField("Route", listUsers)))
		Expect(len(since)).To(BeNumerically("<=", 2*(2+1)), "two pages for each of at most three sweeps")
	})

	It("does not change names at LambdaTest, because SCIM cannot set them", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		declared := w.declare(ctx, ada)
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		before := w.LambdaTest.Writes()

		w.edit(ada, func(account *simulator.Account) { account.GivenName = "Augusta" })

		Eventually(w.user(ctx, declared.Name)).Should(HaveField("Status.Account.GivenName", "Augusta"))
		w.afterSweeps(1)
		Expect(w.LambdaTest.Writes()).To(Equal(before))
	})
})

func switching(change func(*simulator.Switches)) func(*simulator.Org) {
	return func(org *simulator.Org) { org.Switch(change) }
}

func reading(name, setting string) func(*simulator.Org) {
	return func(org *simulator.Org) { org.MustRead(simulator.Settings{name: setting}) }
}

var _ = DescribeTable("a list that cannot be trusted", Label("partial-sweep"),
	func(ctx SpecContext, always bool, lie func(*simulator.Org)) {
		w := newWorld(ctx, simulating(simulator.With(simulator.Switches{MaxPageSize: 10})))
		people := w.addresses(30)
		w.declareAll(ctx, people)
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))
		before := w.LambdaTest.Writes()

		lie(w.LambdaTest)
		w.afterSweeps(3)

		Expect(w.LambdaTest.Writes()).To(Equal(before), "no account may be created, changed or deactivated because of it")
		Expect(w.standings(ctx)()).To(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))
		if always {
			Eventually(w.organization(ctx)).Should(Or(Not(BeReady(v1alpha1.SyncedReason)),
				HaveCondition(v1alpha1.ListUnreliableCondition, metav1.ConditionTrue, v1alpha1.ReadOneByOneReason)))
		}
		switching(func(s *simulator.Switches) { *s = simulator.Switches{MaxPageSize: 10} })(w.LambdaTest)
		reading("order-of-lists", "by-id")(w.LambdaTest)
		Eventually(w.organization(ctx)).Should(BeReady(v1alpha1.SyncedReason))
		w.afterSweeps(1)
		Expect(w.LambdaTest.Writes()).To(Equal(before))
	},
	Entry("because it ends early is used for what it shows", true, switching(func(s *simulator.Switches) { s.TruncateLists = 28 })),
	Entry("because most of it is missing is used for what it shows", true, switching(func(s *simulator.Switches) { s.TruncateLists = 3 })),
	Entry("because it is empty is used for what it shows", true, switching(func(s *simulator.Switches) { s.TruncateLists, s.GapsInPages, s.WrongTotals = 1, 1, -1 })),
	Entry("because each page is in another order is used for what it shows, or read until it is complete", false, reading("order-of-lists", "another-at-each-call")),
	Entry("because its pages have gaps is used for what it shows", true, switching(func(s *simulator.Switches) { s.GapsInPages = 2 })),
	Entry("because every page is the first is used for what it shows", true, switching(func(s *simulator.Switches) { s.RepeatPages = true })),
	Entry("because it counts wrongly is used for what it shows", true, switching(func(s *simulator.Switches) { s.WrongTotals = 5 })),
	Entry("because nothing in it has an id is used for what it shows", true, switching(func(s *simulator.Switches) { s.MissingIDs = true })),
)

var _ = Describe("an organization that only reports drift", Label("drift-report"), func() {
	reporting := specified(func(spec *v1alpha1.LambdaTestOrganizationSpec) { spec.DriftPolicy = v1alpha1.DriftReport })

	It("shows, per person, what it would set back, and makes no call", func(ctx SpecContext) {
		w := newWorld(ctx, reporting)
		ada := w.address("ada")
		declared := w.declare(ctx, ada, role(v1alpha1.RoleGuest))
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		before := w.LambdaTest.Writes()

		w.edit(ada, func(account *simulator.Account) { account.Role = "Admin" })

		Eventually(w.user(ctx, declared.Name)).Should(And(BeStalled(v1alpha1.DriftedReason),
			HaveField("Status.PlannedChanges", ConsistOf(v1alpha1.PlannedChange{Attribute: "role", From: "Admin", To: "Guest"}))))
		w.afterSweeps(1)
		Expect(w.LambdaTest.Writes()).To(Equal(before))
		Eventually(w.organization(ctx)).Should(HaveField("Status.Drifted", HaveValue(BeEquivalentTo(1))))
	})

	It("still carries out denials, also after an activation at LambdaTest", func(ctx SpecContext) {
		w := newWorld(ctx, reporting)
		ada := w.address("ada")
		id := w.provisioned(ctx, ada)
		w.deny(ctx, id)
		Eventually(w.account(ada)).Should(beInactive())
		Eventually(w.user(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))

		w.edit(ada, activated)

		Eventually(w.account(ada)).Should(beInactive())
	})
})

var _ = Describe("adopting people who have accounts", Label("adoption"), func() {
	It("only reads the pages of the list: no write and no single call for 300 accounts that match", func(ctx SpecContext) {
		w := newWorld(ctx)
		people := w.addresses(300)
		w.hired(people...)
		w.afterSweeps(1)

		w.declareAll(ctx, people, role(v1alpha1.RoleUser))

		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))
		Expect(w.LambdaTest.Writes()).To(BeZero())
		Expect(w.LambdaTest.Count(readUser)).To(BeZero())
		Eventually(w.organization(ctx)).Should(HaveField("Status.Unclaimed", HaveValue(BeZero())))
	})

	It("keeps an Admin who is declared without a role, although a POST would reset it", func(ctx SpecContext) {
		w := newWorld(ctx, every(tenMinutes))
		ada := w.address("ada")
		w.hired(ada)
		w.edit(ada, func(account *simulator.Account) { account.Role = "Admin" })

		declared := w.declare(ctx, ada)

		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada)()).To(haveRole("Admin"))
		Expect(w.LambdaTest.Writes()).To(BeZero())
	})

	It("reports people whose address belongs to another LambdaTest organization, and does not retry", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		w.LambdaTest.AddForeignAccount(ada)

		declared := w.declare(ctx, ada)

		Eventually(w.user(ctx, declared.Name)).Should(BeStalled(v1alpha1.OwnedByAnotherOrganizationReason))
		before := len(w.callsFor(ada))
		w.afterSweeps(2)
		Expect(w.callsFor(ada)).To(HaveLen(before))
	})
})
