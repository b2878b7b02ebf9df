// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("Argo CD, applying client-side", Label("argo-csa"), func() { argoScenarios(false) })

var _ = Describe("Argo CD, applying server-side", Label("argo-ssa"), func() { argoScenarios(true) })

func argoScenarios(serverSide bool) {
	It("adds people, and is in sync once they are there", func(ctx SpecContext) {
		w := newWorld(ctx)
		argo := w.argo(serverSide)

		argo.commit(ctx, "ada and alan", w.person(ada, "role: Admin"), w.person(alan))

		Eventually(w.account(ada)).Should(And(HaveField("Active", true), HaveField("Role", "Admin")))
		Eventually(w.claim(ctx, alan)).Should(BeReady(v1alpha1.SyncedReason))
		Expect(argo.outOfSync(ctx)).To(BeEmpty())
		Expect(w.LambdaTest.Writes()).To(Equal(2))
	})

	It("keeps out whom Okta denied, however often it syncs", func(ctx SpecContext) {
		w := newWorld(ctx)
		argo := w.argo(serverSide)
		argo.commit(ctx, "alan", w.person(alan, "active: true"))
		id := w.assign(ctx, alan, "")
		w.setActive(ctx, id, false)
		Eventually(w.account(alan)).Should(HaveField("Active", false))
		Eventually(w.claim(ctx, alan)).Should(BeReady(v1alpha1.DeniedByAnotherClaimReason))
		before := w.LambdaTest.Writes()

		for range 3 {
			argo.sync(ctx)
		}
		w.afterSweeps(1)

		Expect(w.active()).To(BeEmpty())
		Expect(w.LambdaTest.Writes()).To(Equal(before))
		Expect(argo.outOfSync(ctx)).To(BeEmpty(), "nothing of the denial is in the resource from Git")
	})

	It("fights with nobody: ten rounds of syncing and self-healing leave generations and LambdaTest alone", Label("idle"), func(ctx SpecContext) {
		w := newWorld(ctx)
		argo := w.argo(serverSide)
		id := w.assign(ctx, ada, v1alpha1.RoleGuest)
		argo.commit(ctx, "ada is an admin here, a guest in Okta", w.person(ada, "role: Admin"), w.person(alan))
		Eventually(w.account(ada)).Should(HaveField("Role", "Admin"))
		Eventually(w.claim(ctx, alan)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(w.claim(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
		argo.sync(ctx)
		w.settled(ctx, 2)
		versions, writes := w.versions(ctx), w.LambdaTest.Writes()

		for range 10 {
			Expect(argo.outOfSync(ctx)).To(BeEmpty())
			argo.sync(ctx)
		}

		w.afterSweeps(1)
		Expect(w.versions(ctx)).To(Equal(versions), "resourceVersions")
		Expect(w.LambdaTest.Writes()).To(Equal(writes))
	})

	It("takes back what somebody edits by hand in its own resource", func(ctx SpecContext) {
		w := newWorld(ctx)
		argo := w.argo(serverSide)
		argo.commit(ctx, "ada", w.person(ada, "role: User"))
		Eventually(w.claim(ctx, ada)).Should(BeReady(v1alpha1.SyncedReason))
		Changed(ctx, env.Client, must(w.claim(ctx, ada)()), func(user *v1alpha1.LambdaTestUser) { user.Spec.Role = v1alpha1.RoleAdmin })
		Eventually(w.account(ada)).Should(HaveField("Role", "Admin"))
		Expect(argo.outOfSync(ctx)).To(ConsistOf(ada))

		argo.heal(ctx)

		Eventually(w.account(ada)).Should(HaveField("Role", "User"))
		Expect(argo.outOfSync(ctx)).To(BeEmpty())
	})

	It("never touches or prunes the identity provider's resource, which carries no mark of an application", func(ctx SpecContext) {
		w := newWorld(ctx)
		argo := w.argo(serverSide)
		id := w.assign(ctx, ada, "")
		argo.commit(ctx, "ada and alan", w.person(ada), w.person(alan))
		Eventually(w.claim(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(w.claim(ctx, ada)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(w.claim(ctx, alan)).Should(BeReady(v1alpha1.SyncedReason))
		before, writes := must(w.claim(ctx, id)()), w.LambdaTest.Writes()

		argo.commit(ctx, "ada is Okta's alone", without(fileName(ada)))

		Eventually(w.exists(ctx, ada)).Should(BeFalse())
		w.afterSweeps(1)
		now := must(w.claim(ctx, id)())
		Expect(now.Generation).To(Equal(before.Generation))
		Expect(now.Annotations).NotTo(HaveKey(argoTracking))
		Expect(now.ManagedFields).NotTo(ContainElement(HaveField("Manager", argoManager)))
		Expect(w.active()).To(ConsistOf(ada, alan))
		Expect(w.LambdaTest.Writes()).To(Equal(writes), "a hand-over is no call")
	})

	It("takes somebody for pruned who is gone when it comes to that", func(ctx SpecContext) {
		w := newWorld(ctx)
		argo := w.argo(serverSide)
		argo.commit(ctx, "ada", w.person(ada))
		Eventually(w.claim(ctx, ada)).Should(BeReady(v1alpha1.SyncedReason))
		listed := must(w.claim(ctx, ada)())
		Deleted(ctx, env.Client, listed.DeepCopy())
		Eventually(w.exists(ctx, ada)).Should(BeFalse())

		argo.remove(ctx, listed)
	})

	It("is refused a raw copy of the identity provider's resource, with the way out", Label("adoption"), func(ctx SpecContext) {
		w := newWorld(ctx)
		argo := w.argo(serverSide)
		id := w.assign(ctx, ada, "")
		w.git.commit(ctx, "copied from kubectl get -o yaml", file("copy.yaml", w.rawCopy(ctx, id, id+"-copy")))

		err := argo.kubectlApply(ctx, argo.wanted()[0])

		Expect(err).To(MatchError(And(ContainSubstring("kubectl lambdatest export"), ContainSubstring(v1alpha1.SourceLabel))))
		Expect(w.exists(ctx, id+"-copy")()).To(BeFalse())
	})
}
