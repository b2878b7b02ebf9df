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

var _ = Describe("a denial", Label("deny-wins"), func() {
	It("by the identity provider wins while Git declares the person active, however often Git is applied", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		declared := w.declare(ctx, ada, role(v1alpha1.RoleAdmin))
		id := w.provisioned(ctx, ada)

		w.push(ctx, id, attributes{"active": false})

		Eventually(w.account(ada)).Should(beInactive())
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.DeniedByAnotherClaimReason))
		w.redeclare(ctx, declared, allowed)
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.DeniedByAnotherClaimReason))
		w.afterSweeps(1)
		Expect(w.account(ada)()).To(beInactive())
	})

	It("is carried out even when the same PUT changes the userName, which LambdaTest cannot", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		id := w.provisioned(ctx, ada)

		answer := w.push(ctx, id, attributes{"active": false, "userName": w.address("leaver")})

		Expect(answer).To(And(HaveKeyWithValue("active", false), HaveKeyWithValue("userName", ada)))
		Eventually(w.account(ada)).Should(beInactive())
	})

	It("is carried out even when the same PATCH names a concurrency group that LambdaTest refuses", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		id := w.provisioned(ctx, ada)

		w.scim(ctx, http.MethodPatch, "/Users/"+id, patch("replace", "", attributes{
			"active": false, userExtension: attributes{"LambdatestGroup": "nobody made this group"},
		}), http.StatusOK)

		Eventually(w.account(ada)).Should(beInactive())
	})

	It("by Git wins while the identity provider says active", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		id := w.provisioned(ctx, ada)

		w.declare(ctx, ada, denied)

		Eventually(w.account(ada)).Should(beInactive())
		Expect(w.scim(ctx, http.MethodGet, "/Users/"+id, nil, http.StatusOK)).To(HaveKeyWithValue("active", true),
			"the provider sees the value of its own resource")
	})

	It("wins over an activation at LambdaTest itself: the account is deactivated again after one sweep", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		declared := w.declare(ctx, ada, denied)
		w.hired(ada)
		Eventually(w.account(ada)).Should(beInactive())
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))

		w.edit(ada, activated)
		w.afterSweeps(1)

		Eventually(w.account(ada)).Should(beInactive())
	})

	It("of a person without an account creates none", func(ctx SpecContext) {
		w := newWorld(ctx)

		declared := w.declare(ctx, w.address("ada"), denied)

		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		w.afterSweeps(1)
		Expect(w.LambdaTest.Writes()).To(BeZero())
	})
})
