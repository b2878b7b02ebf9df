// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// sweptPartly sweeps an organization whose list may not show all accounts, reads the others one by one, and reconciles whom that woke.
func (w *world) sweptPartly(ctx context.Context) error {
	GinkgoHelper()
	w.clock.Advance(time.Minute)
	err := w.connection().Sweep(ctx)
	w.handleWoken(ctx)
	for w.connection().ReadNext(ctx) {
		w.clock.Advance(time.Millisecond)
	}
	w.handleWoken(ctx)
	return err
}

var _ = Describe("A list of accounts that does not show all of them", Label("partial-sweep"), func() {
	const people = 30
	var w *world
	var users []*v1alpha1.LambdaTestUser
	unreliable := HaveCondition(v1alpha1.ListUnreliableCondition, metav1.ConditionTrue, v1alpha1.ReadOneByOneReason)

	// staffedWith settles everybody at a LambdaTest whose list is right, one of them denied, and then changes the list.
	staffedWith := func(ctx SpecContext, change func(*simulator.Org)) {
		GinkgoHelper()
		w = newWorld(ctx, simulator.Population(people), simulator.With(simulator.Switches{MaxPageSize: 20}))
		users = nil
		for i := range people {
			users = append(users, Applied(ctx, k8s, MakeUser(fmt.Sprintf("user-%06d@example.com", i+1)).In(w.namespace).Role(v1alpha1.RoleUser).Obj()))
		}
		withOrganization(ctx, w)
		w.handleWoken(ctx)
		Expect(w.changed(ctx, users[people-2], denied)).To(BeReady(v1alpha1.SyncedReason))
		w.connected(ctx, DefaultOrganization)
		change(w.upstream.Org)
		w.upstream.ResetCalls()
	}
	reading := func(settings simulator.Settings) func(*simulator.Org) {
		return func(o *simulator.Org) { o.MustRead(settings) }
	}
	switching := func(change func(*simulator.Switches)) func(*simulator.Org) {
		return func(o *simulator.Org) { o.Switch(change) }
	}

	DescribeTable("does not end the correction of drift, and costs no write when nothing changed", func(ctx SpecContext, change func(*simulator.Org)) {
		staffedWith(ctx, change)
		first, off, last := users[0].Spec.UserName, users[people-2].Spec.UserName, users[people-1].Spec.UserName
		for name, edit := range map[string]func(*simulator.Account){
			first: func(a *simulator.Account) { a.Role = "Admin" },
			off:   func(a *simulator.Account) { a.Active = true },
			last:  func(a *simulator.Account) { a.Role = "Guest" },
		} {
			_, err := w.upstream.EditAccount(name, edit)
			Expect(err).NotTo(HaveOccurred())
		}

		for range 3 {
			_ = w.sweptPartly(ctx) // while everybody is active, a list without inactive people shows all
		}

		Expect(w.account(first).Role).To(Equal("User"))
		Expect(w.account(last).Role).To(Equal("User"))
		Expect(w.account(off).Active).To(BeFalse())
		Expect(w.upstream.Writes()).To(Equal(3))
		Expect(w.connected(ctx, DefaultOrganization)).To(And(BeReady(v1alpha1.SyncedReason), unreliable))

		w.upstream.ResetCalls()
		written := writesOf(ctx, w.namespace)
		for range 10 {
			Expect(w.sweptPartly(ctx)).NotTo(Succeed())
			w.connected(ctx, DefaultOrganization)
		}
		Expect(w.upstream.Writes()).To(BeZero())
		Expect(writesOf(ctx, w.namespace)).To(Equal(written))
	},
		Entry("because there is no paging", reading(simulator.Settings{"list-of-users": "first-20-always"})),
		Entry("because there is no paging, and the total counts a page", reading(simulator.Settings{"list-of-users": "first-20-always", "total-results": "this-page"})),
		Entry("because the total counts a page", reading(simulator.Settings{"total-results": "this-page"})),
		Entry("because it gives all at once", reading(simulator.Settings{"list-of-users": "all-at-once", "order-of-lists": "by-change"})),
		Entry("because it leaves out inactive people", reading(simulator.Settings{"list-of-users": "pages-without-inactive"})),
		Entry("because the total is wrong", switching(func(s *simulator.Switches) { s.WrongTotals = 5 })),
		Entry("because it is cut short", switching(func(s *simulator.Switches) { s.TruncateLists = 10 })),
		Entry("because it repeats a page", switching(func(s *simulator.Switches) { s.RepeatPages = true })),
		Entry("because its pages have gaps", switching(func(s *simulator.Switches) { s.GapsInPages = 1 })),
	)

	It("is believed again after ten lists that show all", func(ctx SpecContext) {
		staffedWith(ctx, switching(func(s *simulator.Switches) { s.TruncateLists = 10 }))
		for range 2 {
			Expect(w.sweptPartly(ctx)).NotTo(Succeed())
		}
		Expect(w.connected(ctx, DefaultOrganization)).To(unreliable)
		w.upstream.Switch(func(s *simulator.Switches) { s.TruncateLists = 0 })

		for range 9 {
			Expect(w.sweptPartly(ctx)).To(Succeed())
		}
		Expect(w.connected(ctx, DefaultOrganization)).To(unreliable)
		Expect(w.sweptPartly(ctx)).To(Succeed())

		Expect(w.connected(ctx, DefaultOrganization)).To(And(BeReady(v1alpha1.SyncedReason), Not(unreliable)))
	})

	It("is no reason for a warning when it happens once", func(ctx SpecContext) {
		staffedWith(ctx, switching(func(s *simulator.Switches) { s.TruncateLists = 10 }))
		Expect(w.sweptPartly(ctx)).NotTo(Succeed())
		w.upstream.Switch(func(s *simulator.Switches) { s.TruncateLists = 0 })

		Expect(w.connected(ctx, DefaultOrganization)).To(And(BeReady(v1alpha1.SyncedReason), Not(unreliable)))
	})

	It("does not hide that an account is gone, or that many are gone at once", func(ctx SpecContext) {
		staffedWith(ctx, reading(simulator.Settings{"list-of-users": "first-20-always"}))
		gone := users[people-1].Spec.UserName
		w.upstream.RemoveAccount(gone)
		for range 2 {
			Expect(w.sweptPartly(ctx)).NotTo(Succeed())
		}
		Expect(w.account(gone).Active).To(BeTrue())

		for _, user := range users[20:] {
			w.upstream.RemoveAccount(user.Spec.UserName)
		}
		w.clock.Advance(time.Minute)
		Expect(w.connection().Sweep(ctx)).To(MatchError(ContainSubstring("10 of 30 known accounts are gone")))
		Expect(w.connected(ctx, DefaultOrganization)).To(BeStalled(v1alpha1.OrganizationChangedReason))
	})

	It("does not hide that a person is back from a sub-organization", func(ctx SpecContext) {
		staffedWith(ctx, reading(simulator.Settings{"list-of-users": "first-20-always"}))
		w.upstream.AddSubOrganization("mobile", "the-token-of-the-sub-organization")
		last := Fetched(ctx, k8s, users[people-1])
		w.upstream.SetGroup("Mobile", nil, last.Spec.UserName)
		Expect(w.upstream.MapGroup("Mobile", simulator.Mapping{Kind: simulator.SubOrganization, Target: "mobile"})).To(Succeed())
		for range 3 {
			Expect(w.sweptPartly(ctx)).NotTo(Succeed())
			Expect(Fetched(ctx, k8s, last)).To(And(BeStalled(v1alpha1.AccountMovedReason), HaveField("Status.AccountID", last.Status.AccountID)))
		}

		w.upstream.SetGroup("Mobile", nil)
		Expect(w.sweptPartly(ctx)).NotTo(Succeed())

		Expect(Fetched(ctx, k8s, last)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Writes()).To(BeZero())
	})

	It("has one token for the accounts that are gone, whichever of them it shows", Label("wrong-org", "idle"), func(ctx SpecContext) {
		staffedWith(ctx, reading(simulator.Settings{"list-of-users": "first-20-always", "order-of-lists": "another-at-each-call"}))
		for _, user := range users[22:] {
			w.upstream.RemoveAccount(user.Spec.UserName)
		}
		w.clock.Advance(time.Minute)
		Expect(w.connection().Sweep(ctx)).To(MatchError(ContainSubstring("8 of 30 known accounts are gone")))
		mismatch, _ := w.connection().Mismatch()
		w.connected(ctx, DefaultOrganization)
		w.handleWoken(ctx)
		written := writesOf(ctx, w.namespace)

		for range 5 {
			w.clock.Advance(time.Minute)
			Expect(w.connection().Sweep(ctx)).To(MatchError(ContainSubstring("known accounts are gone")))
			w.connected(ctx, DefaultOrganization)
			w.handleWoken(ctx)
			now, _ := w.connection().Mismatch()
			Expect(now).To(Equal(mismatch))
		}
		Expect(writesOf(ctx, w.namespace)).To(Equal(written))

		Expect(w.connection().ApproveMismatch(mismatch.Token)).To(BeTrue())
		Expect(w.sweptPartly(ctx)).To(MatchError(Not(ContainSubstring("known accounts are gone"))))
		_, there := w.connection().Mismatch()
		Expect(there).To(BeFalse())
	})

	It("does not make a new hire of a person whom the first sweep does not show", Label("adoption"), func(ctx SpecContext) {
		w := newWorld(ctx, simulator.Population(people), simulator.Reads(simulator.Settings{"list-of-users": "first-20-always", "total-results": "this-page"}))
		last := fmt.Sprintf("user-%06d@example.com", people)
		_, err := w.upstream.EditAccount(last, func(a *simulator.Account) { a.Role = "Admin" })
		Expect(err).NotTo(HaveOccurred())
		Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-"+DefaultOrganization, upstreamToken))
		Applied(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).At(w.upstream.BaseURL()).Obj())
		w.connected(ctx, DefaultOrganization)
		user := Applied(ctx, k8s, MakeUser(last).In(w.namespace).Obj())
		w.reconciled(ctx, user)

		Expect(w.sweptPartly(ctx)).NotTo(Succeed())

		Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(last).Role).To(Equal("Admin"))
		Expect(w.upstream.Writes()).To(BeZero())
	})
})
