// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// fine is the sentence for an organization that needs no attention.
const fine = "Everything is in order."

var _ = Describe("status", func() {
	var place string
	var organization *v1alpha1.LambdaTestOrganization

	BeforeEach(func(ctx SpecContext) {
		place = namespace(ctx)
		organization = madeIn(ctx, place, "default")
		inOrder(ctx, organization, func(*v1alpha1.LambdaTestOrganizationStatus) {})
	})

	It("says which resources are not ready and why, and ends with code 2 for scripts", func(ctx SpecContext) {
		user := claimed(ctx, place, "status-ada")
		setReady(ctx, user, metav1.ConditionFalse, v1alpha1.UpstreamRejectedReason, "LambdaTest refuses this.")

		shown, err := called(ctx, statusCommand(), "", "-n", place, "--exit-code")

		Expect(err).To(MatchError(ErrDifferences))
		Expect(ExitCode(err)).To(Equal(2))
		Expect(shown).To(MatchRegexp(`LambdaTestUser/status-ada +status-ada@example.com +UpstreamRejected +LambdaTest refuses this\.`))
		Expect(shown).NotTo(ContainSubstring(fine))
	})

	It("says so when everything is in order", func(ctx SpecContext) {
		shown, err := called(ctx, statusCommand(), "", "-n", place, "--exit-code")
		Expect(err).NotTo(HaveOccurred())
		Expect(shown).To(ContainSubstring(fine))
	})

	DescribeTable("does not say that everything is in order, and ends with code 2, with",
		func(ctx SpecContext, disturb func(*v1alpha1.LambdaTestOrganizationStatus), sentence string) {
			inOrder(ctx, organization, disturb)
			shown, err := called(ctx, statusCommand(), "", "-n", place, "--exit-code")
			Expect(err).To(MatchError(ErrDifferences))
			Expect(shown).NotTo(ContainSubstring(fine))
			Expect(shown).To(ContainSubstring(sentence))
		},
		Entry("an organization that is not ready", func(status *v1alpha1.LambdaTestOrganizationStatus) {
			setCondition(status, v1alpha1.ReadyCondition, metav1.ConditionFalse, v1alpha1.DuplicateOrganizationReason, "Another one uses the token.")
		}, "default: DuplicateOrganization: Another one uses the token."),
		Entry("a change of the organization that the operator has not seen", func(status *v1alpha1.LambdaTestOrganizationStatus) {
			status.ObservedGeneration = 0
		}, "not reconciled the latest change"),
		Entry("a token that is about to expire", func(status *v1alpha1.LambdaTestOrganizationStatus) {
			setCondition(status, v1alpha1.SCIMTokenWarningCondition, metav1.ConditionTrue, v1alpha1.TokenExpiringReason, "SCIM token okta expires soon.")
		}, "TokenExpiring: SCIM token okta expires soon."),
		Entry("a warning that this version does not know", func(status *v1alpha1.LambdaTestOrganizationStatus) {
			setCondition(status, "NoAdminLeft", metav1.ConditionTrue, "NoAdminLeft", "No Admin is left.")
		}, "NoAdminLeft: No Admin is left."),
		Entry("a limit of the SCIM endpoint that is reached", func(status *v1alpha1.LambdaTestOrganizationStatus) {
			status.SCIM = &v1alpha1.SCIMStatus{LimitsReached: map[string]metav1.Time{
				"people": metav1.Now(), "groups": metav1.NewTime(time.Now().Add(-25 * time.Hour)),
			}}
		}, "because these of spec.scim.limits are reached: people. Delete what is not needed"),
		Entry("attributes that the SCIM endpoint ignored", func(status *v1alpha1.LambdaTestOrganizationStatus) {
			status.SCIM = &v1alpha1.SCIMStatus{IgnoredAttributes: map[string]metav1.Time{
				"OrganizationRole": metav1.Now(), "LambdatestGroup": metav1.NewTime(time.Now().Add(-25 * time.Hour)),
			}}
		}, "the SCIM endpoint ignored: OrganizationRole. Correct the mapping at the provider: docs/okta.md, step 9."),
		Entry("provisioning that is paused", func(status *v1alpha1.LambdaTestOrganizationStatus) {
			setCondition(status, v1alpha1.SCIMPausedCondition, metav1.ConditionTrue, v1alpha1.PausedReason, "The SCIM endpoint takes only denials.")
		}, "Paused: The SCIM endpoint takes only denials."),
		Entry("people who are held", func(status *v1alpha1.LambdaTestOrganizationStatus) {
			status.Guard = &v1alpha1.GuardStatus{Held: &v1alpha1.HeldSet{Token: "t-1", Count: 1, People: []string{"ada"}}}
		}, "1 person is held back by the guard"),
		Entry("a denial that is not carried out", func(status *v1alpha1.LambdaTestOrganizationStatus) {
			status.PendingDenials = new(int32(2))
		}, "2 people are denied and can still sign in"),
		Entry("accounts that no resource claims and that may be active", func(status *v1alpha1.LambdaTestOrganizationStatus) {
			status.Unclaimed = new(int32(32))
		}, "32 accounts at LambdaTest are claimed by no resource, and may be able to sign in"),
		Entry("people who fail", func(status *v1alpha1.LambdaTestOrganizationStatus) { status.Failing = new(int32(1)) }, "FAILING"),
		Entry("an organization before its first sweep", func(status *v1alpha1.LambdaTestOrganizationStatus) { status.Unclaimed = nil }, "UNCLAIMED"),
	)

	It("knows from imported resources whether unclaimed accounts are active", func(ctx SpecContext) {
		inOrder(ctx, organization, func(status *v1alpha1.LambdaTestOrganizationStatus) { status.Unclaimed = new(int32(2)) })
		imported := func(active bool) func(*v1alpha1.LambdaTestUser) {
			return func(user *v1alpha1.LambdaTestUser) {
				user.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceImport}
				user.Spec.ManagementPolicy, user.Spec.Active = v1alpha1.ManagementObserve, new(active)
			}
		}
		off := claimed(ctx, place, "import-off", imported(false))
		other := claimed(ctx, place, "import-other", imported(false))
		setReady(ctx, off, metav1.ConditionTrue, v1alpha1.ObservedReason, "observed")
		setReady(ctx, other, metav1.ConditionTrue, v1alpha1.ObservedReason, "observed")
		Expect(called(ctx, statusCommand(), "", "-n", place, "--exit-code")).To(ContainSubstring(fine))

		other.Spec.Active = new(true)
		Expect(k8s.Update(ctx, other)).To(Succeed())
		setReady(ctx, other, metav1.ConditionTrue, v1alpha1.ObservedReason, "observed")
		shown, err := called(ctx, statusCommand(), "", "-n", place, "--exit-code")
		Expect(err).To(MatchError(ErrDifferences))
		Expect(shown).To(ContainSubstring("1 account at LambdaTest is claimed by no resource except an import, and can sign in"))
	})

	It("ends with code 2 in a namespace without an organization, such as a misspelt one", func(ctx SpecContext) {
		shown, err := called(ctx, statusCommand(), "", "-n", "no-such-namespace", "--exit-code")
		Expect(err).To(MatchError(ErrDifferences))
		Expect(shown).To(ContainSubstring("There is no LambdaTestOrganization in namespace no-such-namespace."))
	})

	It("shows only the organization that is named, and fails if it does not exist", func(ctx SpecContext) {
		madeIn(ctx, place, "staging")
		Expect(called(ctx, statusCommand(), "", "-n", place, "default", "--exit-code")).
			To(And(ContainSubstring(fine), Not(ContainSubstring("staging"))))
		_, err := called(ctx, statusCommand(), "", "-n", place, "nobody")
		Expect(err).To(MatchError("there is no LambdaTestOrganization nobody in namespace " + place))
	})

	It("says what to do when the user may not read all namespaces", func(ctx SpecContext) {
		kubeconfig := strangerIn(ctx, place)
		_, err := called(ctx, statusCommand(), "", "-A", "--kubeconfig", kubeconfig)
		Expect(err).To(MatchError(ContainSubstring("choose one with -n instead of -A")))
	})
})

// inOrder gives an organization a status that needs no attention, and then applies change to it.
func inOrder(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, change func(*v1alpha1.LambdaTestOrganizationStatus)) {
	GinkgoHelper()
	status := v1alpha1.LambdaTestOrganizationStatus{
		ObservedGeneration: organization.Generation,
		People:             new(int32(3)), Active: new(int32(3)), Synced: new(int32(3)), Failing: new(int32(0)), Drifted: new(int32(0)),
		PendingDenials: new(int32(0)), Unclaimed: new(int32(0)),
	}
	setCondition(&status, v1alpha1.ReadyCondition, metav1.ConditionTrue, v1alpha1.SyncedReason, "fine")
	change(&status)
	organization.Status = status
	Expect(k8s.Status().Update(ctx, organization)).To(Succeed())
}

func setCondition(status *v1alpha1.LambdaTestOrganizationStatus, kind string, is metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: kind, Status: is, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(time.Unix(1700000000, 0)),
	})
}
