// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
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

var _ = Describe("status", func() {
	It("says who is not as they should be and why, and tells a script by its exit code", func(ctx SpecContext) {
		organization := made(ctx, "status")
		stored := declared("status-ada", v1alpha1.RoleUser)
		user := &stored
		Expect(k8s.Create(ctx, user)).To(Succeed())
		setReady(ctx, organization, metav1.ConditionTrue, v1alpha1.SyncedReason, "fine")
		setReady(ctx, user, metav1.ConditionFalse, v1alpha1.UpstreamRejectedReason, "LambdaTest refuses this.")

		shown, err := called(ctx, statusCommand(), "", "--exit-code")

		Expect(err).To(MatchError(ErrDifferences))
		Expect(ExitCode(err)).To(Equal(2))
		Expect(shown).To(MatchRegexp(`LambdaTestUser/status-ada +status-ada@example.com +UpstreamRejected +LambdaTest refuses this\.`))
	})
})

var _ = Describe("a decision about people who are held", func() {
	var organization *v1alpha1.LambdaTestOrganization

	BeforeEach(func(ctx SpecContext) {
		organization = made(ctx, "held")
		organization.Status.Guard = &v1alpha1.GuardStatus{Held: &v1alpha1.HeldSet{Token: "t-1", Count: 1, People: []string{"gone"}}}
		Expect(k8s.Status().Update(ctx, organization)).To(Succeed())
	})

	It("is taken for exactly the set that was shown, once somebody says yes", func(ctx SpecContext) {
		shown, err := called(ctx, approveCommand(), "yes\n", organization.Name)
		Expect(err).NotTo(HaveOccurred())
		Expect(shown).To(ContainSubstring("Held back in organization held"))
		Expect(annotationsOf(ctx, organization)).To(HaveKeyWithValue(v1alpha1.ApproveDeprovisionAnnotation, "t-1"))
	})

	It("is not taken without a yes", func(ctx SpecContext) {
		_, err := called(ctx, rejectCommand(), "y\n", organization.Name)
		Expect(err).To(MatchError("nothing was done"))
		Expect(annotationsOf(ctx, organization)).To(BeEmpty())
	})

	It("is refused when another set is held by now", func(ctx SpecContext) {
		_, err := called(ctx, approveCommand(), "", organization.Name, "--yes", "--token", "t-0")
		Expect(err).To(MatchError(ContainSubstring("another set is held by now, its token is t-1")))
		Expect(annotationsOf(ctx, organization)).To(BeEmpty())
	})
})

var _ = Describe("token", func() {
	It("creates a token that is accepted, shows it once, and lists it by its key alone", func(ctx SpecContext) {
		organization := made(ctx, "tokens")
		shown, err := called(ctx, tokenCreateCommand(), "", organization.Name, "--key", "okta", "--expires-in", "1h")
		Expect(err).NotTo(HaveOccurred())
		token := strings.TrimSpace(strings.Split(shown, "\n")[0])
		Expect(len(token)).To(BeNumerically(">=", v1alpha1.MinSCIMTokenBytes))

		listed, err := called(ctx, tokenListCommand(), "", organization.Name)
		Expect(err).NotTo(HaveOccurred())
		Expect(listed).To(MatchRegexp(`"okta" +accepted +` + time.Now().UTC().Format("2006")))
		Expect(listed).NotTo(ContainSubstring(token))
	})

	It("does not remove the last one, which would lock the provider out", func(ctx SpecContext) {
		organization := made(ctx, "last-token")
		_, err := called(ctx, tokenCreateCommand(), "", organization.Name, "--key", "okta")
		Expect(err).NotTo(HaveOccurred())
		_, err = called(ctx, tokenRemoveCommand(), "", organization.Name, "okta")
		Expect(err).To(MatchError(ContainSubstring("the only token")))

		_, err = called(ctx, tokenRotateCommand(), "", organization.Name)
		Expect(err).NotTo(HaveOccurred())
		Expect(called(ctx, tokenRemoveCommand(), "", organization.Name, "okta")).To(ContainSubstring("is removed"))
	})
})

var _ = Describe("an organization that is not there", func() {
	It("is a clear error", func(ctx SpecContext) {
		_, err := called(ctx, planCommand(), "", "--organization", "nobody")
		Expect(err).To(MatchError(ContainSubstring("finding organization nobody in namespace default")))
	})
})

// called runs a command as a person would and returns everything it prints.
func called(ctx context.Context, command *cobra.Command, typed string, args ...string) (string, error) {
	var out bytes.Buffer
	command.SetArgs(append(args, "--kubeconfig", plane.KubeconfigPath(), "-n", "default"))
	command.SetIn(strings.NewReader(typed))
	command.SetOut(&out)
	command.SetErr(&out)
	command.SilenceErrors, command.SilenceUsage = true, true
	err := command.ExecuteContext(ctx)
	return out.String(), err
}

// made creates an organization that is gone after the spec.
func made(ctx context.Context, name string) *v1alpha1.LambdaTestOrganization {
	GinkgoHelper()
	organization := &v1alpha1.LambdaTestOrganization{Spec: v1alpha1.LambdaTestOrganizationSpec{
		TokenSecretRef: v1alpha1.SecretKeyReference{Name: "lambdatest-token"},
	}}
	organization.Namespace, organization.Name = "default", name
	Expect(k8s.Create(ctx, organization)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, organization)).To(Succeed()) })
	return organization
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
