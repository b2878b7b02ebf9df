// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/organization"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("A person whom the identity provider deleted", func() {
	marked := func(w *world) func(*v1alpha1.LambdaTestUser) {
		return func(u *v1alpha1.LambdaTestUser) {
			u.Spec.Active, u.Spec.DeletedAt = new(false), new(metav1.NewTime(w.clock.Now().Truncate(time.Second)))
		}
	}

	It("stays denied for the retention time, and then leaves groups and cluster without a further write", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).FromSCIM().Role(v1alpha1.RoleUser))
		group := Applied(ctx, k8s, &v1alpha1.LambdaTestGroup{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "scim-team", Labels: map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}},
			Spec:       v1alpha1.LambdaTestGroupSpec{DisplayName: "Team", Members: []string{"Ada@example.com", "grace@example.com"}},
		})
		user = w.changed(ctx, user, marked(w))
		Expect(w.account(ada).Active).To(BeFalse())
		writes := w.upstream.Writes()

		w.clock.Advance(DefaultMarkRetention - time.Hour)
		Expect(w.reconciled(ctx, user).RequeueAfter).To(BeNumerically("~", time.Hour, time.Minute))
		Expect(Exists(ctx, k8s, user)).To(BeTrue())
		w.clock.Advance(time.Hour + time.Minute)
		w.reconciled(ctx, user)
		w.reconciled(ctx, user)

		Expect(Exists(ctx, k8s, user)).To(BeFalse())
		Expect(Fetched(ctx, k8s, group).Spec.Members).To(HaveExactElements("grace@example.com"))
		Expect(w.upstream.Writes()).To(Equal(writes))
	})

	It("stays denied for good while somebody else claims the person", Label("deny-wins"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser).Active())
		user := w.settled(ctx, MakeUser(ada).FromSCIM())
		user = w.changed(ctx, user, marked(w))
		w.clock.Advance(2 * DefaultMarkRetention)

		w.reconciled(ctx, user)
		w.reconciled(ctx, user)

		Expect(Exists(ctx, k8s, user)).To(BeTrue())
		Expect(w.account(ada).Active).To(BeFalse())
	})

	It("is let in again, with a warning, when the mark is deleted by hand while Git declares the person", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser).Active())
		user := w.settled(ctx, MakeUser(ada).FromSCIM())
		user = w.changed(ctx, user, marked(w))
		w.events()

		w.reconciled(ctx, Deleted(ctx, k8s, user))

		Expect(w.account(ada).Active).To(BeTrue())
		Expect(w.events()).To(ContainElement(HavePrefix("Warning DenialWithdrawn")))
	})

	It("comes back by one PATCH when the provider creates the person again", Label("revival"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).FromSCIM().Role(v1alpha1.RoleAdmin))
		user = w.changed(ctx, user, marked(w))
		w.upstream.ResetCalls()

		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) {
			u.Spec.Active, u.Spec.DeletedAt, u.Spec.Role = new(true), nil, v1alpha1.RoleUser
		})

		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada)).To(And(HaveField("Active", true), HaveField("Role", "User")))
		Expect(w.upstream.Calls()).To(HaveExactElements(HaveField("Route", "PATCH /Users/{id}")))
	})
})

