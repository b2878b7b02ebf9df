// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"

	"github.com/spf13/cobra"
)

var (
	plane *controlplane.ControlPlane
	k8s   client.Client
)

func TestCommands(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Command line")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	plane, err = controlplane.Start(ctx, controlplane.Options{Stdout: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { plane.Stop() })
	Expect(plane.InstallCRDs("../config/crd/bases")).To(Succeed())
	k8s, err = client.New(plane.Config(), client.Options{Scheme: scheme()})
	Expect(err).NotTo(HaveOccurred())
})

var _ = Describe("a decision about people who are held", func() {
	var organization *v1alpha1.LambdaTestOrganization

	BeforeEach(func(ctx SpecContext) {
		organization = made(ctx, "held")
		organization.Status.Guard = &v1alpha1.GuardStatus{Held: &v1alpha1.HeldSet{Token: "t-1", Count: 1, People: []string{"gone"}}}
		Expect(k8s.Status().Update(ctx, organization)).To(Succeed())
	})

	It("is made for exactly the set that was shown, after a yes", func(ctx SpecContext) {
		shown, err := called(ctx, approveCommand(), "yes\n", "--organization", organization.Name)
		Expect(err).NotTo(HaveOccurred())
		Expect(shown).To(ContainSubstring("Held back in organization held"))
		Expect(annotationsOf(ctx, organization)).To(And(HaveKeyWithValue(v1alpha1.ApproveDeprovisionAnnotation, "t-1"),
			HaveKeyWithValue(v1alpha1.DecidedByAnnotation, HavePrefix("t-1 "))))
	})

	It("is made for a part of the set, which is named by address or by resource, and says how many stay held", func(ctx SpecContext) {
		claimed(ctx, "default", "stays-1")
		claimed(ctx, "default", "goes-1")
		organization.Status.Guard.Held.People = []string{"LambdaTestGroup/admins: 3 people lose a role (18efed7adad4)", "goes-1", "stays-1"}
		organization.Status.Guard.Held.Count = 5
		Expect(k8s.Status().Update(ctx, organization)).To(Succeed())
		shown, err := called(ctx, rejectCommand(), "yes\n", "--organization", organization.Name, "--only", "GOES-1@example.com,LambdaTestGroup/admins")
		Expect(err).NotTo(HaveOccurred())
		Expect(shown).To(And(ContainSubstring("for 4 people"), ContainSubstring("Still held: 1 other person."), Not(ContainSubstring("stays-1"))))
		Expect(annotationsOf(ctx, organization)).To(HaveKeyWithValue(v1alpha1.RejectDeprovisionAnnotation, "t-1:LambdaTestGroup/admins,goes-1"))
	})

	It("is not made about somebody who is not held", func(ctx SpecContext) {
		_, err := called(ctx, approveCommand(), "", "--organization", organization.Name, "--only", "nobody", "--yes")
		Expect(err).To(MatchError("nobody is not in the held set, in which there is: gone"))
		Expect(annotationsOf(ctx, organization)).To(BeEmpty())
	})

	It("is not made without a yes", func(ctx SpecContext) {
		_, err := called(ctx, rejectCommand(), "y\n", "--organization", organization.Name)
		Expect(err).To(MatchError("nothing was changed"))
		Expect(annotationsOf(ctx, organization)).To(BeEmpty())
	})

	It("is not made when the variable for the token is empty", func(ctx SpecContext) {
		_, err := called(ctx, approveCommand(), "", "--organization", organization.Name, "--yes", "--token", "")
		Expect(err).To(MatchError(ContainSubstring("--token is empty")))
		Expect(annotationsOf(ctx, organization)).To(BeEmpty())
	})

	It("is refused when another set is held now", func(ctx SpecContext) {
		_, err := called(ctx, approveCommand(), "", "--organization", organization.Name, "--yes", "--token", "t-0")
		Expect(err).To(MatchError(ContainSubstring("the guard now holds another set, with token t-1")))
		Expect(annotationsOf(ctx, organization)).To(BeEmpty())
	})
})

