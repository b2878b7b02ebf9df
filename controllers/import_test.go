// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/imports"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// imported reconciles the import of the organization once, and then everybody's person.
func (w *world) imported(ctx context.Context) ctrl.Result {
	GinkgoHelper()
	request := ctrl.Request{NamespacedName: client.ObjectKey{Namespace: w.namespace, Name: DefaultOrganization}}
	result, err := (&imports.Reconciler{Client: k8s, Registry: w.connections}).Reconcile(ctx, request)
	Expect(err).NotTo(HaveOccurred())
	var all v1alpha1.LambdaTestUserList
	Expect(k8s.List(ctx, &all, client.InNamespace(w.namespace))).To(Succeed())
	for i := range all.Items {
		w.reconciled(ctx, &all.Items[i])
	}
	return result
}

// imports lists what was imported.
func (w *world) imports(ctx context.Context) []v1alpha1.LambdaTestUser {
	GinkgoHelper()
	var list v1alpha1.LambdaTestUserList
	Expect(k8s.List(ctx, &list, client.InNamespace(w.namespace), client.MatchingLabels{v1alpha1.SourceLabel: v1alpha1.SourceImport})).To(Succeed())
	return list.Items
}

func importing(o *OrganizationBuilder) { o.Obj().Spec.ImportUsers = v1alpha1.ImportObserve }

var _ = Describe("An account that nobody claims", Label("import"), func() {
	It("gets a resource that only observes, and is counted all the same", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: "Ada@example.com", GivenName: "Ada", Active: true, Role: "Admin"})
		withOrganization(ctx, w, importing)
		w.upstream.ResetCalls()

		w.imported(ctx)

		Expect(w.imports(ctx)).To(HaveExactElements(And(
			HaveField("Name", v1alpha1.ImportedUserName(DefaultOrganization, ada)),
			HaveField("Spec.UserName", "Ada@example.com"),
			HaveField("Spec.Name", v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Unknown"}),
			HaveField("Spec.ManagementPolicy", v1alpha1.ManagementObserve),
			HaveField("Finalizers", BeEmpty()),
			HaveField("Status.Account.Role", "Admin"),
			HaveField("Status.PlannedChanges", BeEmpty()),
		)))
		imported := w.imports(ctx)[0]
		Expect(status.ReadyCondition(&imported).Message).To(And(
			HaveSuffix(fmt.Sprintf("kubectl lambdatest export %s -n %s --organization default", imported.Name, w.namespace)),
			Not(ContainSubstring("managementPolicy")), // which nobody may change
		))
		Expect(*w.connected(ctx, DefaultOrganization).Status.Unclaimed).To(BeEquivalentTo(1))
		Expect(w.upstream.Calls()).To(BeEmpty())
	})

	It("loses it as soon as somebody claims the person", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true, Role: "Admin"})
		withOrganization(ctx, w, importing)
		w.imported(ctx)
		w.upstream.ResetCalls()

		w.settled(ctx, MakeUser(ada))

		Expect(w.imports(ctx)).To(BeEmpty())
		w.imported(ctx)
		Expect(w.imports(ctx)).To(BeEmpty())
		Expect(*w.connected(ctx, DefaultOrganization).Status.Unclaimed).To(BeZero())
		Expect(w.upstream.Writes()).To(BeZero())
	})

	It("loses it when nothing is imported any more, without a call", func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx, simulator.Population(3)), importing)
		w.imported(ctx)
		Expect(w.imports(ctx)).To(HaveLen(3))
		w.upstream.ResetCalls()

		Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(),
			func(o *v1alpha1.LambdaTestOrganization) { o.Spec.ImportUsers = v1alpha1.ImportNone })
		w.imported(ctx)

		Expect(w.imports(ctx)).To(BeEmpty())
		Expect(w.upstream.Calls()).To(BeEmpty())
	})

	It("is followed while it changes, and forgotten when it is gone", Label("sweep"), func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx, simulator.Population(5)), importing)
		w.imported(ctx)
		_, err := w.upstream.EditAccount("user-000001@example.com", func(a *simulator.Account) { a.Active = false })
		Expect(err).NotTo(HaveOccurred())
		w.upstream.RemoveAccount("user-000002@example.com")

		w.swept(ctx)
		w.imported(ctx)

		imports := w.imports(ctx)
		Expect(imports).To(HaveLen(4))
		Expect(imports).To(ContainElement(And(HaveField("Spec.UserName", "user-000001@example.com"), HaveField("Spec.Active", HaveValue(BeFalse())))))
		Expect(imports).To(HaveEach(HaveField("Status.PlannedChanges", BeEmpty())))
	})

	It("is imported a hundred at a time", func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx, simulator.Population(150)), importing)

		Expect(w.imported(ctx).RequeueAfter).To(Equal(time.Second))
		Expect(w.imports(ctx)).To(HaveLen(100))
		Expect(w.imported(ctx).RequeueAfter).To(BeZero())
		Expect(w.imports(ctx)).To(HaveLen(150))
	})

	It("is left out where the API server takes no resource for it, and tried again when that may have changed", func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx, simulator.Population(150)), importing)
		refused := 0
		refusing := interceptor.NewClient(k8s, interceptor.Funcs{Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
			refused++
			return apierrors.NewInvalid(v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.UserKind).GroupKind(), "x", nil)
		}})
		request := ctrl.Request{NamespacedName: client.ObjectKey{Namespace: w.namespace, Name: DefaultOrganization}}
		reconciler := &imports.Reconciler{Client: refusing, Registry: w.connections}
		imported := func() ctrl.Result {
			GinkgoHelper()
			result, err := reconciler.Reconcile(ctx, request)
			Expect(err).NotTo(HaveOccurred())
			return result
		}

		Expect(imported().RequeueAfter).To(Equal(time.Second))
		Expect(imported().RequeueAfter).To(BeZero())
		Expect(imported().RequeueAfter).To(BeZero())
		Expect(refused).To(Equal(150))

		w.clock.Advance(connection.RefusalPauseMax)
		imported()
		Expect(refused).To(Equal(150 + 100))
	})

	It("is neither imported nor forgotten before a sweep is complete", Label("partial-sweep"), func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx, simulator.Population(3)), importing)
		request := ctrl.Request{NamespacedName: client.ObjectKey{Namespace: w.namespace, Name: DefaultOrganization}}
		_, err := (&imports.Reconciler{Client: k8s, Registry: w.connections}).Reconcile(ctx, request)
		Expect(err).NotTo(HaveOccurred())
		w.restart()
		w.connected(ctx, DefaultOrganization)

		w.imported(ctx)

		Expect(w.imports(ctx)).To(HaveLen(3))
	})
})

