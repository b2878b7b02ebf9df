// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("A read that fails is not taken for the answer that there is nothing:", Label("faulty-api"), func() {
	It("the guard begins no hour with nobody in it", Label("guard"), func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.cached.WithWatch = interceptor.NewClient(k8s, interceptor.Funcs{
			List: func(ctx context.Context, k8s client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
				var all client.ListOptions
				if all.ApplyOptions(options); all.FieldSelector != nil && strings.Contains(all.FieldSelector.String(), claims.OrganizationIndex) {
					return apierrors.NewServiceUnavailable("starting")
				}
				return k8s.List(ctx, list, options...)
			},
		})
		Deleted(ctx, k8s, people[0])

		_, err := w.people.Reconcile(ctx, claims.KeyOf(people[0]))

		Expect(err).NotTo(HaveOccurred())
		Expect(w.guarded(ctx)).To(MatchError(apierrors.IsServiceUnavailable, "IsServiceUnavailable"))
		Expect(Fetched(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj()).Status.Guard).To(BeNil())
		w.cached.WithWatch = k8s
		w.reconciled(ctx, people[0])
		Expect(Exists(ctx, k8s, people[0])).To(BeFalse())
		Expect(w.connected(ctx, DefaultOrganization).Status.Guard.Active).To(BeEquivalentTo(8))
	})

	It("the SCIM tokens of an organization stay its own", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		organization := Fetched(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj())
		secret := Fetched(ctx, k8s, MakeSecret(w.namespace, organization.SCIMTokenSecretName(), ""))
		w.organizations.Live = interceptor.NewClient(k8s, interceptor.Funcs{
			Get: func(ctx context.Context, k8s client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
				if _, whole := into.(*corev1.Secret); whole && key.Name == secret.Name {
					return apierrors.NewServiceUnavailable("starting")
				}
				return k8s.Get(ctx, key, into, options...)
			},
		})

		_, err := w.organizations.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(organization)})

		Expect(err).To(MatchError(apierrors.IsServiceUnavailable, "IsServiceUnavailable"))
		Applied(ctx, k8s, MakeSecret(w.namespace, "younger-scim-token", string(secret.Data[v1alpha1.DefaultTokenKey])))
		Applied(ctx, k8s, MakeOrganization("younger").In(w.namespace).At(w.upstream.BaseURL()).Obj())
		Expect(w.connected(ctx, "younger")).To(HaveCondition(v1alpha1.SCIMTokenWarningCondition, metav1.ConditionTrue, v1alpha1.TokenConflictReason))
	})
})
