// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/group"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// named changes the displayNames of several groups, as one apply does, and reconciles none of them.
func named(ctx context.Context, names map[*v1alpha1.LambdaTestGroup]string) {
	GinkgoHelper()
	for group, name := range names {
		Changed(ctx, k8s, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName = name })
	}
}

// settledGroups reconciles groups as the queue does, until each is what it will be.
func (w *world) settledGroups(ctx context.Context, groups ...*v1alpha1.LambdaTestGroup) {
	GinkgoHelper()
	for range 4 {
		w.clock.Advance(group.DuplicateGrace)
		for _, group := range groups {
			w.grouped(ctx, group)
		}
		w.wokenGroups(ctx)
	}
}

var _ = Describe("The displayNames of groups", Label("groups", "names"), func() {
	It("exchanged by two are exchanged at LambdaTest: one makes room, and each keeps id, members and roles", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		a := w.pushed(ctx, MakeGroup("a").Giving(v1alpha1.RoleAdmin).With(ada))
		b := w.pushed(ctx, MakeGroup("b").Giving(v1alpha1.RoleGuest).With(grace))
		w.upstream.ResetCalls()

		named(ctx, map[*v1alpha1.LambdaTestGroup]string{a: "b", b: "a"})
		w.settledGroups(ctx, b, a)

		Expect(w.upstreamGroup("b")).To(And(HaveField("ID", a.Status.GroupID), HaveField("Roles", ConsistOf("Admin")), WithTransform(memberNames, ConsistOf(ada))))
		Expect(w.upstreamGroup("a")).To(And(HaveField("ID", b.Status.GroupID), HaveField("Roles", ConsistOf("Guest")), WithTransform(memberNames, ConsistOf(grace))))
		Expect(Fetched(ctx, k8s, a)).To(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.GroupID", a.Status.GroupID)))
		Expect(Fetched(ctx, k8s, b)).To(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.GroupID", b.Status.GroupID)))
		Expect(w.upstream.Groups()).To(HaveLen(2))
		Expect(w.upstream.Counts()).To(HaveKeyWithValue("PATCH /Groups/{id}", 3), "one makes room, and each takes its name")
		Expect(w.upstream.Writes()).To(Equal(3))
		Expect(w.account(ada).Role).To(Equal("Admin"))
	})

	It("exchanged in a circle are so whichever is looked at first, also when the leader changes in between", Label("failover"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		groups := []*v1alpha1.LambdaTestGroup{
			w.pushed(ctx, MakeGroup("a").With(ada)), w.pushed(ctx, MakeGroup("b").With(grace)), w.pushed(ctx, MakeGroup("c")),
		}
		w.upstream.ResetCalls()
		named(ctx, map[*v1alpha1.LambdaTestGroup]string{groups[0]: "b", groups[1]: "c", groups[2]: "a"})
		for i := range groups {
			w.grouped(ctx, groups[2-i])
		}
		Expect(w.upstream.Groups()).To(ContainElement(HaveField("DisplayName", group.AsideName(groups[0].Status.GroupID))))
		Expect(Fetched(ctx, k8s, groups[0])).To(And(BeProgressing(v1alpha1.ProgressingReason), HaveField("Status.GroupID", groups[0].Status.GroupID)))

		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.wholeSweep(ctx)
		w.settledGroups(ctx, groups...)

		for name, group := range map[string]*v1alpha1.LambdaTestGroup{"b": groups[0], "c": groups[1], "a": groups[2]} {
			Expect(w.upstreamGroup(name).ID).To(Equal(group.Status.GroupID), name)
			Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason), name)
		}
		Expect(w.upstream.Groups()).To(HaveLen(3))
		Expect(w.upstream.Count("POST /Groups") + w.upstream.Count("DELETE /Groups/{id}")).To(BeZero())
	})

	It("taken from a younger one that is renamed in the same apply leave nothing behind", func(ctx SpecContext) {
		w, first, _ := groupWorld(ctx)
		old := w.pushed(ctx, MakeGroup("old"))
		young := w.pushed(ctx, MakeGroup("young").Giving(v1alpha1.RoleAdmin).With(ada))
		w.upstream.ResetCalls()

		named(ctx, map[*v1alpha1.LambdaTestGroup]string{old: "young", young: "young-legacy"})
		w.settledGroups(ctx, old, young)

		Expect(w.upstreamGroup("young").ID).To(Equal(old.Status.GroupID))
		Expect(w.upstreamGroup("young-legacy").ID).To(Equal(young.Status.GroupID))
		Expect(w.upstream.Writes()).To(Equal(2))

		for _, group := range []*v1alpha1.LambdaTestGroup{old, young} {
			w.grouped(ctx, Deleted(ctx, k8s, group))
			w.grouped(ctx, group)
		}
		w.wholeSweep(ctx)

		Expect(w.upstream.Groups()).To(BeEmpty())
		Expect(w.account(ada).Role).To(Equal("User"))
		Expect(Fetched(ctx, k8s, first)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("taken from a younger one: that is set aside and gives no role, comes back with its next name, and goes with its resource", func(ctx SpecContext) {
		for _, deleted := range []bool{false, true} {
			w, _, _ := groupWorld(ctx)
			old := w.pushed(ctx, MakeGroup("old").With(grace))
			young := w.pushed(ctx, MakeGroup("young").Giving(v1alpha1.RoleAdmin).With(ada))

			named(ctx, map[*v1alpha1.LambdaTestGroup]string{old: "young"})
			w.grouped(ctx, young)
			Expect(w.upstreamGroup("young").ID).To(Equal(young.Status.GroupID), "one apply passes through states in which two have one name")
			w.settledGroups(ctx, old, young)

			Expect(w.upstreamGroup("young").ID).To(Equal(old.Status.GroupID))
			Expect(Fetched(ctx, k8s, old)).To(BeReady(v1alpha1.SyncedReason))
			young = Fetched(ctx, k8s, young)
			aside := group.AsideName(young.Status.GroupID)
			Expect(young).To(BeStalled(v1alpha1.DuplicateDisplayNameReason))
			Expect(status.ReadyCondition(young).Message).To(ContainSubstring(aside))
			Expect(w.upstreamGroup(aside)).To(And(HaveField("ID", young.Status.GroupID), HaveField("Roles", BeEmpty()), WithTransform(memberNames, ConsistOf(ada))))
			Expect(w.account(ada).Role).To(Equal("User"))

			if deleted {
				w.grouped(ctx, Deleted(ctx, k8s, young))
				Expect(Exists(ctx, k8s, young)).To(BeFalse())
				Expect(w.upstream.Groups()).To(HaveLen(1))
				continue
			}
			w.upstream.ResetCalls()
			w.regrouped(ctx, young, func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName = "younger" })
			Expect(w.upstreamGroup("younger")).To(And(HaveField("ID", young.Status.GroupID), HaveField("Roles", ConsistOf("Admin"))))
			Expect(w.account(ada).Role).To(Equal("Admin"))
			Expect(w.upstream.Writes()).To(Equal(1))
		}
	})

	It("waited for keep nobody in a group, or a role, that was taken away meanwhile", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		old := w.pushed(ctx, MakeGroup("old").Giving(v1alpha1.RoleAdmin).With(ada, grace))
		w.pushed(ctx, MakeGroup("young"))
		w.upstream.ResetCalls()

		old = w.regrouped(ctx, old, func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName, g.Spec.Members = "young", []string{grace} })

		Expect(old).To(BeProgressing(v1alpha1.ProgressingReason))
		Expect(memberNames(w.upstreamGroup("old"))).To(ConsistOf(grace))
		Expect(w.account(ada).Role).To(Equal("User"))
		Expect(w.upstream.Writes()).To(Equal(1))
	})

	It("taken from a younger one that is deleted before it is set aside leave nothing behind", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		old := w.pushed(ctx, MakeGroup("old").With(grace))
		young := w.pushed(ctx, MakeGroup("young").Giving(v1alpha1.RoleAdmin).With(ada))
		named(ctx, map[*v1alpha1.LambdaTestGroup]string{old: "young"})
		w.grouped(ctx, old)
		Expect(Fetched(ctx, k8s, old)).To(BeProgressing(v1alpha1.ProgressingReason))

		w.grouped(ctx, Deleted(ctx, k8s, young))
		w.wokenGroups(ctx)

		Expect(w.upstream.Groups()).To(ConsistOf(And(HaveField("ID", old.Status.GroupID), HaveField("DisplayName", "young"))))
		Expect(Fetched(ctx, k8s, old)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada).Role).To(Equal("User"))
	})

	It("inherited by a duplicate are its own from then on, also when it is renamed at once", Label("duplicate"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		older := w.pushed(ctx, MakeGroup("QA").Named("older").Giving(v1alpha1.RoleAdmin).With(ada))
		younger := w.pushed(ctx, MakeGroup("QA").Named("younger").With(ada))
		w.upstream.ResetCalls()

		w.grouped(ctx, Deleted(ctx, k8s, older))
		named(ctx, map[*v1alpha1.LambdaTestGroup]string{younger: "Quality"})
		w.settledGroups(ctx, younger)

		Expect(w.upstream.Groups()).To(ConsistOf(And(
			HaveField("ID", older.Status.GroupID), HaveField("DisplayName", "Quality"), HaveField("Roles", BeEmpty()))))
		Expect(w.upstream.Writes()).To(Equal(1))
		Expect(w.account(ada).Role).To(Equal("User"))
	})

	It("that LambdaTest's groups have for a moment are short enough for any id", func() {
		Expect(len(group.AsideName(strings.Repeat("9", 100)))).To(BeNumerically("<", 256))
	})
})
