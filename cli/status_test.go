// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"strings"
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
		setReady(ctx, user, metav1.ConditionFalse, v1alpha1.UpstreamUnavailableReason, "LambdaTest does not answer.")

		shown, err := called(ctx, statusCommand(), "", "-n", place, "--exit-code")

		Expect(err).To(MatchError(ErrDifferences))
		Expect(ExitCode(err)).To(Equal(2))
		Expect(shown).To(MatchRegexp(`LambdaTestUser/status-ada +status-ada@example.com +UpstreamUnavailable +LambdaTest does not answer\.`))
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
		}, "the guard holds 1 person who would lose access"),
		Entry("a denial that is not carried out", func(status *v1alpha1.LambdaTestOrganizationStatus) {
			status.PendingDenials = new(int32(2))
		}, "2 people are denied and can still sign in at LambdaTest, or may be able to"),
		Entry("accounts that no resource claims and that may be active", func(status *v1alpha1.LambdaTestOrganizationStatus) {
			status.Unclaimed = new(int32(32))
		}, "32 accounts at LambdaTest are claimed by no resource, and may be able to sign in"),
		Entry("people whom LambdaTest refuses", func(status *v1alpha1.LambdaTestOrganizationStatus) { status.Refused = new(int32(1)) }, "REFUSED"),
		Entry("people who fail", func(status *v1alpha1.LambdaTestOrganizationStatus) { status.Failing = new(int32(1)) }, "FAILING"),
		Entry("an organization before its first sweep", func(status *v1alpha1.LambdaTestOrganizationStatus) { status.Unclaimed = nil }, "UNCLAIMED"),
	)

	It("knows from the status whether unclaimed accounts are active", func(ctx SpecContext) {
		inOrder(ctx, organization, func(status *v1alpha1.LambdaTestOrganizationStatus) {
			status.Unclaimed, status.UnclaimedActive, status.UnclaimedAdmins = new(int32(2)), new(int32(0)), new(int32(0))
		})
		Expect(called(ctx, statusCommand(), "", "-n", place, "--exit-code")).To(ContainSubstring(fine))

		inOrder(ctx, organization, func(status *v1alpha1.LambdaTestOrganizationStatus) {
			status.Unclaimed, status.UnclaimedActive, status.UnclaimedAdmins = new(int32(2)), new(int32(1)), new(int32(1))
		})
		shown, err := called(ctx, statusCommand(), "", "-n", place, "--exit-code")
		Expect(err).To(MatchError(ErrDifferences))
		Expect(shown).To(ContainSubstring("1 account at LambdaTest is claimed by no resource and can sign in, 1 of them as Admin."))
	})

	It("shows first who is denied and can still sign in, whatever the cause, and ends with code 3", func(ctx SpecContext) {
		claimed(ctx, place, "aaron") // not ready, and before the other one in every order but urgency
		since := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		user := claimed(ctx, place, "zoe", func(user *v1alpha1.LambdaTestUser) { user.Spec.Active = new(false) })
		user.Status.DeniedAt, user.Status.AccountID = &since, "42"
		user.Status.Account = &v1alpha1.AccountState{Active: true, Role: "Admin"}
		setReady(ctx, user, metav1.ConditionFalse, v1alpha1.UpstreamUnavailableReason, "LambdaTest does not answer.")

		shown, err := called(ctx, statusCommand(), "", "-n", place, "--exit-code")

		Expect(err).To(MatchError(ErrDeniedButActive))
		Expect(ExitCode(err)).To(Equal(3))
		Expect(shown).To(HavePrefix("DENIED AND STILL ACTIVE: 1 person"))
		Expect(shown).To(MatchRegexp(`zoe@example.com +Admin +42 +2026-01-02T03:04:05Z +denied by LambdaTestUser/zoe +UpstreamUnavailable +LambdaTest does not answer\.`))
		Expect(strings.Count(shown, "zoe@example.com")).To(Equal(1), "a person is in one part only")
		Expect(shown).To(ContainSubstring("LambdaTestUser/aaron"))
	})

	It("shows people whom LambdaTest refuses apart", func(ctx SpecContext) {
		user := claimed(ctx, place, "elsewhere")
		setReady(ctx, user, metav1.ConditionFalse, v1alpha1.OwnedByAnotherOrganizationReason, "The address belongs to another organization.")
		shown, err := called(ctx, statusCommand(), "", "-n", place, "--exit-code")
		Expect(ExitCode(err)).To(Equal(2))
		Expect(shown).To(MatchRegexp(`(?s)Refused by LambdaTest.*elsewhere@example.com +OwnedByAnotherOrganization`))
		Expect(shown).NotTo(ContainSubstring("Not ready:"))
	})

	It("shows one block for each kind of change that the guard holds", func(ctx SpecContext) {
		for _, name := range []string{"gone-1", "gone-2"} {
			setReady(ctx, claimed(ctx, place, name), metav1.ConditionFalse, v1alpha1.DeprovisionHeldReason, "A long sentence.")
		}
		hour := metav1.NewTime(time.Date(2026, 1, 2, 21, 54, 0, 0, time.UTC))
		inOrder(ctx, organization, func(status *v1alpha1.LambdaTestOrganizationStatus) {
			status.Guard = &v1alpha1.GuardStatus{WindowStart: &hour, Limit: 9, Deprovisioned: 8, Demoted: 1, Held: &v1alpha1.HeldSet{
				Token: "ts46", Count: 8, People: []string{"LambdaTestGroup/admins: 5 people lose a role (18efed7adad4)", "bob: active again", "gone-1", "gone-2"},
			}}
		})
		shown, err := called(ctx, statusCommand(), "", "-n", place, "--exit-code")
		Expect(ExitCode(err)).To(Equal(2))
		Expect(shown).To(ContainSubstring("DeprovisionHeld (set ts46): the guard holds 2 people who would lose access, because the last resource about them was deleted:\n" +
			"  gone-1@example.com, gone-2@example.com\n"))
		Expect(shown).To(ContainSubstring("DemotionHeld (set ts46): the guard holds 5 people who would get a lower role"))
		Expect(shown).To(ContainSubstring("5 members of LambdaTestGroup/admins"))
		Expect(shown).To(ContainSubstring("ActivationHeld (set ts46): the guard holds 1 person who would get access back"))
		Expect(shown).To(ContainSubstring("Of the 9 who may go between 21:54 and 22:54 UTC, 9 have gone."))
		Expect(strings.Count(shown, "kubectl lambdatest approve --organization default -n "+place)).To(Equal(1))
		Expect(shown).NotTo(ContainSubstring("A long sentence."))
	})

	It("ends with code 2 in a namespace without an organization, such as a misspelt one", func(ctx SpecContext) {
		shown, err := called(ctx, statusCommand(), "", "-n", "no-such-namespace", "--exit-code")
		Expect(err).To(MatchError(ErrDifferences))
		Expect(shown).To(ContainSubstring("There is no LambdaTestOrganization in namespace no-such-namespace."))
	})

	It("shows only the organization that is named, and fails if it does not exist", func(ctx SpecContext) {
		madeIn(ctx, place, "staging")
		Expect(called(ctx, statusCommand(), "", "-n", place, "--organization", "default", "--exit-code")).
			To(And(ContainSubstring(fine), Not(ContainSubstring("staging"))))
		_, err := called(ctx, statusCommand(), "", "-n", place, "--organization", "nobody")
		Expect(err).To(MatchError("there is no LambdaTestOrganization nobody in namespace " + place + "; there is: default, staging"))
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
