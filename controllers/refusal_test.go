// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// resynced asks for a resync of the whole organization.
func (w *world) resynced(ctx SpecContext) {
	GinkgoHelper()
	Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(), func(o *v1alpha1.LambdaTestOrganization) {
		o.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: w.clock.Now().String()}
	})
	w.connected(ctx, DefaultOrganization)
	w.swept(ctx)
}

// relieved lets another replica take the lead.
func (w *world) relieved(ctx SpecContext) {
	GinkgoHelper()
	w.restart()
	w.connected(ctx, DefaultOrganization)
	w.swept(ctx)
}

var _ = Describe("A person whom LambdaTest refuses", Label("deletion"), func() {
	foreign := func(ctx SpecContext) (*world, *v1alpha1.LambdaTestUser) {
		GinkgoHelper()
		w := connectedWorld(ctx)
		w.upstream.AddForeignAccount(ada)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		Expect(user).To(BeStalled(v1alpha1.OwnedByAnotherOrganizationReason))
		return w, user
	}

	DescribeTable("goes when the resource is deleted, for there is no account to deactivate",
		func(ctx SpecContext, code int, before func(*world, SpecContext, *v1alpha1.LambdaTestUser)) {
			w, user := foreign(ctx)
			before(w, ctx, user)
			if code != 0 {
				w.upstream.Fail(code, simulator.On("GET /Users"))
			}

			w.reconciled(ctx, Deleted(ctx, k8s, user))

			Expect(Exists(ctx, k8s, user)).To(BeFalse())
		},
		Entry("at once", 0, func(*world, SpecContext, *v1alpha1.LambdaTestUser) {}),
		Entry("after a resync", 0, func(w *world, ctx SpecContext, _ *v1alpha1.LambdaTestUser) { w.resynced(ctx) }),
		Entry("after a resync of the person", 0, func(w *world, ctx SpecContext, user *v1alpha1.LambdaTestUser) {
			Changed(ctx, k8s, user, func(u *v1alpha1.LambdaTestUser) {
				u.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
			})
		}),
		Entry("after a change of the lead", 0, func(w *world, ctx SpecContext, _ *v1alpha1.LambdaTestUser) { w.relieved(ctx) }),
		Entry("when the lookup is answered 400", http.StatusBadRequest, func(w *world, ctx SpecContext, _ *v1alpha1.LambdaTestUser) { w.relieved(ctx) }),
		Entry("when the lookup is answered 404", http.StatusNotFound, func(w *world, ctx SpecContext, _ *v1alpha1.LambdaTestUser) { w.relieved(ctx) }),
	)

	DescribeTable("stays when LambdaTest has not said that the person is another organization's",
		func(ctx SpecContext, code int) {
			w, user := foreign(ctx)
			w.relieved(ctx)
			w.upstream.Fail(code, simulator.On("GET /Users"))

			w.reconciled(ctx, Deleted(ctx, k8s, user))

			Expect(Exists(ctx, k8s, user)).To(BeTrue())
		},
		Entry("for the token is refused", http.StatusUnauthorized),
		Entry("for LambdaTest is down", http.StatusServiceUnavailable),
		Entry("for it asks to slow down", http.StatusTooManyRequests),
		Entry("for something is forbidden", http.StatusForbidden),
	)

	It("stays, and names the way out, when there was an account, which may be active in another organization", Label("deny-wins"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.relieved(ctx)
		w.upstream.Fail(http.StatusBadRequest, simulator.On("GET /Users"))
		w.upstream.Fail(http.StatusNotFound, simulator.On("DELETE /Users/{id}"))

		user = w.again(ctx, Deleted(ctx, k8s, user))

		Expect(user).To(BeStalled(v1alpha1.AccountMovedReason))
		Expect(status.ReadyCondition(user).Message).To(And(ContainSubstring("may still be active"), ContainSubstring("deletionPolicy: Orphan")))
	})

	DescribeTable("stays, and names the way out, while LambdaTest refuses the deactivation", Label("deny-wins"),
		func(ctx SpecContext, code int) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
			w.upstream.Fail(code, simulator.On("DELETE /Users/{id}"))

			user = w.again(ctx, Deleted(ctx, k8s, user))

			Expect(user).To(BeStalled(v1alpha1.UpstreamRejectedReason))
			Expect(status.ReadyCondition(user).Message).To(And(ContainSubstring("refuses to deactivate"), ContainSubstring("deletionPolicy: Orphan")))
			Expect(w.account(ada).Active).To(BeTrue())

			_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) { a.Active = false })
			Expect(err).NotTo(HaveOccurred())
			w.swept(ctx)
			Expect(Exists(ctx, k8s, user)).To(BeFalse(), "the account was deactivated by hand")
		},
		Entry("as a bad request", http.StatusBadRequest),
		Entry("as forbidden", http.StatusForbidden),
		Entry("as a conflict", http.StatusConflict),
	)

	It("is well when denied, for there is no access in this organization to take away", Label("deny-wins"), func(ctx SpecContext) {
		w, user := foreign(ctx)
		w.relieved(ctx)

		user = w.changed(ctx, user, denied)

		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(status.ReadyCondition(user).Message).To(Equal("The person is denied and has no account in this LambdaTest organization."))
	})

	It("leaves no mark for ever when the identity provider deletes the person", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.upstream.AddForeignAccount(ada)
		mark := w.settled(ctx, MakeUser(ada).FromSCIM().DeletedAt(w.clock.Now()))
		w.relieved(ctx)
		w.clock.Advance(DefaultMarkRetention)
		w.resynced(ctx)
		mark = w.again(ctx, mark)
		w.clock.Advance(DefaultMarkRetention)

		w.reconciled(ctx, mark)
		w.reconciled(ctx, mark)

		Expect(Exists(ctx, k8s, mark)).To(BeFalse())
	})
})

