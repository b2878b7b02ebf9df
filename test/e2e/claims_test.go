// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("a hand-over", Label("handover"), func() {
	It("follows a prune of a person whom the identity provider still assigns, without a call", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		declared := w.declare(ctx, ada, role(v1alpha1.RoleUser))
		id := w.provisioned(ctx, ada)
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(w.user(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
		before := w.LambdaTest.Writes()

		w.prune(ctx, declared)

		Eventually(w.readerOf(ctx, declared)).Should(beGone())
		w.afterSweeps(1)
		Expect(w.LambdaTest.Writes()).To(Equal(before))
		Expect(w.account(ada)()).To(beActive())
	})

	It("follows when a resource is replaced by one with another name: the account stays active and keeps its role", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		old := w.declare(ctx, ada, role(v1alpha1.RoleAdmin))
		Eventually(w.user(ctx, old.Name)).Should(BeReady(v1alpha1.SyncedReason))
		before := w.LambdaTest.Writes()

		renamed := w.declare(ctx, ada, named("another-name-"+old.Name), role(v1alpha1.RoleAdmin))
		w.prune(ctx, old)

		Eventually(w.user(ctx, renamed.Name)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(w.readerOf(ctx, old)).Should(beGone())
		w.afterSweeps(1)
		Expect(w.LambdaTest.Writes()).To(Equal(before))
	})
})

var _ = Describe("two resources about one person", Label("duplicate"), func() {
	It("never make LambdaTest change back and forth: the older one decides, the younger one says so", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		older := w.declare(ctx, ada, role(v1alpha1.RoleAdmin))
		Eventually(w.user(ctx, older.Name)).Should(BeReady(v1alpha1.SyncedReason))
		before := w.LambdaTest.Writes()

		younger := w.declare(ctx, ada, named("zzz-"+older.Name), role(v1alpha1.RoleGuest))

		Eventually(w.user(ctx, younger.Name)).Should(And(
			BeStalled(v1alpha1.DuplicateUserNameReason), WithTransform(messageOf, ContainSubstring(older.Name))))
		w.afterSweeps(2)
		Expect(w.LambdaTest.Writes()).To(Equal(before))
		Expect(w.account(ada)()).To(haveRole("Admin"))
	})

	It("that spell the userName in different cases are about one person", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		w.declare(ctx, ada)
		Eventually(w.account(ada)).Should(beActive())

		younger := w.declare(ctx, w.address("ADA"), named("zzz-"+w.Name))

		Eventually(w.user(ctx, younger.Name)).Should(BeStalled(v1alpha1.DuplicateUserNameReason))
		Expect(w.accounts()).To(Equal(1))
	})

	It("are not created when an identity provider posts to both replicas at the same moment: one answers 201, the other 409", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		answers := make([]int, len(w.env.Replicas))

		sideBySide([]int{0, 1}, func(i int) {
			status, _, err := ask(ctx, w.env.Replicas[i].SCIMURL, w.SCIMToken, http.MethodPost, "/Users", newcomer(ada))
			Expect(err).NotTo(HaveOccurred())
			answers[i] = status
		})

		Expect(answers).To(ConsistOf(http.StatusCreated, http.StatusConflict))
		Eventually(w.account(ada)).Should(beActive())
		Expect(w.LambdaTest.Count(createUser)).To(Equal(1))
	})
})

var _ = Describe("a resource that observes", Label("observe"), func() {
	It("shows what it would change and changes nothing", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		w.hired(ada)

		observer := w.declare(ctx, ada, observing, denied, role(v1alpha1.RoleAdmin))

		Eventually(w.user(ctx, observer.Name)).Should(And(BeReady(v1alpha1.ObservedReason),
			HaveField("Status.PlannedChanges", ConsistOf(
				v1alpha1.PlannedChange{Attribute: "active", From: "true", To: "false"},
				v1alpha1.PlannedChange{Attribute: "role", From: "User", To: "Admin"},
			))))
		w.afterSweeps(1)
		Expect(w.LambdaTest.Writes()).To(BeZero())
	})

	It("does not keep an account active that no other resource claims, and is deleted without a call", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		declared := w.declare(ctx, ada)
		observer := w.declare(ctx, ada, named("observer-"+w.Name), observing)
		Eventually(w.user(ctx, observer.Name)).Should(BeReady(v1alpha1.ObservedReason))

		w.prune(ctx, declared)

		Eventually(w.account(ada)).Should(beInactive())
		Eventually(w.readerOf(ctx, declared)).Should(beGone())
		before := w.LambdaTest.Writes()
		w.prune(ctx, observer)
		Eventually(w.readerOf(ctx, observer)).Should(beGone())
		Expect(w.LambdaTest.Writes()).To(Equal(before))
	})
})

var _ = Describe("a person whom the identity provider deleted", Label("revival"), func() {
	It("is hidden from the provider at once, deactivated at LambdaTest, and denied although Git declares the person active", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		w.declare(ctx, ada)
		id := w.provisioned(ctx, ada)

		w.scim(ctx, http.MethodDelete, "/Users/"+id, nil, http.StatusNoContent)

		w.scim(ctx, http.MethodGet, "/Users/"+id, nil, http.StatusNotFound)
		Eventually(w.account(ada)).Should(beInactive())
		w.afterSweeps(1)
		Expect(w.account(ada)()).To(beInactive())
	})

	It("returns with a POST under the same id and with the same account, as User and not as Admin as before", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		id := w.provisioned(ctx, ada, withRole("Admin"))
		account, _ := w.account(ada)()
		w.scim(ctx, http.MethodDelete, "/Users/"+id, nil, http.StatusNoContent)
		Eventually(w.account(ada)).Should(beInactive())

		Expect(w.provision(ctx, ada)).To(Equal(id))

		Eventually(w.account(ada)).Should(And(beActive(), haveRole("User"), HaveField("ID", account.ID)))
		Expect(w.accounts()).To(Equal(1))
	})

	It("keeps the role when the provider only deactivates and reactivates the person", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		id := w.provisioned(ctx, ada, withRole("Admin"))
		w.deny(ctx, id)
		Eventually(w.account(ada)).Should(beInactive())

		w.push(ctx, id, attributes{"active": true})

		Eventually(w.account(ada)).Should(And(beActive(), haveRole("Admin")))
	})
})