var _ = Describe("After a restart", func() {
	It("nothing is called or written for people who are settled", Label("idle"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin))
		off := w.settled(ctx, MakeUser("grace@example.com").Denied())
		w.upstream.ResetCalls()
		w.restart()
		w.connected(ctx, DefaultOrganization)

		Expect(w.again(ctx, user).ResourceVersion).To(Equal(user.ResourceVersion))
		Expect(w.again(ctx, off).ResourceVersion).To(Equal(off.ResourceVersion))
		Expect(w.upstream.Calls()).To(BeEmpty())
		w.swept(ctx)
		Expect(Fetched(ctx, k8s, user).ResourceVersion).To(Equal(user.ResourceVersion))
		Expect(w.upstream.Writes()).To(BeZero())
	})

	It("the organization stays Ready, and its status is not written, while the first sweep is under way", Label("idle"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.settled(ctx, MakeUser(ada))
		before := w.connected(ctx, DefaultOrganization)
		Expect(before).To(BeReady(v1alpha1.SyncedReason))
		w.restart()

		Expect(w.connected(ctx, DefaultOrganization).ResourceVersion).To(Equal(before.ResourceVersion))
	})

	It("a denial does not wait for the first sweep", Label("deny-wins"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin))
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.upstream.AddAccount(simulator.Account{UserName: "grace@example.com", Active: true})

		w.changed(ctx, user, denied)
		w.settled(ctx, MakeUser("grace@example.com").Denied())

		Expect(w.account(ada).Active).To(BeFalse())
		Expect(w.account("grace@example.com").Active).To(BeFalse())
	})

	It("nobody is created before the first sweep", Label("adoption"), func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true, Role: "User"})
		organized(ctx, w)
		user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleUser).Obj())
		w.clock.Advance(time.Minute)
		w.connected(ctx, DefaultOrganization)
		w.reconciled(ctx, user)
		Expect(w.upstream.Calls()).To(BeEmpty())

		w.swept(ctx)

		Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Writes()).To(BeZero())
	})

	It("a new hire does not wait for the first sweep, once it is known whose organization it is", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.clock.Advance(-time.Minute) // resources are as old as the API server says
		w.restart()
		w.connected(ctx, DefaultOrganization)
		user := w.settled(ctx, MakeUser("grace@example.com").Role(v1alpha1.RoleUser))
		Expect(user.Status.AccountID).To(BeEmpty())

		endSweep := w.sweepHeld(ctx)

		Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.connection().LastSweep().Complete).To(BeFalse())
		endSweep()
	})

	It("a deletion works from status, whatever comes first", Label("deletion"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin))
		Deleted(ctx, k8s, user)
		w.restart()
		w.connected(ctx, DefaultOrganization)

		w.reconciled(ctx, user)

		Expect(Exists(ctx, k8s, user)).To(BeFalse())
		Expect(w.account(ada).Active).To(BeFalse())
	})
})

var _ = Describe("What people see", func() {
	It("is that they wait, when many are before them", Label("order"), func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx), func(o *OrganizationBuilder) { o.Limited(1, 1) })
		for i := range 70 {
			w.connection().Lane.Acquire(fmt.Sprintf("person-%d@example.com", i), lane.Creation, lane.NoFailure)
		}

		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))

		Expect(user).To(BeProgressing(v1alpha1.ProgressingReason))
		Expect(*w.connected(ctx, DefaultOrganization).Status.Failing).To(BeZero())
	})

	It("is a name that LambdaTest keeps, told once and never sent", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.upstream.ResetCalls()
		w.events()

		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Name.FamilyName = "King" })

		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(status.ReadyCondition(user).Message).To(ContainSubstring("Ada Lovelace"))
		w.again(ctx, user)
		Expect(w.events()).To(HaveLen(1))
		Expect(w.upstream.Calls()).To(BeEmpty())
	})

	It("is a resync that reads the account and sets it back, once per request", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) { a.Role = "Admin" })
		Expect(err).NotTo(HaveOccurred())

		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) {
			u.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
		})

		Expect(w.account(ada).Role).To(Equal("User"))
		Expect(user.Status.LastHandledReconcileAt).To(Equal("now"))
		w.upstream.ResetCalls()
		w.again(ctx, user)
		Expect(w.upstream.Calls()).To(BeEmpty())
	})

	It("is a resync that is done once LambdaTest has answered, and repeated less and less often until then", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.upstream.Fail(503, simulator.On("GET /Users"))

		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) {
			u.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
		})

		Expect(user.Status.LastHandledReconcileAt).To(BeEmpty())
		first := w.reconciled(ctx, user).RequeueAfter
		w.clock.Advance(first)
		second := w.reconciled(ctx, user).RequeueAfter
		Expect(second).To(BeNumerically(">", first))
		Expect(w.upstream.Count("GET /Users")).To(Equal(2))
		w.upstream.ClearFaults()
		w.clock.Advance(second)
		Expect(w.again(ctx, user).Status.LastHandledReconcileAt).To(Equal("now"))
		Expect(w.upstream.Count("GET /Users")).To(Equal(3))
	})

	It("is a resync that is not done while the organization is suspended", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.connection().Block(organization.Suspended(DefaultOrganization))

		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) {
			u.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
		})

		Expect(user.Status.LastHandledReconcileAt).To(BeEmpty())
		w.connected(ctx, DefaultOrganization)
		Expect(w.again(ctx, user).Status.LastHandledReconcileAt).To(Equal("now"))
	})
})
