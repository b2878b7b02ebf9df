// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// uncompared is a world whose organization was connected and never compared.
func uncompared(ctx context.Context, change ...func(*OrganizationBuilder)) *world {
	GinkgoHelper()
	w := newWorld(ctx)
	builder := MakeOrganization(DefaultOrganization).In(w.namespace).At(w.upstream.BaseURL())
	for _, apply := range change {
		apply(builder)
	}
	Applied(ctx, k8s, MakeSecret(w.namespace, builder.Obj().Spec.TokenSecretRef.Name, upstreamToken))
	w.connected(ctx, Applied(ctx, k8s, builder.Obj()).Name)
	return w
}

var _ = Describe("Before the first sweep, a group", Label("groups", "kstatus"), func() {
	It("says that its organization is suspended", func(ctx SpecContext) {
		w := uncompared(ctx, func(o *OrganizationBuilder) { o.Suspended() })

		Expect(w.pushed(ctx, MakeGroup("QA").With(ada))).To(BeStalled(v1alpha1.SuspendedReason))
	})

	It("says that its organization cannot be called", func(ctx SpecContext) {
		w := uncompared(ctx, func(o *OrganizationBuilder) { o.Obj().Spec.TokenSecretRef.Key = "another" })

		Expect(w.pushed(ctx, MakeGroup("QA").With(ada))).To(BeStalled(v1alpha1.OrganizationNotReadyReason))
	})

	It("says that LambdaTest refuses the token", func(ctx SpecContext) {
		w := uncompared(ctx)
		w.upstream.Fail(http.StatusUnauthorized, simulator.On("GET /Users"))
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())

		Expect(w.pushed(ctx, MakeGroup("QA").With(ada))).To(BeStalled(v1alpha1.UnauthorizedReason))
	})

	It("says what it waits for, and goes on after the sweep", func(ctx SpecContext) {
		w := uncompared(ctx)

		group := w.pushed(ctx, MakeGroup("QA"))
		Expect(group).To(BeProgressing(v1alpha1.ProgressingReason))
		Expect(w.upstream.Writes()).To(BeZero())

		w.wholeSweep(ctx)
		Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("is told to be ready, and gives its role, where groups are not pushed", Label("roles-only"), func(ctx SpecContext) {
		w := uncompared(ctx, rolesOnly)

		Expect(w.pushed(ctx, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada))).To(BeReady(v1alpha1.SyncedReason))
	})

	It("stays as it was told when a new leader begins", Label("failover", "idle"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("QA").With(ada))
		w.restart()
		w.connected(ctx, DefaultOrganization)

		w.grouped(ctx, group)

		Expect(Fetched(ctx, k8s, group).ResourceVersion).To(Equal(group.ResourceVersion))
	})
})

var _ = Describe("An event of a group", Label("groups", "messages"), func() {
	It("tells that it was created at LambdaTest", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		w.events()

		w.pushed(ctx, MakeGroup("QA").With(ada))

		Expect(w.events()).To(ContainElement("Normal Created Created the group at LambdaTest."))
	})
})

var _ = Describe("A group that is deleted while groups cannot be listed", Label("groups", "deletion", "faulty-api"), func() {
	It("is let go only after LambdaTest's group is deleted", func(ctx SpecContext) {
		for _, unnoted := range []bool{false, true} {
			w, _, _ := groupWorld(ctx)
			group := w.pushed(ctx, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada))
			if unnoted {
				group.Status = v1alpha1.LambdaTestGroupStatus{}
				Expect(k8s.Status().Update(ctx, group)).To(Succeed())
			}
			Deleted(ctx, k8s, group)
			lists := 0
			fault := interceptor.NewClient(k8s, interceptor.Funcs{
				List: func(ctx context.Context, k8s client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
					if _, groups := list.(*v1alpha1.LambdaTestGroupList); groups {
						if lists--; lists == -1 {
							return apierrors.NewServiceUnavailable("starting")
						}
					}
					return k8s.List(ctx, list, options...)
				},
			})
			w.through(fault, k8s)

			for lists = range 12 { // each of the lists fails once
				if !Exists(ctx, k8s, group) {
					break
				}
				_, _ = w.groups.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(group)})
			}
			w.through(k8s, k8s)
			w.grouped(ctx, group)

			Expect(Exists(ctx, k8s, group)).To(BeFalse())
			Expect(w.upstream.Groups()).To(BeEmpty())
			Expect(w.account(ada).Role).To(Equal("User"))
		}
	})
})
