// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("An attribute that LambdaTest does not show", func() {
	DescribeTable("is unknown, not empty: the operator sends it once", func(ctx SpecContext, setting string) {
		w := connectedWorld(ctx, simulator.ConcurrencyGroups("mobile", "web"), simulator.Reads(simulator.Settings{"concurrency-group-in-answers": setting}))
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser).ConcurrencyGroup("mobile"))
		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(user.Status.Account.ConcurrencyGroup).To(Equal("mobile"))

		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.ConcurrencyGroup = "web" })
		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(user.Status.Account.ConcurrencyGroup).To(Equal("web"))
		Expect(w.account(ada).ConcurrencyGroup).To(Equal("web"))
		Expect(w.upstream.Writes()).To(Equal(2), "one POST and one PATCH")

		for range 3 {
			w.swept(ctx)
			Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
		}
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.swept(ctx)
		Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Writes()).To(Equal(2))
	},
		Entry("after the answer to POST", "only-after-post"),
		Entry("in any answer", "never"),
		Entry("although it could", "always"),
	)

	It("is compared with what an answer shows as soon as one does", func(ctx SpecContext) {
		w := connectedWorld(ctx, simulator.ConcurrencyGroups("mobile", "web"), simulator.Reads(simulator.Settings{"concurrency-group-in-answers": "never"}))
		user := w.settled(ctx, MakeUser(ada).ConcurrencyGroup("mobile"))
		_, err := w.upstream.EditAccount(ada, func(account *simulator.Account) { account.ConcurrencyGroup = "web" })
		Expect(err).NotTo(HaveOccurred())
		w.swept(ctx)
		Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Writes()).To(Equal(1), "nothing shows the edit")

		w.upstream.MustRead(simulator.Settings{"concurrency-group-in-answers": "always"})
		w.swept(ctx)
		Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada).ConcurrencyGroup).To(Equal("mobile"))
	})

	It("is not overwritten if it is the role of a custom one, unless a claim sets a role", func(ctx SpecContext) {
		w := connectedWorld(ctx, simulator.Reads(simulator.Settings{"custom-role": "absent"}))
		w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true, Role: "User", CustomRole: "Release Manager"})
		w.swept(ctx)
		user := w.settled(ctx, MakeUser(ada))
		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Writes()).To(BeZero())

		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Role = v1alpha1.RoleGuest })
		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		for range 3 {
			w.swept(ctx)
			Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
		}
		Expect(w.upstream.Writes()).To(Equal(1))
	})
})

var _ = Describe("An account whose userName LambdaTest spells with capitals and compares with case", func() {
	It("is found by its id, and not created again", func(ctx SpecContext) {
		w := connectedWorld(ctx, simulator.Reads(simulator.Settings{"letters-of-user-name": "compared-with-case"}))
		w.upstream.AddAccount(simulator.Account{UserName: "Ada@Example.com", Active: true, Role: "Admin"})
		w.swept(ctx)
		user := w.settled(ctx, MakeUser("ada@example.com"))
		Expect(user).To(BeReady(v1alpha1.SyncedReason))

		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) {
			u.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
		})

		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(user.Status.LastHandledReconcileAt).To(Equal("now"))
		Expect(w.account("ada@example.com").Role).To(Equal("Admin"))
		Expect(w.upstream.Writes()).To(BeZero())
	})
})
