// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// oddOnes creates, one after the other, the odd resources that the API server takes, and says which.
func oddOnes(ctx context.Context, crd string, from client.Object, each func(what string, name string)) {
	GinkgoHelper()
	plain, err := runtime.DefaultUnstructuredConverter.ToUnstructured(from)
	Expect(err).NotTo(HaveOccurred())
	template := &unstructured.Unstructured{Object: plain}
	delete(template.Object, "status")
	kind, err := k8s.GroupVersionKindFor(from)
	Expect(err).NotTo(HaveOccurred())
	template.SetGroupVersionKind(kind)
	taken := 0
	for _, odd := range OddResources(filepath.Join("../config/crd/bases", crd), template) {
		err := k8s.Create(ctx, odd.Object)
		if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
			continue
		}
		Expect(err).NotTo(HaveOccurred(), odd.What)
		taken++
		each(odd.What, odd.Object.GetName())
	}
	AddReportEntry("odd resources that the API server takes", taken)
	Expect(taken).To(BeNumerically(">", 30))
}

// cached answers as a cache does for names that the API server cannot even be asked for: they are not there.
func cached() client.WithWatch {
	return interceptor.NewClient(k8s, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
			if len(content.IsPathSegmentName(key.Name)) > 0 {
				return apierrors.NewNotFound(v1alpha1.Resource("things"), key.Name)
			}
			return c.Get(ctx, key, into, options...)
		},
	})
}

// expectTold expects a Ready condition that says something about the present generation, and what kstatus asks for.
func expectTold(what string, object Conditioned) {
	GinkgoHelper()
	ready := meta.FindStatusCondition(object.GetConditions(), v1alpha1.ReadyCondition)
	Expect(ready).NotTo(BeNil(), what)
	Expect(ready.Message).NotTo(BeEmpty(), what)
	Expect(ready.ObservedGeneration).To(Equal(object.GetGeneration()), what)
	Expect(KstatusViolation(object)).To(BeEmpty(), what)
}

var _ = Describe("Resources with every odd value that the schema allows", Label("odd-values"), func() {
	It("about people, are told what became of them, and go", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.through(cached(), k8s)
		oddOnes(ctx, "iam.lambdatest.io_lambdatestusers.yaml", MakeUser(ada).In(w.namespace).Orphan().Obj(), func(what, name string) {
			user := Fetched(ctx, k8s, MakeUser("x").Named(name).In(w.namespace).Obj())
			key := claims.KeyOf(user)
			for range 2 {
				_, _ = w.people.Reconcile(ctx, key)
				w.clock.Advance(time.Minute)
			}
			if Fetched(ctx, k8s, user).Status.ObservedGeneration < 0 { // who is new waits for a sweep, once there are many
				w.swept(ctx)
				_, _ = w.people.Reconcile(ctx, key)
			}
			expectTold(what, Fetched(ctx, k8s, user))

			Deleted(ctx, k8s, user)
			if user.Spec.DeletionPolicy != v1alpha1.DeletionOrphan { // the guard keeps the only person there is
				Changed(ctx, k8s, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionOrphan })
			}
			for range 2 {
				_, _ = w.people.Reconcile(ctx, key)
				w.clock.Advance(time.Minute)
			}
			Expect(Exists(ctx, k8s, user)).To(BeFalse(), what)
		})
	})

	It("about groups, are told what became of them, and go", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.through(cached(), k8s)
		oddOnes(ctx, "iam.lambdatest.io_lambdatestgroups.yaml", MakeGroup("Testers").In(w.namespace).Orphan().Obj(), func(what, name string) {
			group := Fetched(ctx, k8s, MakeGroup("x").Named(name).In(w.namespace).Obj())
			request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(group)}
			for range 2 {
				_, _ = w.groups.Reconcile(ctx, request)
				w.clock.Advance(time.Minute)
			}
			expectTold(what, Fetched(ctx, k8s, group))

			Deleted(ctx, k8s, group)
			for range 2 {
				_, _ = w.groups.Reconcile(ctx, request)
				w.clock.Advance(time.Minute)
			}
			Expect(Exists(ctx, k8s, group)).To(BeFalse(), what)
		})
	})

	It("about organizations, are told what became of them, and go", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.through(cached(), k8s)
		from := MakeOrganization("x").In(w.namespace).At(w.upstream.BaseURL()).Obj()
		oddOnes(ctx, "iam.lambdatest.io_lambdatestorganizations.yaml", from, func(what, name string) {
			organization := w.connected(ctx, name)
			expectTold(what, organization)
			Deleted(ctx, k8s, organization)
			w.connected(ctx, name)
			Expect(Exists(ctx, k8s, organization)).To(BeFalse(), what)
		})
	})
})
