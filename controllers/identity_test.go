// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// withTwin is a LambdaTest that shows one more account, whose userName differs from another's only in case.
type withTwin struct {
	connection.Upstream
	twin *lambdatest.User
}

func (u withTwin) ListUsers(ctx context.Context, start, count int) (lambdatest.Page[lambdatest.User], error) {
	page, err := u.Upstream.ListUsers(ctx, start, count)
	page.Items, page.Total = append(page.Items, *u.twin), page.Total+1
	return page, err
}

func (u withTwin) UpdateUser(ctx context.Context, id string, change lambdatest.UserChange) (lambdatest.User, error) {
	if id != u.twin.ID {
		return u.Upstream.UpdateUser(ctx, id, change)
	}
	u.twin.Active = *change.Active
	return *u.twin, nil
}

var _ = Describe("Who is the same person", Label("security"), func() {
	It("of two accounts that differ in case only none is changed, everybody else goes on, and a denial switches both off", Label("deny-wins"), func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true, Role: "Admin"})
		twin := &lambdatest.User{ID: "99999", UserName: "ADA@Example.com", Active: true, Role: "User"}
		dial := w.organizations.Dial
		w.organizations.Dial = func(baseURL, token string) (connection.Upstream, error) {
			upstream, err := dial(baseURL, token)
			return withTwin{upstream, twin}, err
		}
		withOrganization(ctx, w)

		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleGuest))
		grace := w.settled(ctx, MakeUser("grace@example.com").Role(v1alpha1.RoleUser))

		Expect(user).To(BeStalled(v1alpha1.AmbiguousAccountReason))
		Expect(w.account(ada)).To(And(HaveField("Active", true), HaveField("Role", "Admin")))
		Expect(grace).To(BeReady(v1alpha1.SyncedReason))
		organization := w.connected(ctx, DefaultOrganization)
		Expect(organization).To(BeReady(v1alpha1.SyncedReason))
		Expect(organization).To(HaveCondition(v1alpha1.AccountsSetAsideCondition, metav1.ConditionTrue, v1alpha1.AmbiguousAccountReason))
		Expect(w.events()).To(ContainElement(And(ContainSubstring(v1alpha1.AccountsSetAsideCondition), ContainSubstring("99999"))))

		user = w.changed(ctx, user, denied)

		Expect(w.account(ada).Active).To(BeFalse())
		Expect(twin.Active).To(BeFalse())
		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(*w.connected(ctx, DefaultOrganization).Status.PendingDenials).To(BeZero())
	})

	It("an account of another spelling is not adopted", func(ctx SpecContext) {
		w := newWorld(ctx)
		kelvin := w.upstream.AddAccount(simulator.Account{UserName: "\u212aim@example.com", Active: true, Role: "User"})
		withOrganization(ctx, w)
		w.upstream.ResetCalls()

		user := w.settled(ctx, MakeUser("kim@example.com").Active())

		Expect(user).To(BeStalled(v1alpha1.AmbiguousAccountReason))
		Expect(user.Status.AccountID).To(BeEmpty())
		Expect(w.upstream.Count("POST /Users")).To(BeZero())
		Expect(w.account("kim@example.com")).To(Equal(kelvin))
	})
})

var _ = Describe("spec.scim.maxRole", Label("security"), func() {
	capped := func(maxRole v1alpha1.Role) func(*OrganizationBuilder) {
		return func(b *OrganizationBuilder) { b.Obj().Spec.SCIM.MaxRole = maxRole }
	}

	It("Guest: a new person whom the provider gives no role is a Guest", func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx), capped(v1alpha1.RoleGuest))
		user := w.settled(ctx, MakeUser(ada).FromSCIM())
		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada).Role).To(Equal("Guest"))
	})

	It("User: the provider neither activates nor lowers an Admin, and denies one; a declared claim activates", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: ada, Role: "Admin"})
		w.upstream.AddAccount(simulator.Account{UserName: "grace@example.com", Active: true, Role: "Admin"})
		withOrganization(ctx, w, capped(v1alpha1.RoleUser))

		off := w.settled(ctx, MakeUser(ada).FromSCIM().Active())
		on := w.settled(ctx, MakeUser("grace@example.com").FromSCIM().Active().Role(v1alpha1.RoleUser))

		Expect(off).To(BeStalled(v1alpha1.RoleAboveMaximumReason))
		Expect(w.account(ada)).To(And(HaveField("Active", false), HaveField("Role", "Admin")))
		Expect(on).To(BeStalled(v1alpha1.RoleAboveMaximumReason))
		Expect(w.account("grace@example.com")).To(And(HaveField("Active", true), HaveField("Role", "Admin")))

		w.changed(ctx, on, denied)
		Expect(w.account("grace@example.com").Active).To(BeFalse())
		w.settled(ctx, MakeUser(ada).Named("git").Active())
		Expect(w.account(ada)).To(And(HaveField("Active", true), HaveField("Role", "Admin")))
	})

	It("that is raised is used at once", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: ada, Role: "Admin"})
		withOrganization(ctx, w, capped(v1alpha1.RoleUser))
		user := w.settled(ctx, MakeUser(ada).FromSCIM().Active())
		Expect(user).To(BeStalled(v1alpha1.RoleAboveMaximumReason))

		organization := MakeOrganization(DefaultOrganization).In(w.namespace).Obj()
		Changed(ctx, k8s, organization, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.SCIM.MaxRole = v1alpha1.RoleAdmin })
		w.connected(ctx, DefaultOrganization)
		w.handleWoken(ctx)

		Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada).Active).To(BeTrue())
	})

	It("a group at LambdaTest that gives more is neither taken over nor deleted by a group of the provider", func(ctx SpecContext) {
		w := newWorld(ctx)
		admin := w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true, Role: "Admin"})
		owners := w.upstream.SetGroup("Owners", []string{"Admin"}, ada)
		withOrganization(ctx, w, capped(v1alpha1.RoleGuest))

		group := w.pushed(ctx, MakeGroup("owners").FromSCIM())

		Expect(group).To(BeStalled(v1alpha1.RoleAboveMaximumReason))
		Expect(group.Status.GroupID).To(BeEmpty())
		Expect(k8s.Delete(ctx, group)).To(Succeed())
		w.grouped(ctx, group)
		Expect(w.upstreamGroup("owners")).To(Equal(owners))
		Expect(w.account(ada)).To(Equal(admin))
	})
})
