// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("What status has room for", Label("guard", "bounds"), func() {
	It("keeps people waiting for whom the list of those who are carried out has no room, and lets them go once it has", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		organization := Fetched(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj())
		admitted := make([]string, maxItems)
		for i := range admitted {
			admitted[i] = fmt.Sprintf("somebody-%05d", i)
		}
		before := organization.DeepCopy()
		organization.Status.Guard = &v1alpha1.GuardStatus{
			WindowStart: new(metav1.NewTime(w.clock.Now())), Active: 100_000, Limit: 25_000, Deprovisioned: maxItems,
			Admitted: &v1alpha1.HeldSet{Token: "within-limit", Count: maxItems, People: admitted},
		}
		Expect(k8s.Status().Patch(ctx, organization, client.MergeFrom(before))).To(Succeed())

		w.pruned(ctx, people[0])

		Expect(w.active()).To(Equal(8))
		Expect(Fetched(ctx, k8s, people[0])).To(HaveCondition(v1alpha1.ReadyCondition, metav1.ConditionFalse, v1alpha1.ProgressingReason))
		w.restart()
		w.connected(ctx, DefaultOrganization) // none of the others is there: they are forgotten
		Expect(w.connection().Sweep(ctx)).To(Succeed())
		w.handleWoken(ctx)
		Expect(w.active()).To(Equal(7))
		Expect(Exists(ctx, k8s, people[0])).To(BeFalse())
	})

	It("goes on when somebody annotates the organization with what is no token, however long it is", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people[:4]...)
		w.held(ctx)
		w.clock.Advance(guardQuiet)

		organization := w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, strings.Repeat("x", 40_000))

		Expect(organization).To(HaveCondition(v1alpha1.GuardHoldingCondition, metav1.ConditionTrue, v1alpha1.DeprovisionHeldReason))
		for _, event := range w.events() {
			Expect(len(event)).To(BeNumerically("<", 1500))
		}
	})

	It("shows what LambdaTest says of an account, however long it is, and what a request for a resync was", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) {
			a.GivenName, a.FamilyName = strings.Repeat("é", 1<<20), strings.Repeat("é", 1<<20)
		})
		Expect(err).NotTo(HaveOccurred())
		w.swept(ctx)

		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) {
			u.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: strings.Repeat("now", 50_000)}
		})

		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(len(user.Status.Account.GivenName)).To(BeNumerically("<", 2000))
		Expect(len(user.Status.LastHandledReconcileAt)).To(BeNumerically("<", 200))
		w.upstream.ResetCalls()
		w.reconciled(ctx, user)
		Expect(w.upstream.Calls()).To(BeEmpty(), "the request was acted on")
	})

	It("keeps a question that could not be written, and counts it once", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.through(unwritable(), k8s)
		Deleted(ctx, k8s, people[0])
		for range 3 {
			_, err := w.people.Reconcile(ctx, claims.KeyOf(people[0]))
			Expect(err).NotTo(HaveOccurred())
			Expect(w.guarded(ctx)).NotTo(Succeed())
		}
		Expect(w.active()).To(Equal(8))

		w.through(k8s, k8s)
		w.reconciled(ctx, people[0])

		Expect(w.active()).To(Equal(7))
		Expect(w.connected(ctx, DefaultOrganization).Status.Guard.Deprovisioned).To(BeEquivalentTo(1))
	})

	It("forgets a question about somebody who is declared again before it was written", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		Deleted(ctx, k8s, people[0])
		_, err := w.people.Reconcile(ctx, claims.KeyOf(people[0]))
		Expect(err).NotTo(HaveOccurred())

		w.settled(ctx, MakeUser(people[0].Spec.UserName).Named("again").Role(v1alpha1.RoleUser))

		Expect(Exists(ctx, k8s, people[0])).To(BeFalse())
		Expect(w.active()).To(Equal(8))
		Expect(w.connected(ctx, DefaultOrganization).Status.Guard).To(Or(BeNil(), HaveField("Deprovisioned", BeZero())))
	})

	It("counts denials also when the write that was to count them fails", Label("deny-wins"), func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.through(unwritable(), k8s)
		for _, user := range people[:3] {
			Changed(ctx, k8s, user, denied)
			_, err := w.people.Reconcile(ctx, claims.KeyOf(user))
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(w.guarded(ctx)).NotTo(Succeed())

		w.through(k8s, k8s)
		organization := w.connected(ctx, DefaultOrganization)

		Expect(organization.Status.Guard).To(HaveField("Explicit", BeEquivalentTo(3)))
	})
})

// maxItems is what the definition takes in each list of status.guard; TestGuardBoundsItsLists reads it there.
const maxItems = 10_000

// unwritable is an API server that takes no status of an organization.
func unwritable() client.WithWatch {
	return interceptor.NewClient(k8s, interceptor.Funcs{
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
			if _, isOrganization := object.(*v1alpha1.LambdaTestOrganization); isOrganization {
				return apierrors.NewServiceUnavailable("starting")
			}
			return c.SubResource(sub).Patch(ctx, object, patch, options...)
		},
	})
}
