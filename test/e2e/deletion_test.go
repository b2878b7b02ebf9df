// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("deleting", Label("deletion"), func() {
	// settled returns a world in which one person is declared and has an account.
	settled := func(ctx context.Context, changes ...func(*v1alpha1.LambdaTestUser)) (*world, string, *v1alpha1.LambdaTestUser) {
		GinkgoHelper()
		w := newWorld(ctx)
		ada := w.address("ada")
		declared := w.declare(ctx, ada, changes...)
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		return w, ada, declared
	}

	It("the only resource about a person deactivates the account, and then releases the finalizer", func(ctx SpecContext) {
		w, ada, declared := settled(ctx)

		w.prune(ctx, declared)

		Eventually(w.readerOf(ctx, declared)).Should(beGone())
		Expect(w.account(ada)()).To(beInactive())
		Expect(w.LambdaTest.Count(deactivateUser)).To(Equal(1))
	})

	It("a resource with deletionPolicy Orphan leaves the account unchanged, without a call", Label("orphan"), func(ctx SpecContext) {
		w, ada, declared := settled(ctx, orphaned)
		before := w.LambdaTest.Writes()

		w.prune(ctx, declared)

		Eventually(w.readerOf(ctx, declared)).Should(beGone())
		Expect(w.LambdaTest.Writes()).To(Equal(before))
		Expect(w.account(ada)()).To(beActive())
	})

	It("the organization first: it stays until its users are deleted, and names the resources that it waits for", func(ctx SpecContext) {
		w, ada, declared := settled(ctx)
		organization, _ := w.organization(ctx)()

		Expect(w.env.Client.Delete(ctx, organization)).To(Succeed())

		Eventually(w.organization(ctx)).Should(And(
			BeStalled(v1alpha1.PeopleRemainReason), WithTransform(messageOf, ContainSubstring("1 LambdaTestUser"))))
		w.prune(ctx, declared)
		Eventually(w.readerOf(ctx, declared)).Should(beGone())
		Eventually(w.readerOf(ctx, organization)).Should(beGone())
		Expect(w.account(ada)()).To(beInactive())
	})

	It("the token's Secret first: the resource stays and says why and what to do; with the Secret back it is deleted", func(ctx SpecContext) {
		w, ada, declared := settled(ctx)
		Expect(w.env.Client.Delete(ctx, w.tokenSecret())).To(Succeed())
		Eventually(w.organization(ctx)).Should(BeStalled(v1alpha1.SecretNotFoundReason))

		w.prune(ctx, declared)

		Eventually(w.user(ctx, declared.Name)).Should(And(
			BeStalled(v1alpha1.OrganizationNotReadyReason), WithTransform(messageOf, ContainSubstring("deletionPolicy: Orphan"))))
		Expect(w.env.Client.Create(ctx, w.tokenSecret())).To(Succeed())
		Eventually(w.readerOf(ctx, declared)).Should(beGone())
		Expect(w.account(ada)()).To(beInactive())
	})

	It("with a token that LambdaTest refuses: the resource stays and says so; with Orphan it is deleted without a call", Label("orphan"), func(ctx SpecContext) {
		w, ada, declared := settled(ctx)
		w.LambdaTest.RotateToken(newToken())
		Eventually(w.organization(ctx)).Should(BeStalled(v1alpha1.UnauthorizedReason))

		w.prune(ctx, declared)

		Eventually(w.user(ctx, declared.Name)).Should(And(
			BeStalled(v1alpha1.UnauthorizedReason), WithTransform(messageOf, ContainSubstring("deletionPolicy: Orphan"))))
		w.redeclare(ctx, declared, orphaned)
		Eventually(w.readerOf(ctx, declared)).Should(beGone())
		Expect(w.account(ada)()).To(beActive())
	})

	It("a user of an organization that does not exist releases the finalizer", func(ctx SpecContext) {
		w := newWorld(ctx)
		declared := w.declare(ctx, w.address("ada"), func(user *v1alpha1.LambdaTestUser) {
			user.Name, user.Spec.OrganizationRef.Name = "lost-"+w.Name, "nobody-made-"+w.Name
			user.Finalizers = []string{v1alpha1.Finalizer}
		})
		Eventually(w.user(ctx, declared.Name)).Should(BeStalled(v1alpha1.OrganizationNotFoundReason))

		w.prune(ctx, declared)

		Eventually(w.readerOf(ctx, declared)).Should(beGone())
	})

	It("while LambdaTest is down: the resource stays and says why, and is deleted when LambdaTest is back", func(ctx SpecContext) {
		w, ada, declared := settled(ctx)
		w.LambdaTest.Fail(http.StatusBadGateway)

		w.prune(ctx, declared)

		Eventually(w.user(ctx, declared.Name)).Should(BeProgressing(v1alpha1.UpstreamUnavailableReason))
		w.LambdaTest.ClearFaults()
		Eventually(w.readerOf(ctx, declared)).Should(beGone())
		Expect(w.account(ada)()).To(beInactive())
	})

	It("a namespace leaves all accounts unchanged, and completes", func(ctx SpecContext) {
		w := newWorldIn(ctx, Namespace(ctx, env.Client))
		people := w.addresses(20)
		w.declareAll(ctx, people)
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))
		before := w.LambdaTest.Writes()
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}

		Expect(w.env.Client.Delete(ctx, namespace)).To(Succeed())

		Eventually(w.readerOf(ctx, namespace), "60s").Should(beGone())
		Expect(w.LambdaTest.Writes()).To(Equal(before))
		Expect(w.inactive()).To(BeZero())
	})

	It("the CRD of the resources leaves all accounts unchanged, and completes", func(ctx SpecContext) {
		w := newWorldOfItsOwn(ctx)
		people := w.addresses(20)
		w.declareAll(ctx, people)
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))
		before := w.LambdaTest.Writes()

		_, err := w.env.Kubectl(ctx, "delete", "crd", "lambdatestusers.iam.lambdatest.io", "--timeout=60s")

		Expect(err).NotTo(HaveOccurred())
		Expect(w.LambdaTest.Writes()).To(Equal(before))
		Expect(w.inactive()).To(BeZero())
	})
})