var _ = Describe("With a manager running, for groups and imports", func() {
	It("a group's members follow as they get accounts, roles follow groups, and imports go when somebody claims", Label("groups", "import"), func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: grace, Active: true})
		running(ctx, w)
		organized(ctx, w, func(o *OrganizationBuilder) { importing(o.Every(time.Second)) })
		Eventually(func() int { return len(w.imports(ctx)) }).Should(Equal(1))

		group := Applied(ctx, k8s, MakeGroup("Admins").In(w.namespace).Giving(v1alpha1.RoleAdmin).With(ada, grace).Obj())
		Eventually(stored(ctx, group)).Should(HaveField("Status.PendingMembers", ConsistOf(ada)))
		user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Obj())
		second := Applied(ctx, k8s, MakeUser(grace).In(w.namespace).Obj())

		Eventually(func() []string { return memberNames(w.upstreamGroup("Admins")) }).Should(ConsistOf(ada, grace))
		Eventually(stored(ctx, user)).Should(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.Account.Role", "Admin")))
		Eventually(func() int { return len(w.imports(ctx)) }).Should(BeZero())
		Eventually(stored(ctx, second)).Should(HaveField("Status.Account.Role", "Admin"))

		younger := Applied(ctx, k8s, MakeGroup("Admins").Named("younger").In(w.namespace).With(ada).Obj())
		Eventually(stored(ctx, younger)).Should(BeStalled(v1alpha1.DuplicateDisplayNameReason))
		Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(), func(o *v1alpha1.LambdaTestOrganization) {
			o.Spec.DeprovisionGuard.Minimum = new(int32(100))
		})
		Deleted(ctx, k8s, group)
		Eventually(stored(ctx, group)).Should(BeStalled(v1alpha1.DemotionHeldReason))
		Eventually(stored(ctx, MakeOrganization(DefaultOrganization).In(w.namespace).Obj())).
			Should(HaveField("Status.Guard.Held.Count", BeEquivalentTo(2)))
		Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(), func(o *v1alpha1.LambdaTestOrganization) {
			o.Annotations = map[string]string{v1alpha1.ApproveDeprovisionAnnotation: o.Status.Guard.Held.Token}
		})
		Eventually(stored(ctx, younger)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(func() string { return w.account(ada).Role }).Should(Equal("User"))
		Expect(w.upstream.Count("DELETE /Groups/{id}")).To(BeZero())
		Eventually(stored(ctx, user)).Should(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.Account.Role", "User")))
	})
})