// called runs a command as a person would and returns everything it prints.
func called(ctx context.Context, command *cobra.Command, typed string, args ...string) (string, error) {
	where := []string{"--kubeconfig", plane.KubeconfigPath(), "-n", "default"} // a spec's own arguments come later, and win
	return run(ctx, command, typed, append(where, args...)...)
}

func run(ctx context.Context, command *cobra.Command, typed string, args ...string) (string, error) {
	var out bytes.Buffer
	command.SetArgs(args)
	command.SetIn(strings.NewReader(typed))
	command.SetOut(&out)
	command.SetErr(&out)
	command.SilenceErrors, command.SilenceUsage = true, true
	err := command.ExecuteContext(ctx)
	return out.String(), err
}

// strangerIn returns the kubeconfig of a service account that has only these rights, in its namespace only.
func strangerIn(ctx context.Context, namespace string, rules ...rbacv1.PolicyRule) string {
	GinkgoHelper()
	account := metav1.ObjectMeta{Namespace: namespace, Name: "reader"}
	Expect(k8s.Create(ctx, &corev1.ServiceAccount{ObjectMeta: account})).To(Succeed())
	Expect(k8s.Create(ctx, &rbacv1.Role{ObjectMeta: account, Rules: rules})).To(Succeed())
	Expect(k8s.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: account,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: account.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account.Name}},
	})).To(Succeed())
	kubeconfig, err := plane.ServiceAccountKubeconfig(ctx, namespace, account.Name)
	Expect(err).NotTo(HaveOccurred())
	return kubeconfig
}

// made creates an organization, and deletes it after the spec.
func made(ctx context.Context, name string) *v1alpha1.LambdaTestOrganization {
	GinkgoHelper()
	return madeIn(ctx, "default", name)
}

func madeIn(ctx context.Context, namespace, name string) *v1alpha1.LambdaTestOrganization {
	GinkgoHelper()
	organization := &v1alpha1.LambdaTestOrganization{Spec: v1alpha1.LambdaTestOrganizationSpec{
		TokenSecretRef: v1alpha1.SecretKeyReference{Name: "lambdatest-token"},
	}}
	organization.Namespace, organization.Name = namespace, name
	Expect(k8s.Create(ctx, organization)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, organization)).To(Succeed()) })
	return organization
}

// namespace creates a namespace for one spec.
func namespace(ctx context.Context) string {
	GinkgoHelper()
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-"}}
	Expect(k8s.Create(ctx, made)).To(Succeed())
	return made.Name
}

// claimed creates a LambdaTestUser, and deletes it after the spec.
func claimed(ctx context.Context, namespace, name string, change ...func(*v1alpha1.LambdaTestUser)) *v1alpha1.LambdaTestUser {
	GinkgoHelper()
	user := declared(name, v1alpha1.RoleUser)
	user.Namespace = namespace
	for _, each := range change {
		each(&user)
	}
	Expect(k8s.Create(ctx, &user)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, &user))).To(Succeed()) })
	return &user
}

func setReady(ctx context.Context, resource conditioned, status metav1.ConditionStatus, reason, message string) {
	GinkgoHelper()
	condition := metav1.Condition{
		Type: v1alpha1.ReadyCondition, Status: status, Reason: reason, Message: message,
		ObservedGeneration: resource.GetGeneration(), LastTransitionTime: metav1.Now(),
	}
	switch object := resource.(type) {
	case *v1alpha1.LambdaTestUser:
		object.Status.ObservedGeneration, object.Status.Conditions = object.Generation, []metav1.Condition{condition}
	case *v1alpha1.LambdaTestOrganization:
		object.Status.ObservedGeneration, object.Status.Conditions = object.Generation, []metav1.Condition{condition}
	}
	Expect(k8s.Status().Update(ctx, resource)).To(Succeed())
}

func annotationsOf(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) map[string]string {
	GinkgoHelper()
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(organization), organization)).To(Succeed())
	return organization.Annotations
}