var _ = Describe("A group that LambdaTest refuses", Label("deletion"), func() {
	DescribeTable("stays, and names the way out, while LambdaTest refuses to delete its group",
		func(ctx SpecContext, code int, reason string) {
			w, _, _ := groupWorld(ctx)
			group := w.pushed(ctx, MakeGroup("QA").With(ada))
			w.upstream.Fail(code, simulator.On("DELETE /Groups/{id}"))

			w.grouped(ctx, Deleted(ctx, k8s, group))

			group = Fetched(ctx, k8s, group)
			Expect(group).To(BeStalled(reason))
			Expect(status.ReadyCondition(group).Message).To(ContainSubstring("deletionPolicy: Orphan"))
		},
		Entry("for provisioning is off", http.StatusForbidden, v1alpha1.GroupProvisioningDisabledReason),
		Entry("as a bad request", http.StatusBadRequest, v1alpha1.UpstreamRejectedReason),
		Entry("as a conflict", http.StatusConflict, v1alpha1.UpstreamRejectedReason),
	)

	DescribeTable("goes when no group of ours is known, and LambdaTest does not say whether there is one",
		func(ctx SpecContext, code int) {
			w, _, _ := groupWorld(ctx)
			w.upstream.Switch(func(s *simulator.Switches) { s.GroupsOff = true })
			group := w.pushed(ctx, MakeGroup("QA").With(ada))
			Expect(group).To(BeStalled(v1alpha1.GroupProvisioningDisabledReason))
			w.relieved(ctx)
			w.upstream.Fail(code, simulator.On("GET /Groups"))

			wait := w.grouped(ctx, Deleted(ctx, k8s, group)).RequeueAfter
			w.clock.Advance(wait)
			w.grouped(ctx, group)
			w.grouped(ctx, group)

			Expect(Exists(ctx, k8s, group)).To(BeFalse())
		},
		Entry("for provisioning is off", http.StatusForbidden),
		Entry("for the name cannot be looked up", http.StatusBadRequest),
		Entry("for there is nothing to ask", http.StatusNotFound),
	)

	It("stays when its creation was sent and LambdaTest does not say what came of it", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		w.upstream.LoseNextAnswer(simulator.On("POST /Groups"))
		group := w.pushed(ctx, MakeGroup("QA").With(ada))
		w.upstream.Fail(http.StatusBadRequest, simulator.On("GET /Groups"))
		w.clock.Advance(time.Minute)

		w.grouped(ctx, Deleted(ctx, k8s, group))

		group = Fetched(ctx, k8s, group)
		Expect(group).To(BeStalled(v1alpha1.UpstreamRejectedReason))
		Expect(status.ReadyCondition(group).Message).To(ContainSubstring("deletionPolicy: Orphan"))
	})

	It("is told once when LambdaTest has nothing to look groups up in", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		w.upstream.Fail(http.StatusNotFound, simulator.On("GET /Groups"))
		w.upstream.ResetCalls()

		group := w.pushed(ctx, MakeGroup("QA").With(ada))

		Expect(group).To(BeStalled(v1alpha1.UpstreamRejectedReason))
		Expect(w.upstream.Count("GET /Groups")).To(Equal(1))
	})
})
