// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("A person whom the mapping of a group moves to a sub-organization", Label("sweep"), func() {
	const people = 10
	var w *world
	var sub *simulator.Org
	var users []*v1alpha1.LambdaTestUser
	var first string

	// connectedWith sets how LambdaTest answers about a moved person, by id and by filter.
	connectedWith := func(ctx SpecContext, setting string) {
		GinkgoHelper()
		w = connectedWorld(ctx, simulator.Reads(simulator.Settings{"member-of-sub-organization": setting}))
		sub = w.upstream.AddSubOrganization("mobile", "the-token-of-the-sub-organization")
		users = nil
		for i := range people {
			users = append(users, w.settled(ctx, MakeUser(fmt.Sprintf("person-%d@example.com", i)).Role(v1alpha1.RoleUser)))
		}
		first = users[0].Spec.UserName
		w.upstream.SetGroup("Mobile", nil)
		Expect(w.upstream.MapGroup("Mobile", simulator.Mapping{Kind: simulator.SubOrganization, Target: "mobile"})).To(Succeed())
	}
	moveTo := func(many int) {
		GinkgoHelper()
		var moved []string
		for _, user := range users[:many] {
			moved = append(moved, user.Spec.UserName)
		}
		w.upstream.SetGroup("Mobile", nil, moved...)
		w.upstream.ResetCalls()
	}
	move := func() { moveTo(1) }
	comeBack := func() { w.upstream.SetGroup("Mobile", nil) }

	DescribeTable("is reported as moved, not created again, and taken back", func(ctx SpecContext, setting string) {
		connectedWith(ctx, setting)
		id := users[0].Status.AccountID
		move()
		for range 3 {
			w.swept(ctx)
			w.retried(ctx, 0)
			Expect(w.again(ctx, users[0])).To(And(BeStalled(v1alpha1.AccountMovedReason), HaveField("Status.AccountID", id)))
		}
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.swept(ctx)
		Expect(w.again(ctx, users[0])).To(And(BeStalled(v1alpha1.AccountMovedReason), HaveField("Status.AccountID", id)))
		Expect(w.upstream.Writes()).To(BeZero())

		comeBack()
		w.swept(ctx)
		Expect(w.again(ctx, users[0])).To(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.AccountID", id)))
		Expect(w.upstream.Writes()).To(BeZero())
	}, Entry("answered 400", "400"), Entry("answered 404", "404"))

	DescribeTable("is DeniedButActive when denied, and counted, because no call reaches the account", Label("denied-but-active"), func(ctx SpecContext, setting string, swept bool) {
		connectedWith(ctx, setting)
		move()
		if swept {
			w.swept(ctx)
		}
		users[0] = w.changed(ctx, users[0], denied)
		Expect(users[0]).To(BeStalled(v1alpha1.DeniedButActiveReason))
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.swept(ctx)
		Expect(w.again(ctx, users[0])).To(BeStalled(v1alpha1.DeniedButActiveReason))
		Expect(w.connected(ctx, DefaultOrganization).Status.PendingDenials).To(HaveValue(BeNumerically("==", 1)))

		comeBack()
		w.swept(ctx)
		Expect(w.again(ctx, users[0])).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(first).Active).To(BeFalse())
	},
		Entry("answered 400, before a sweep", "400", false), Entry("answered 400, after a sweep", "400", true),
		Entry("answered 404, before a sweep", "404", false), Entry("answered 404, after a sweep", "404", true),
	)

	It("stays denied without an alarm if the account was off before", func(ctx SpecContext) {
		connectedWith(ctx, "400")
		users[0] = w.changed(ctx, users[0], denied)
		Expect(users[0]).To(BeReady(v1alpha1.SyncedReason))
		move()
		w.swept(ctx)
		Expect(w.again(ctx, users[0])).To(BeReady(v1alpha1.SyncedReason))
	})

	It("keeps the id of the account in the status while LambdaTest cannot be asked where the account is", Label("denied-but-active"), func(ctx SpecContext) {
		connectedWith(ctx, "400")
		id := users[0].Status.AccountID
		move()
		w.clock.Advance(time.Second)
		Expect(w.connection().Sweep(ctx)).To(Succeed())
		w.upstream.Fail(http.StatusServiceUnavailable)
		w.handleWoken(ctx)
		Expect(Fetched(ctx, k8s, users[0])).To(And(BeProgressing(v1alpha1.UpstreamUnavailableReason), HaveField("Status.AccountID", id)))
		w.upstream.ClearFaults()

		w.relieved(ctx)
		users[0] = w.changed(ctx, users[0], denied)

		Expect(users[0]).To(And(BeStalled(v1alpha1.DeniedButActiveReason), HaveField("Status.AccountID", id)))
	})

	It("costs one read in each sweep, and no other call, while LambdaTest lists the account and refuses all calls about it", Label("idle"), func(ctx SpecContext) {
		connectedWith(ctx, "400")
		w.upstream.MustRead(simulator.Settings{"member-of-sub-organization-in-list": "listed"})
		move()
		users[0] = w.changed(ctx, users[0], denied)
		Expect(users[0]).To(BeStalled(v1alpha1.DeniedButActiveReason))
		w.swept(ctx)
		w.connected(ctx, DefaultOrganization)
		written := writesOf(ctx, w.namespace)
		w.upstream.ResetCalls()

		for range 10 {
			w.swept(ctx)
			w.connected(ctx, DefaultOrganization)
		}

		Expect(w.upstream.Count("GET /Users/{id}")).To(Equal(10))
		Expect(w.upstream.Count("PATCH /Users/{id}")).To(BeZero())
		Expect(writesOf(ctx, w.namespace)).To(Equal(written))
		comeBack()
		w.swept(ctx)
		Expect(w.again(ctx, users[0])).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(first).Active).To(BeFalse())
	})

	It("is understood when LambdaTest refuses with pages of HTML", Label("denied-but-active"), func(ctx SpecContext) {
		connectedWith(ctx, "404")
		w.upstream.MustRead(simulator.Settings{"errors": "html"})
		move()
		w.swept(ctx)
		Expect(w.again(ctx, users[0])).To(BeStalled(v1alpha1.AccountMovedReason))

		users[0] = w.changed(ctx, users[0], denied)

		Expect(users[0]).To(BeStalled(v1alpha1.DeniedButActiveReason))
		Expect(w.connected(ctx, DefaultOrganization).Status.PendingDenials).To(HaveValue(BeNumerically("==", 1)))
	})

	It("keeps the resource that is deleted until somebody decides about the account", Label("deletion"), func(ctx SpecContext) {
		connectedWith(ctx, "400")
		move()
		w.swept(ctx)
		Expect(w.again(ctx, Deleted(ctx, k8s, users[0]))).To(BeStalled(v1alpha1.AccountMovedReason))
		account, there := sub.Account(first)
		Expect(there).To(BeTrue())
		Expect(account.Active).To(BeTrue())
	})

	DescribeTable("stops nothing for the others when a mapping moves many at once", Label("wrong-org"), func(ctx SpecContext, setting string) {
		connectedWith(ctx, setting)
		moveTo(4)

		w.swept(ctx)

		for _, user := range users[:4] {
			Expect(w.again(ctx, user)).To(And(BeStalled(v1alpha1.AccountMovedReason), HaveField("Status.AccountID", user.Status.AccountID)))
		}
		Expect(w.upstream.Writes()).To(BeZero())
		Expect(w.connected(ctx, DefaultOrganization)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.changed(ctx, users[9], wants(v1alpha1.RoleAdmin))).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.settled(ctx, MakeUser("grace@example.com").Role(v1alpha1.RoleUser))).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Writes()).To(Equal(2))
	}, Entry("answered 400", "400"), Entry("answered 404", "404"))

	It("stops everything when most people are elsewhere, as with the token of the sub-organization", Label("wrong-org"), func(ctx SpecContext) {
		connectedWith(ctx, "400")
		moveTo(6)
		w.clock.Advance(time.Second)

		Expect(w.connection().Sweep(ctx)).To(MatchError(ContainSubstring("6 of 10 known accounts are gone")))

		Expect(w.connected(ctx, DefaultOrganization)).To(BeStalled(v1alpha1.OrganizationChangedReason))
	})

	It("is no known account after a restart, however many have moved over time", Label("wrong-org", "failover"), func(ctx SpecContext) {
		connectedWith(ctx, "400")
		for _, many := range []int{4, 6} {
			moveTo(many)
			w.swept(ctx)
			for _, user := range users[:many] {
				Expect(w.again(ctx, user)).To(BeStalled(v1alpha1.AccountMovedReason))
			}
		}
		w.restart()
		w.connected(ctx, DefaultOrganization)

		w.swept(ctx)

		for _, user := range users[:6] {
			Expect(w.again(ctx, user)).To(And(BeStalled(v1alpha1.AccountMovedReason), HaveField("Status.AccountID", user.Status.AccountID)))
		}
		Expect(w.upstream.Writes()).To(BeZero())
	})

	It("stays a member of the group that moves them, so that nothing brings the account back", Label("groups"), func(ctx SpecContext) {
		connectedWith(ctx, "404")
		second := users[1].Spec.UserName
		group := w.pushed(ctx, MakeGroup("Mobile").With(first))
		w.wholeSweep(ctx)
		Expect(w.again(ctx, users[0])).To(BeStalled(v1alpha1.AccountMovedReason))

		group = w.regrouped(ctx, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members = []string{first, second} })

		Expect(w.upstreamGroup("Mobile").Members).To(HaveLen(2))
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.wholeSweep(ctx)
		w.grouped(ctx, group)
		Expect(w.upstreamGroup("Mobile").Members).To(HaveLen(2))
		_, there := sub.Account(first)
		Expect(there).To(BeTrue())
		w.regrouped(ctx, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members = []string{second} })
		Expect(w.account(first).Active).To(BeTrue(), "who leaves the group comes back")
	})

	It("is DeniedButActive when LambdaTest shows the account and refuses to deactivate it", Label("denied-but-active"), func(ctx SpecContext) {
		connectedWith(ctx, "shown-read-only")
		w.upstream.MustRead(simulator.Settings{"member-of-sub-organization-in-list": "listed"})
		move()
		w.swept(ctx)

		users[0] = w.changed(ctx, users[0], denied)

		Expect(users[0]).To(BeStalled(v1alpha1.DeniedButActiveReason))
		Expect(w.connected(ctx, DefaultOrganization).Status.PendingDenials).To(HaveValue(BeNumerically("==", 1)))
	})
})
