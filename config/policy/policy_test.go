// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"context"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
)

var (
	plane *controlplane.ControlPlane
	// operator and restore are the two accounts that the policy names; admin is a cluster administrator.
	operator, restore, admin client.Client
)

func TestPolicy(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Admission policy")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	plane, err = controlplane.Start(ctx, controlplane.Options{ControllerManager: true, Stdout: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { plane.Stop() })
	Expect(plane.InstallCRDs("../crd/bases")).To(Succeed())
	Expect(plane.Kubectl(ctx, "apply", "--server-side", "-k", "../dev")).NotTo(BeEmpty())

	admin = clientOf("admin", "system:masters")
	operator = clientOf("system:serviceaccount:lambdatest-operator-system:lambdatest-operator", "system:masters")
	restore = clientOf("system:serviceaccount:lambdatest-operator-system:lambdatest-restore", "system:masters")
	Eventually(func() error { return admin.Create(ctx, user("scim-probe"), client.DryRunAll) }).
		Should(MatchError(apierrors.IsForbidden, "IsForbidden"), "the API server should enforce the policy soon after it is created")
})

var _ = Describe("a resource of the SCIM endpoint", func() {
	var provided *v1alpha1.LambdaTestUser

	BeforeEach(func(ctx SpecContext) {
		provided = user("scim-provided", v1alpha1.SourceSCIM)
		Expect(operator.Create(ctx, provided)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(admin.Delete(ctx, provided))).To(Succeed()) })
	})

	It("is written by the operator", func(ctx SpecContext) {
		provided.Spec.Role = v1alpha1.RoleAdmin
		Expect(operator.Update(ctx, provided)).To(Succeed())
	})

	It("is restored from a backup by the account that the policy names", func(ctx SpecContext) {
		restored := user("scim-restored", v1alpha1.SourceSCIM)
		Expect(restore.Create(ctx, restored)).To(Succeed())
		Expect(admin.Delete(ctx, restored)).To(Succeed())
	})

	DescribeTable("cannot be changed by other accounts",
		func(ctx SpecContext, message string, change func(*v1alpha1.LambdaTestUser)) {
			change(provided)
			expectForbidden(admin.Update(ctx, provided), message)
		},
		Entry("role", "Change it at the provider", func(u *v1alpha1.LambdaTestUser) { u.Spec.Role = v1alpha1.RoleAdmin }),
		Entry("active", "Change it at the provider", func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(true) }),
		Entry("a field removed", "Change it at the provider", func(u *v1alpha1.LambdaTestUser) { u.Spec.ExternalID = "" }),
		Entry("label changed", "cannot be added, changed or removed", func(u *v1alpha1.LambdaTestUser) {
			u.Labels[v1alpha1.SourceLabel] = v1alpha1.SourceImport
		}),
		Entry("label removed", "cannot be added, changed or removed", func(u *v1alpha1.LambdaTestUser) { u.Labels = nil }),
		Entry("back to Deactivate", "Change it at the provider", func(u *v1alpha1.LambdaTestUser) {
			u.Spec.DeletionPolicy = v1alpha1.DeletionOrphan
			Expect(admin.Update(context.WithoutCancel(GinkgoT().Context()), u)).To(Succeed())
			u.Spec.DeletionPolicy = v1alpha1.DeletionDeactivate
		}),
	)

	It("may be orphaned, annotated and deleted by accounts with the right to do so", func(ctx SpecContext) {
		provided.Spec.DeletionPolicy = v1alpha1.DeletionOrphan
		provided.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
		provided.Finalizers = nil
		Expect(admin.Update(ctx, provided)).To(Succeed())
		Expect(admin.Delete(ctx, provided)).To(Succeed())
	})

	It("is not overwritten by a forced server-side apply from Git", func(ctx SpecContext) {
		applied := user(provided.Name, v1alpha1.SourceSCIM)
		applied.Spec.Role = v1alpha1.RoleAdmin
		applied.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.UserKind))
		expectForbidden(admin.Patch(ctx, applied, client.Apply, client.ForceOwnership, client.FieldOwner("flux")), "Change it at the provider") //nolint:staticcheck // typed apply needs nothing else here
	})

	It("cannot be imitated with its label or its name", func(ctx SpecContext) {
		expectForbidden(admin.Create(ctx, user("posing", v1alpha1.SourceSCIM)), "kubectl lambdatest export")
		expectForbidden(admin.Create(ctx, user("posing", v1alpha1.SourceImport)), "kubectl lambdatest export")
		expectForbidden(admin.Create(ctx, user("scim-posing")), "names that begin with scim- or import-")
		expectForbidden(admin.Create(ctx, user("import-posing")), "names that begin with scim- or import-")
		posing := user("")
		posing.GenerateName = "scim-"
		expectForbidden(admin.Create(ctx, posing), "names that begin with scim- or import-")
	})

	It("is protected also if it is a group", func(ctx SpecContext) {
		expectForbidden(admin.Create(ctx, group("posing", v1alpha1.SourceSCIM)), "kubectl lambdatest export")
		provided := group("scim-group", v1alpha1.SourceSCIM)
		Expect(operator.Create(ctx, provided)).To(Succeed())
		provided.Spec.Members = []string{"ada@example.com"}
		expectForbidden(admin.Update(ctx, provided), "Change it at the provider")
		Expect(admin.Delete(ctx, provided)).To(Succeed())
	})
})

var _ = Describe("a declared resource", func() {
	It("may be written by its owner, without the label", func(ctx SpecContext) {
		declared := user("declared")
		Expect(admin.Create(ctx, declared)).To(Succeed())
		declared.Spec.Role = v1alpha1.RoleGuest
		Expect(admin.Update(ctx, declared)).To(Succeed())
		declared.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
		expectForbidden(admin.Update(ctx, declared), "cannot be added, changed or removed")
		Expect(admin.Delete(ctx, declared)).To(Succeed())
	})
})

func expectForbidden(err error, message string) {
	GinkgoHelper()
	Expect(err).To(MatchError(apierrors.IsForbidden, "IsForbidden"))
	Expect(err).To(MatchError(ContainSubstring(message)))
}

func clientOf(name string, groups ...string) client.Client {
	GinkgoHelper()
	config, err := plane.ConfigFor(name, groups...)
	Expect(err).NotTo(HaveOccurred())
	scheme := runtime.NewScheme()
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	made, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return made
}

func user(name string, source ...string) *v1alpha1.LambdaTestUser {
	return &v1alpha1.LambdaTestUser{
		ObjectMeta: meta(name, source...),
		Spec: v1alpha1.LambdaTestUserSpec{
			UserName:   "ada@example.com",
			ExternalID: "00u1",
			Name:       v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"},
		},
	}
}

func group(name string, source ...string) *v1alpha1.LambdaTestGroup {
	return &v1alpha1.LambdaTestGroup{ObjectMeta: meta(name, source...), Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "Testers"}}
}

func meta(name string, source ...string) metav1.ObjectMeta {
	object := metav1.ObjectMeta{Namespace: "default", Name: name}
	for _, source := range source {
		object.Labels = map[string]string{v1alpha1.SourceLabel: source}
	}
	return object
}
