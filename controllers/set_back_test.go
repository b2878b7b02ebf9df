// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("A role that LambdaTest sets back each time", Label("sweep"), func() {
	var w *world
	var user *v1alpha1.LambdaTestUser

	setBack := func() {
		GinkgoHelper()
		_, err := w.upstream.EditAccount(ada, func(account *simulator.Account) { account.Role = "Admin" })
		Expect(err).NotTo(HaveOccurred())
	}
	// exhausted lets LambdaTest set the role back until the operator stops.
	exhausted := func(ctx context.Context) {
		GinkgoHelper()
		for made := range connection.MaxCorrections {
			setBack()
			w.swept(ctx)
			if made > 0 {
				user = w.again(ctx, user)
				Expect(user).To(BeProgressing(v1alpha1.SetBackReason))
				Expect(user.Status.PlannedChanges).To(ConsistOf(v1alpha1.PlannedChange{Attribute: "role", From: "Admin", To: "User"}))
				w.clock.Advance(time.Minute << (made - 1))
			}
			user = w.again(ctx, user)
			Expect(user).To(BeReady(v1alpha1.SyncedReason))
			Expect(w.upstream.Writes()).To(Equal(made + 1))
		}
		setBack()
		w.swept(ctx)
		user = w.again(ctx, user)
	}

	BeforeEach(func(ctx SpecContext) {
		w = connectedWorld(ctx)
		user = w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		w.upstream.ResetCalls()
	})

	It("is set five times, after pauses that grow, and then reported; a restart tries nothing", func(ctx SpecContext) {
		exhausted(ctx)
		Expect(user).To(BeStalled(v1alpha1.SetBackReason))
		Expect(user.Status.PlannedChanges).To(ConsistOf(v1alpha1.PlannedChange{Attribute: "role", From: "Admin", To: "User"}))

		for range 10 {
			w.clock.Advance(time.Hour)
			w.swept(ctx)
			Expect(w.again(ctx, user)).To(BeStalled(v1alpha1.SetBackReason))
		}
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.swept(ctx)
		Expect(w.again(ctx, user)).To(BeStalled(v1alpha1.SetBackReason))
		Expect(w.upstream.Writes()).To(Equal(connection.MaxCorrections))
	})

	It("is set again on request, and when a claim changes", func(ctx SpecContext) {
		exhausted(ctx)
		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) {
			u.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
		})
		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Writes()).To(Equal(connection.MaxCorrections + 1))

		setBack()
		w.swept(ctx)
		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Role = v1alpha1.RoleGuest })
		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada).Role).To(Equal("Guest"))
	})

	It("does not keep a denial waiting", func(ctx SpecContext) {
		exhausted(ctx)
		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(false) })
		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada).Active).To(BeFalse())
	})

	It("is reported as agreed once LambdaTest has what is wanted", func(ctx SpecContext) {
		exhausted(ctx)
		_, err := w.upstream.EditAccount(ada, func(account *simulator.Account) { account.Role = "User" })
		Expect(err).NotTo(HaveOccurred())
		w.swept(ctx)
		Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Writes()).To(Equal(connection.MaxCorrections))
	})
})
