// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

var _ = Describe("a command about people", func() {
	It("names accounts that no resource claims from LambdaTest's list, and says so", func(ctx SpecContext) {
		_, args := examined(ctx, nil, 3)
		shown, err := called(ctx, whoCommand(), "", append(args, "--unclaimed", "--from-lambdatest")...)
		Expect(err).NotTo(HaveOccurred())
		Expect(shown).To(And(ContainSubstring("user-000001@example.com"), ContainSubstring("no resource"), ContainSubstring("are from LambdaTest's list"),
			Not(ContainSubstring(settledPerson))))
		Expect(called(ctx, reviewCommand(), "", append(args, "--from-lambdatest")...)).To(MatchRegexp(`user-000001@example.com .* unclaimed`))
		Expect(called(ctx, whyCommand(), "", append(args, "user-000001@example.com", "--from-lambdatest")...)).To(ContainSubstring("No resource decides about this account"))
	})

	It("does not show a list without them as if it were all", func(ctx SpecContext) {
		_, args := examined(ctx, nil, 3)
		_, err := called(ctx, whoCommand(), "", append(args, "--unclaimed")...)
		Expect(err).To(MatchError(ContainSubstring("--from-lambdatest")))
		Expect(ExitCode(err)).To(Equal(1))
		Expect(called(ctx, whoCommand(), "", args...)).To(ContainSubstring("It is not known yet how many accounts of examined no resource claims"))
		shown, err := called(ctx, leaversCommand(), "", "-n", args[1], "--within", "60s")
		Expect(ExitCode(err)).To(Equal(4))
		Expect(shown).To(ContainSubstring("NOT COMPLETE"))
	})

	It("reads its own review back and finds who gained access", func(ctx SpecContext) {
		place := namespace(ctx)
		madeIn(ctx, place, "default")
		user := claimed(ctx, place, "ada")
		old := filepath.Join(GinkgoT().TempDir(), "old.json")
		before, err := run(ctx, reviewCommand(), "", "--kubeconfig", plane.KubeconfigPath(), "-n", place, "-o", "json")
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(old, []byte(before), 0o600)).To(Succeed())
		Expect(called(ctx, reviewCommand(), "", "-n", place, "--compare", old, "--exit-code")).To(ContainSubstring("Nobody gained or lost access or a role since"))

		user.Status.AccountID, user.Status.Account = "7", &v1alpha1.AccountState{Active: true, Role: "Admin"}
		setReady(ctx, user, metav1.ConditionTrue, v1alpha1.SyncedReason, "")
		shown, err := called(ctx, reviewCommand(), "", "-n", place, "--compare", old, "--exit-code")
		Expect(ExitCode(err)).To(Equal(2))
		Expect(shown).To(MatchRegexp(`ada@example.com +gained access +Admin +LambdaTestUser/ada`))
		Expect(called(ctx, reviewCommand(), "", "-n", place, "-o", "html")).To(And(HavePrefix("<!DOCTYPE html>"), ContainSubstring("ada@example.com")))
	})

	It("writes what programs read", func(ctx SpecContext) {
		place := namespace(ctx)
		madeIn(ctx, place, "default")
		claimed(ctx, place, "ada")
		var found listing
		text, err := called(ctx, whoCommand(), "", "-n", place, "ada@example.com", "-o", "json")
		Expect(err).NotTo(HaveOccurred())
		Expect(json.Unmarshal([]byte(text), &found)).To(Succeed(), text)
		Expect(found.People).To(HaveExactElements(HaveField("UserName", "ada@example.com")))
		Expect(called(ctx, whoCommand(), "", "-n", place, "-o", "csv")).To(ContainSubstring("ORGANIZATION,USERNAME,ACCOUNT,ROLE,ACTIVE,BY,SINCE,CLAIMS\ndefault,ada@example.com,"))
	})

	DescribeTable("says what there is, and ends with code 1, about", func(ctx SpecContext, command func() *cobra.Command, args []string, problem string) {
		place := namespace(ctx)
		madeIn(ctx, place, "blue")
		claimed(ctx, place, "ada", func(user *v1alpha1.LambdaTestUser) { user.Spec.OrganizationRef.Name = "blue" })
		_, err := called(ctx, command(), "", append(args, "-n", place)...)
		Expect(err).To(MatchError(ContainSubstring(problem)))
		Expect(ExitCode(err)).To(Equal(1))
	},
		Entry("an unknown person, who", whoCommand, []string{"ada@example.org"}, "there is: ada@example.com"),
		Entry("an unknown person, why", whyCommand, []string{"nobody"}, "to list the 1 person about whom there is one"),
		Entry("an unknown person, undeny", undenyCommand, []string{"nobody"}, "is about nobody"),
		Entry("an unknown organization, who", whoCommand, []string{"--organization", "red"}, "there is: blue"),
		Entry("an unknown organization, review", reviewCommand, []string{"--organization", "red"}, "there is: blue"),
		Entry("an unknown organization, leavers", leaversCommand, []string{"--organization", "red"}, "there is: blue"),
		Entry("an unknown organization, deny", denyCommand, []string{"ada@example.com", "--reason", "left", "--organization", "red"}, "there is: blue"),
		Entry("a review that is not there", reviewCommand, []string{"--compare", "no-such.json"}, "no such file"),
		Entry("an audit trail that is not there", leaversCommand, []string{"--audit", "no-such.jsonl"}, "no such file"),
		Entry("a time that is none", leaversCommand, []string{"--since", "yesterday"}, "must be how long ago, such as 90d or 12h"),
		Entry("a bound that is none", leaversCommand, []string{"--within", "0s"}, "--within must be positive"),
		Entry("a comparison without a review", reviewCommand, []string{"--exit-code"}, "--exit-code needs --compare"),
	)

	It("completes people and formats", func(ctx SpecContext) {
		place := namespace(ctx)
		madeIn(ctx, place, "default")
		claimed(ctx, place, "ada")
		root := &cobra.Command{Use: "lambdatest"}
		root.AddCommand(Commands()...)
		for _, name := range []string{"who", "why", "deny", "undeny"} {
			Expect(run(ctx, root, "", "__complete", name, "--kubeconfig", plane.KubeconfigPath(), "-n", place, "")).To(ContainSubstring("ada@example.com"), name)
		}
		Expect(run(ctx, root, "", "__complete", "review", "-o", "")).To(And(ContainSubstring("html"), ContainSubstring("csv")))
	})
})
