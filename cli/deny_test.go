// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

var _ = Describe("a denial by hand", func() {
	var place string
	denial := &v1alpha1.LambdaTestUser{}

	BeforeEach(func(ctx SpecContext) {
		place = namespace(ctx)
		madeIn(ctx, place, "default")
		denial = &v1alpha1.LambdaTestUser{ObjectMeta: metav1.ObjectMeta{Namespace: place, Name: "deny-ada-at-example.com"}}
	})
	stored := func(ctx SpecContext) error { return k8s.Get(ctx, client.ObjectKeyFromObject(denial), denial) }

	It("is a resource with nothing but the address, the reason and who denied", func(ctx SpecContext) {
		shown, err := called(ctx, denyCommand(), "", "-n", place, "ada@example.com", "--reason", "laptop stolen", "--wait", "0")
		Expect(err).NotTo(HaveOccurred())
		Expect(shown).To(Equal("ada@example.com is denied, by LambdaTestUser/deny-ada-at-example.com. No other resource can let the person in.\n"))
		Expect(stored(ctx)).To(Succeed())
		Expect(denial.Spec.Active).To(HaveValue(BeFalse()))
		Expect(denial.Spec.Name).To(BeZero())
		Expect(denial.Spec.Role).To(BeEmpty())
		Expect(denial.Annotations).To(And(HaveKeyWithValue(v1alpha1.DenialReasonAnnotation, "laptop stolen"), HaveKeyWithValue(v1alpha1.DeniedByAnnotation, Not(BeEmpty()))))
	})

	It("says when the account is off, and ends with code 3 when it is not in time", func(ctx SpecContext) {
		shown, err := called(ctx, denyCommand(), "", "-n", place, "ada@example.com", "--reason", "left", "--wait", "1ms")
		Expect(ExitCode(err)).To(Equal(3))
		Expect(shown).To(ContainSubstring("THE PERSON CAN STILL SIGN IN, or may be able to."))

		Expect(stored(ctx)).To(Succeed())
		denial.Status.DeniedAt = &fired
		Expect(k8s.Status().Update(ctx, denial)).To(Succeed())
		_, err = called(ctx, denyCommand(), "", "-n", place, "ada@example.com", "--reason", "left", "--wait", "1ms")
		Expect(ExitCode(err)).To(Equal(3), "seen, and not carried out")

		denial.Status.OffAt = &wasOff
		Expect(k8s.Status().Update(ctx, denial)).To(Succeed())
		shown, err = called(ctx, denyCommand(), "", "-n", place, "ada@example.com", "--reason", "left")
		Expect(err).NotTo(HaveOccurred())
		Expect(shown).To(And(ContainSubstring("was denied before, by LambdaTestUser/deny-ada-at-example.com since 2026-02-01T08:00:00Z."),
			ContainSubstring("The person can no longer sign in, since 2026-02-01T08:00:03Z.")))
	})

	It("names whom by a resource, and is an error for a name that no resource has", func(ctx SpecContext) {
		claimed(ctx, place, "ada")
		Expect(called(ctx, denyCommand(), "", "-n", place, "LambdaTestUser/ada", "--reason", "left", "--wait", "0")).To(HavePrefix("ada@example.com is denied"))
		_, err := called(ctx, denyCommand(), "", "-n", place, "grace", "--reason", "left")
		Expect(err).To(MatchError(ContainSubstring("is about grace")))
		Expect(ExitCode(err)).To(Equal(1))
	})

	It("is not made by a resource of that name that does not deny", func(ctx SpecContext) {
		claimed(ctx, place, denial.Name, func(user *v1alpha1.LambdaTestUser) { user.Spec.UserName = "ada@example.com" })
		_, err := called(ctx, denyCommand(), "", "-n", place, "ada@example.com", "--reason", "left")
		Expect(err).To(MatchError(ContainSubstring("exists and does not deny ada@example.com")))
	})

	It("is taken back after a yes, which says what follows", func(ctx SpecContext) {
		claimed(ctx, place, "ada")
		_, err := called(ctx, denyCommand(), "", "-n", place, "ada@example.com", "--reason", "left", "--wait", "0")
		Expect(err).NotTo(HaveOccurred())
		shown, err := called(ctx, undenyCommand(), "no\n", "-n", place, "ada@example.com")
		Expect(err).To(MatchError("nothing was changed"))
		Expect(shown).To(ContainSubstring("LambdaTestUser/ada says that the person may sign in, so the operator activates the account."))
		Expect(stored(ctx)).To(Succeed())

		Expect(called(ctx, undenyCommand(), "yes\n", "-n", place, "ada@example.com")).To(ContainSubstring("is deleted"))
		Expect(apierrors.IsNotFound(stored(ctx))).To(BeTrue())
		_, err = called(ctx, undenyCommand(), "yes\n", "-n", place, "ada@example.com")
		Expect(err).To(MatchError("no resource denies ada@example.com"))
	})

	It("is the only one that undeny takes back", func(ctx SpecContext) {
		claimed(ctx, place, "ada", func(user *v1alpha1.LambdaTestUser) { user.Spec.Active = new(false) })
		_, err := called(ctx, undenyCommand(), "", "-n", place, "ada@example.com", "--yes")
		Expect(err).To(MatchError(ContainSubstring("ada@example.com is denied by LambdaTestUser/ada, which the command deny did not write")))
	})
})
