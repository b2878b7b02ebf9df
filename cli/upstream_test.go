// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// password is in a Secret of the namespace that has nothing to do with LambdaTest.
const password = "Sup3rSecretDbPassw0rd"

// listener is a host of an attacker. It answers as a LambdaTest without accounts, and remembers what it was sent.
type listener struct {
	*httptest.Server
	heard []string
}

func listening() *listener {
	l := &listener{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.heard = append(l.heard, r.Header.Get("Authorization"))
		if strings.Contains(r.URL.Path, "/Users/") {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"detail":"there is no such user"}`))
			return
		}
		_, _ = w.Write([]byte(`{"totalResults":0,"Resources":[]}`))
	}))
	DeferCleanup(l.Close)
	return l
}

// pointed creates an organization whose baseURL is the given one and whose token is the password of a database.
func pointed(ctx context.Context, place, baseURL string) *v1alpha1.LambdaTestOrganization {
	GinkgoHelper()
	Expect(k8s.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: place, Name: "db-credentials"}, StringData: map[string]string{"password": password},
	})).To(Succeed())
	organization := &v1alpha1.LambdaTestOrganization{Spec: v1alpha1.LambdaTestOrganizationSpec{
		BaseURL: baseURL, TokenSecretRef: v1alpha1.SecretKeyReference{Name: "db-credentials", Key: "password"},
	}}
	organization.Namespace, organization.Name = place, "evil"
	Expect(k8s.Create(ctx, organization)).To(Succeed())
	return organization
}

// callingCommands are all that send a token.
var callingCommands = []TableEntry{
	Entry("plan", planCommand, []string{}),
	Entry("export", exportCommand, []string{"--from-lambdatest"}),
	Entry("doctor", doctorCommand, []string{}),
}

var _ = Describe("a token", func() {
	var evil *listener

	BeforeEach(func() { evil = listening() })

	DescribeTable("is sent to no host but LambdaTest's, even when the operator accepts the organization",
		func(ctx SpecContext, command func() *cobra.Command, args []string) {
			place := namespace(ctx)
			setReady(ctx, pointed(ctx, place, evil.URL+"/api/scim"), metav1.ConditionTrue, v1alpha1.SyncedReason, "")
			_, err := called(ctx, command(), "yes\n", append(args, "-n", place)...)
			Expect(evil.heard).To(BeEmpty())
			Expect(err).To(MatchError(And(ContainSubstring(strings.TrimPrefix(evil.URL, "http://")), ContainSubstring("--upstream-hosts"))))
		}, callingCommands)

	DescribeTable("is sent to another host only when a flag names it and somebody says yes to that host",
		func(ctx SpecContext, command func() *cobra.Command, args []string) {
			place := namespace(ctx)
			setReady(ctx, pointed(ctx, place, evil.URL+"/api/scim"), metav1.ConditionTrue, v1alpha1.SyncedReason, "")
			args = append(args, "-n", place, "--upstream-hosts", evil.URL)
			asked, err := called(ctx, command(), "no\n", args...)
			Expect(err).To(MatchError("nothing was changed"))
			Expect(asked).To(ContainSubstring("Send the key password of Secret db-credentials to " + evil.URL + "/api/scim? Type yes:"))
			Expect(evil.heard).To(BeEmpty())

			_, err = called(ctx, command(), "yes\n", args...)
			Expect(err).NotTo(HaveOccurred())
			_, err = called(ctx, command(), "", append(args, "--yes")...)
			Expect(err).NotTo(HaveOccurred())
			Expect(evil.heard).To(HaveEach("Bearer " + password))
		}, callingCommands)

	DescribeTable("of an organization that the operator has not accepted is not even read",
		func(ctx SpecContext, command func() *cobra.Command, args []string) {
			for reason, message := range map[string]string{
				v1alpha1.InvalidBaseURLReason: "not allowed", v1alpha1.DuplicateOrganizationReason: "an older one", v1alpha1.ProgressingReason: "the first sweep",
				v1alpha1.SuspendedReason: "suspended from the beginning", "": "",
			} {
				place := namespace(ctx)
				organization := pointed(ctx, place, evil.URL+"/api/scim")
				if reason != "" {
					setReady(ctx, organization, metav1.ConditionFalse, reason, message)
				}
				_, err := called(ctx, command(), "yes\n", append(args, "-n", place, "--upstream-hosts", evil.URL, "--yes")...)
				Expect(err).To(MatchError(And(ContainSubstring("the operator has not accepted organization evil"), ContainSubstring(message))), reason)
			}
			Expect(evil.heard).To(BeEmpty())
		}, callingCommands)

	It("goes on being sent for an organization that was connected, and is suspended or out of reach", func(ctx SpecContext) {
		for _, reason := range []string{v1alpha1.SuspendedReason, v1alpha1.UpstreamUnavailableReason} {
			place := namespace(ctx)
			organization := pointed(ctx, place, evil.URL+"/api/scim")
			organization.Status.Unclaimed = new(int32(0))
			setReady(ctx, organization, metav1.ConditionFalse, reason, "")
			_, err := called(ctx, planCommand(), "", "-n", place, "--upstream-hosts", evil.URL, "--yes")
			Expect(err).NotTo(HaveOccurred())
		}
	})

	It("is not sent after a change of the organization that the operator has not looked at", func(ctx SpecContext) {
		place := namespace(ctx)
		organization := pointed(ctx, place, v1alpha1.DefaultBaseURL)
		setReady(ctx, organization, metav1.ConditionTrue, v1alpha1.SyncedReason, "")
		organization.Spec.BaseURL = evil.URL + "/api/scim"
		Expect(k8s.Update(ctx, organization)).To(Succeed())
		_, err := called(ctx, planCommand(), "", "-n", place, "--upstream-hosts", evil.URL, "--yes")
		Expect(err).To(MatchError(ContainSubstring("it has not reconciled the latest change yet")))
		Expect(evil.heard).To(BeEmpty())
	})

	It("is not sent to an address that no LambdaTest has, whatever the flag says", func(ctx SpecContext) {
		place := namespace(ctx)
		setReady(ctx, pointed(ctx, place, "http://169.254.169.254/api/scim"), metav1.ConditionTrue, v1alpha1.SyncedReason, "")
		_, err := called(ctx, planCommand(), "", "-n", place, "--upstream-hosts", "http://169.254.169.254", "--yes")
		Expect(err).To(MatchError(ContainSubstring("metadata service")))
	})
})
