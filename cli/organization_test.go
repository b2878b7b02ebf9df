// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/spf13/cobra"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// aboutOneOrganization are the commands that need an organization, with their other arguments.
var aboutOneOrganization = []TableEntry{
	Entry("approve", approveCommand, []string{}),
	Entry("reject", rejectCommand, []string{}),
	Entry("plan", planCommand, []string{}),
	Entry("token create", tokenCreateCommand, []string{}),
	Entry("token rotate", tokenRotateCommand, []string{}),
	Entry("token list", tokenListCommand, []string{}),
	Entry("token remove", tokenRemoveCommand, []string{"okta"}),
	Entry("export", exportCommand, []string{}),
	Entry("deny", denyCommand, []string{"ada@example.com", "--reason", "left"}),
	Entry("undeny", undenyCommand, []string{"ada@example.com"}),
}

var _ = Describe("the organization of a command", func() {
	DescribeTable("is an error when --organization names one that does not exist",
		func(ctx SpecContext, command func() *cobra.Command, args []string) {
			_, err := called(ctx, command(), "", append(args, "--organization", "nobody")...)
			Expect(err).To(MatchError(ContainSubstring("there is no LambdaTestOrganization nobody in namespace default")))
		}, aboutOneOrganization)

	DescribeTable("is an error when none is named and the namespace has none",
		func(ctx SpecContext, command func() *cobra.Command, args []string) {
			empty := namespace(ctx)
			_, err := called(ctx, command(), "", append(args, "-n", empty)...)
			Expect(err).To(MatchError(ContainSubstring("there is no LambdaTestOrganization in namespace " + empty)))
		}, aboutOneOrganization)

	DescribeTable("is not guessed when none is named and the namespace has several",
		func(ctx SpecContext, command func() *cobra.Command, args []string) {
			shared := namespace(ctx)
			madeIn(ctx, shared, "blue")
			madeIn(ctx, shared, "green")
			_, err := called(ctx, command(), "", append(args, "-n", shared)...)
			Expect(err).To(MatchError(ContainSubstring("has 2 organizations: blue, green; name one")))
		}, aboutOneOrganization)

	It("is the only one of the namespace when none is named", func(ctx SpecContext) {
		alone := namespace(ctx)
		organization := madeIn(ctx, alone, "alone")
		organization.Status.Guard = &v1alpha1.GuardStatus{Held: &v1alpha1.HeldSet{Token: "t-1", Count: 1, People: []string{"gone"}}}
		Expect(k8s.Status().Update(ctx, organization)).To(Succeed())
		Expect(called(ctx, approveCommand(), "", "-n", alone, "--yes")).To(ContainSubstring("organization alone"))
	})

	It("is default among several for a command that changes nothing", func(ctx SpecContext) {
		shared := namespace(ctx)
		madeIn(ctx, shared, "default")
		madeIn(ctx, shared, "staging")
		claimed(ctx, shared, "of-default")
		Expect(called(ctx, exportCommand(), "", "-n", shared)).To(ContainSubstring("userName: of-default@example.com"))
	})

	It("is named in one way: as an argument it is an error that says how", func(ctx SpecContext) {
		for _, command := range []*cobra.Command{statusCommand(), approveCommand(), planCommand(), tokenListCommand()} {
			_, err := called(ctx, command, "", "another")
			Expect(err).To(MatchError(ContainSubstring("to name an organization: --organization another")))
		}
	})

	It("is completed by the shell", func(ctx SpecContext) {
		shared := namespace(ctx)
		madeIn(ctx, shared, "blue")
		root := &cobra.Command{Use: "lambdatest"}
		root.AddCommand(Commands()...)
		Expect(run(ctx, root, "", "__complete", "approve", "--kubeconfig", plane.KubeconfigPath(), "-n", shared, "--organization", "")).To(ContainSubstring("blue"))
	})
})

var _ = Describe("a value that a flag or an argument cannot have", func() {
	DescribeTable("is refused before anything is done", func(ctx SpecContext, command func() *cobra.Command, args []string, problem string) {
		_, err := called(ctx, command(), "", args...)
		Expect(err).To(MatchError(ContainSubstring(problem)))
	},
		Entry("a lifetime of zero", tokenCreateCommand, []string{"--expires-in", "0s"}, "--expires-in must be positive"),
		Entry("a negative lifetime", tokenCreateCommand, []string{"--expires-in", "-1h"}, "--expires-in must be positive"),
		Entry("a lifetime below a second", tokenCreateCommand, []string{"--expires-in", "10ms"}, "--expires-in must be positive"),
		Entry("an empty lifetime", tokenCreateCommand, []string{"--expires-in", ""}, "duration"),
		Entry("no key", tokenCreateCommand, []string{"--key", ""}, "--key is empty"),
		Entry("no namespace", uninstallCommand, []string{"--namespace", ""}, "--namespace is empty"),
		Entry("a blank person", whyCommand, []string{" "}, "an argument is empty"),
		Entry("no organization", planCommand, []string{"--organization", ""}, "--organization is empty"),
		Entry("no manifest", planCommand, []string{"--filename", ""}, "--filename is empty"),
		Entry("a prune without manifests", planCommand, []string{"--prune"}, "--prune needs --filename"),
		Entry("no folder", exportCommand, []string{"--folder", ""}, "--folder is empty"),
		Entry("an unknown form of status", statusCommand, []string{"--output", "wide"}, "must be json or yaml"),
		Entry("an unknown form of a plan", planCommand, []string{"-o", "name"}, "must be json or yaml"),
		Entry("an unknown form of an export", exportCommand, []string{"-o", "wide"}, "must be json or yaml"),
		Entry("an unknown form of tokens", tokenListCommand, []string{"-o", "wide"}, "must be json or yaml"),
		Entry("an unknown form of who", whoCommand, []string{"-o", "html"}, "must be json, yaml or csv"),
		Entry("a denial without a reason", denyCommand, []string{"ada@example.com"}, "--reason is required"),
		Entry("a denial of two", denyCommand, []string{"ada@example.com", "bob@example.com", "--reason", "left"}, "name one person"),
		Entry("a denial of none", undenyCommand, []string{}, "name one person"),
	)

	It("does not include a format in capitals", func(ctx SpecContext) {
		Expect(called(ctx, statusCommand(), "", "-o", "YAML")).To(ContainSubstring("organizations:"))
	})

	It("is a key that no Secret can have", func(ctx SpecContext) {
		made(ctx, "odd-key")
		_, err := called(ctx, tokenCreateCommand(), "", "--organization", "odd-key", "--key", "with space")
		Expect(err).To(MatchError(ContainSubstring("--key with space:")))
	})
})
