// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

var _ = Describe("a denial", Label("deny-wins"), func() {
	It("by the identity provider wins while Git declares the person active, however often Git is applied", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		declared := w.declare(ctx, ada, role(v1alpha1.RoleAdmin))
		id := w.provision(ctx, ada)
		Eventually(w.account(ada)).Should(HaveField("Active", true))

		w.push(ctx, id, map[string]any{"active": false})

		Eventually(w.account(ada)).Should(HaveField("Active", false))
		Eventually(w.reasonOf(ctx, declared.Name)).Should(Equal(v1alpha1.DeniedByAnotherClaimReason))
		current, err := w.claim(ctx, declared.Name)
		Expect(err).NotTo(HaveOccurred())
		current.Spec.Active = new(true)
		Expect(env.Client.Update(ctx, current)).To(Succeed())
		Eventually(w.reasonOf(ctx, declared.Name)).Should(Equal(v1alpha1.DeniedByAnotherClaimReason))
		w.afterSweeps(1)
		Expect(w.account(ada)()).To(HaveField("Active", false))
	})

	It("is carried out even when the same PUT changes the userName, which LambdaTest cannot", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		id := w.provision(ctx, ada)
		Eventually(w.account(ada)).Should(HaveField("Active", true))

		answer := w.push(ctx, id, map[string]any{"active": false, "userName": w.address("leaver")})

		Expect(answer).To(And(HaveKeyWithValue("active", false), HaveKeyWithValue("userName", ada)))
		Eventually(w.account(ada)).Should(HaveField("Active", false))
	})

	It("by Git wins while the identity provider says active", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		id := w.provision(ctx, ada)
		Eventually(w.account(ada)).Should(HaveField("Active", true))

		w.declare(ctx, ada, func(user *v1alpha1.LambdaTestUser) { user.Spec.Active = new(false) })

		Eventually(w.account(ada)).Should(HaveField("Active", false))
		Expect(w.scim(ctx, http.MethodGet, "/Users/"+id, nil, http.StatusOK)).To(HaveKeyWithValue("active", true),
			"the provider sees what a write of it would change")
	})
})

var _ = Describe("a hand-over", Label("handover"), func() {
	It("follows a prune of a person whom the identity provider still assigns: nobody calls LambdaTest", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		declared := w.declare(ctx, ada, role(v1alpha1.RoleUser))
		id := w.provision(ctx, ada)
		Eventually(w.reasonOf(ctx, declared.Name)).Should(Equal(v1alpha1.SyncedReason))
		Eventually(w.reasonOf(ctx, id)).Should(Equal(v1alpha1.SyncedReason))
		before := w.LambdaTest.Writes()

		Expect(env.Client.Delete(ctx, declared)).To(Succeed())

		Eventually(func() error { _, err := w.claim(ctx, declared.Name); return err }).Should(MatchError(ContainSubstring("not found")))
		w.afterSweeps(1)
		Expect(w.LambdaTest.Writes()).To(Equal(before))
		Expect(w.account(ada)()).To(HaveField("Active", true))
	})
})
