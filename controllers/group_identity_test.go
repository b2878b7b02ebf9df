// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("Which group at LambdaTest is a resource's:", Label("groups"), func() {
	It("a group that is renamed before its id could be noted stays the same group", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		group := Applied(ctx, k8s, MakeGroup("Testers").In(w.namespace).With(ada).Obj())
		unnoted := interceptor.NewClient(k8s, interceptor.Funcs{
			SubResourcePatch: func(context.Context, client.Client, string, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
				return apiFaults[0].err
			},
		})
		w.through(unnoted, unnoted)
		w.grouped(ctx, group)
		id := w.upstreamGroup("Testers").ID
		w.through(k8s, k8s)

		group = w.regrouped(ctx, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName = "Quality" })

		Expect(w.upstreamGroup("Quality").ID).To(Equal(id))
		Expect(w.upstream.Groups()).To(HaveLen(1))
		Expect(group.Status.GroupID).To(Equal(id))
	})

	It("a resource that takes the name of one that was let go does not take its group", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		group := w.pushed(ctx, MakeGroup("Testers").With(ada))
		Changed(ctx, k8s, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.DeletionPolicy = v1alpha1.GroupDeletionOrphan })
		Deleted(ctx, k8s, group)
		w.grouped(ctx, group)
		again := MakeGroup("Quality").In(w.namespace).With(ada).Obj()
		again.Name = group.Name
		Applied(ctx, k8s, again)

		w.grouped(ctx, again)

		Expect(w.upstream.Groups()).To(HaveLen(2), "the one that was left, and the new one")
	})

	It("a group that is found under a name which another resource is about to give up stays the other's", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		first := w.pushed(ctx, MakeGroup("Testers").With(ada))
		first = Changed(ctx, k8s, first, func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName = "Quality" })
		id := first.Status.GroupID
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.swept(ctx)

		second := MakeGroup("Testers").In(w.namespace).With(ada).Obj()
		second.Name = "second"
		Applied(ctx, k8s, second)
		w.grouped(ctx, second)
		w.grouped(ctx, first)
		w.grouped(ctx, second)

		Expect(w.upstreamGroup("Quality").ID).To(Equal(id))
		Expect(w.upstreamGroup("Testers").ID).To(Equal(Fetched(ctx, k8s, second).Status.GroupID))
	})

	It("a resource that is deleted before it had a group does not take the one that another is about to rename", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		first := w.pushed(ctx, MakeGroup("Testers").With(ada))
		first = Changed(ctx, k8s, first, func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName = "Quality" })
		second := MakeGroup("Testers").In(w.namespace).With(ada).Obj()
		second.Name, second.Finalizers = "second", []string{v1alpha1.Finalizer}
		Applied(ctx, k8s, second)
		Deleted(ctx, k8s, second)
		w.restart() // nobody knows whether a former leader created a group for the second
		w.connected(ctx, DefaultOrganization)
		w.swept(ctx)

		w.grouped(ctx, second)
		w.grouped(ctx, second)
		w.grouped(ctx, first)

		Expect(w.upstreamGroup("Quality").ID).To(Equal(first.Status.GroupID))
		Expect(w.upstream.Groups()).To(HaveLen(1))
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(second), &v1alpha1.LambdaTestGroup{})).To(MatchError(apierrors.IsNotFound, "IsNotFound"))
	})
})
