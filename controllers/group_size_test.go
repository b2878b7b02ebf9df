// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("A group of ten thousand", Label("groups", "size"), func() {
	It("is one POST, a change of it one PATCH, and finding a member's role does not depend on its size", func(ctx SpecContext) {
		const size = 10_000
		w := newWorld(ctx, simulator.Population(size))
		running(ctx, w)
		organized(ctx, w, func(o *OrganizationBuilder) { o.Every(time.Hour) })
		Eventually(stored(ctx, MakeOrganization(DefaultOrganization).In(w.namespace).Obj())).
			Should(HaveField("Status.Unclaimed", HaveValue(BeEquivalentTo(size))))
		members := make([]string, size)
		for i := range members {
			members[i] = fmt.Sprintf("user-%06d@example.com", i+1)
		}

		begun := time.Now()
		group := Applied(ctx, k8s, MakeGroup("Everybody").In(w.namespace).Giving(v1alpha1.RoleGuest).With(members...).Obj())
		Eventually(stored(ctx, group)).Should(HaveField("Status.Members", HaveValue(BeEquivalentTo(size))))
		AddReportEntry("from creation to LambdaTest and status", time.Since(begun))

		begun = time.Now()
		Changed(ctx, k8s, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members = members[1:] })
		Eventually(stored(ctx, group)).Should(HaveField("Status.Members", HaveValue(BeEquivalentTo(size-1))))
		AddReportEntry("a member less", time.Since(begun))
		Expect(w.upstream.Count("POST /Groups") + w.upstream.Count("PATCH /Groups/{id}")).To(Equal(2))

		begun = time.Now()
		user := Applied(ctx, k8s, MakeUser(members[size-1]).In(w.namespace).Obj())
		Eventually(stored(ctx, user)).WithPolling(10 * time.Millisecond).Should(And(
			BeReady(v1alpha1.SyncedReason), HaveField("Status.Account.Role", "Guest")))
		AddReportEntry("a claim about one of its members", time.Since(begun))
		Expect(Fetched(ctx, k8s, user).Status.Effective.RoleFrom).To(Equal("LambdaTestGroup/everybody"))
		Expect(w.upstream.Writes()).To(Equal(2), "nobody is written besides")
	})
})

var _ = Describe("A long group whose members the cache left out", Label("groups", "size"), func() {
	const size = 1000
	members := make([]string, size)
	for i := range members {
		members[i] = fmt.Sprintf("user-%06d@example.com", i+1)
	}

	It("of an organization that is open gives its role to people who are there already", func(ctx SpecContext) {
		w := newWorld(ctx, simulator.Population(size))
		running(ctx, w)
		organized(ctx, w, func(o *OrganizationBuilder) { o.Every(time.Hour).Obj().Spec.GroupMode = v1alpha1.GroupRolesOnly })
		member := Applied(ctx, k8s, MakeUser(members[7]).In(w.namespace).Role(v1alpha1.RoleGuest).Obj())
		Eventually(stored(ctx, member)).Should(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.Account.Role", "Guest")))
		Applied(ctx, k8s, MakeGroup("Everybody").In(w.namespace).Giving(v1alpha1.RoleAdmin).With(members...).Obj())
		Eventually(stored(ctx, member)).Should(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.Account.Role", "Admin"),
			HaveField("Status.Effective.RoleFrom", "LambdaTestGroup/everybody")))
	})

	It("is pushed with all members once the organization is there, and waits again when the organization goes and returns", func(ctx SpecContext) {
		w := newWorld(ctx, simulator.Population(size))
		running(ctx, w)
		group := Applied(ctx, k8s, MakeGroup("Everybody").In(w.namespace).Giving(v1alpha1.RoleAdmin).With(members...).Obj())
		member := Applied(ctx, k8s, MakeUser(members[7]).In(w.namespace).Role(v1alpha1.RoleGuest).Obj())
		Eventually(stored(ctx, group)).Should(BeStalled(v1alpha1.OrganizationNotFoundReason))

		organized(ctx, w)
		Eventually(stored(ctx, group)).Should(HaveField("Status.Members", HaveValue(BeEquivalentTo(size))))
		Eventually(stored(ctx, member)).Should(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.Account.Role", "Admin")))
		Expect(w.upstream.Count("PATCH /Users/{id}")).To(BeZero(), "the member became Guest in between")

		organization := MakeOrganization(DefaultOrganization).In(w.namespace).At(w.upstream.BaseURL()).Obj()
		Expect(k8s.Delete(ctx, organization)).To(Succeed())
		Changed(ctx, k8s, organization, func(o *v1alpha1.LambdaTestOrganization) { o.Finalizers = nil })
		Eventually(stored(ctx, group)).Should(BeStalled(v1alpha1.OrganizationNotFoundReason))
		writes := w.upstream.Writes()

		Applied(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).At(w.upstream.BaseURL()).Obj())
		Eventually(stored(ctx, group)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(stored(ctx, member)).Should(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.Account.Role", "Admin")))
		Consistently(w.upstream.Writes).WithTimeout(time.Second).Should(Equal(writes), "something changed although nothing is different")
	})
})
