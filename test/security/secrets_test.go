// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package security

import (
	"bufio"
	"context"
	"encoding/base64"
	"net/http"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// typed are secrets that people typed into the wrong place; they are looked for as well.
const (
	typedPassword = "correct-horse-battery-staple-1"
	typedToken    = "a-token-that-somebody-put-into-the-wrong-field"
)

var _ = Describe("Secrets", Label("secrets"), func() {
	It("are in no log, event, status or metric after everything went wrong that can", func(ctx SpecContext) {
		leaky, err := env.AddOrganization(ctx, organization("leaky"))
		Expect(err).NotTo(HaveOccurred())
		t := &tenant{leaky}

		By("people put secrets into wrong places")
		t.ask(ctx, http.MethodPost, "/Users", userBody(address("ada"), `"password":"`+typedPassword+`"`))
		t.ask(ctx, http.MethodPost, "/Users", `{"userName":"x","password":"`+typedPassword+`",`)
		t.ask(ctx, http.MethodGet, "/Users?access_token="+typedToken, "")
		t.ask(ctx, http.MethodGet, "/"+typedToken, "")
		t.ask(ctx, http.MethodGet, filtered("/Users", `password eq "`+typedPassword+`"`), "")
		for _, authorization := range []string{typedToken, "Basic " + typedToken, "Bearer " + typedToken, "Bearer " + t.SCIMToken + "x"} {
			t.say(ctx, http.MethodGet, "/Users", nil, authorization)
		}

		By("LambdaTest refuses the token, fails, and repeats what it was sent")
		t.LambdaTest.Fail(http.StatusUnauthorized, simulator.On("PATCH /Users/{id}"))
		person := Applied(ctx, env.Client, MakeUser(address("grace")).In(environment.Namespace).Of(t.Name).Obj())
		Eventually(func() *v1alpha1.LambdaTestUser { return Fetched(ctx, env.Client, person) }).Should(BeReady(v1alpha1.SyncedReason))
		Changed(ctx, env.Client, person, func(u *v1alpha1.LambdaTestUser) { u.Spec.Role = v1alpha1.RoleAdmin })
		Eventually(func() *v1alpha1.LambdaTestUser { return Fetched(ctx, env.Client, person) }).Should(
			HaveCondition(v1alpha1.ReadyCondition, "False", v1alpha1.UnauthorizedReason))
		t.LambdaTest.ClearFaults()

		By("tokens are unfit, shared with another tenant, and changed")
		Changed(ctx, env.Client, MakeSecret(environment.Namespace, t.Name+"-scim-token", ""), func(secret *corev1.Secret) {
			secret.Data["short"] = []byte("short-" + typedPassword[:20])
			secret.Data["taken"] = []byte(acme.SCIMToken)
			secret.Data["upstream"] = []byte(t.UpstreamToken)
		})
		Changed(ctx, env.Client, MakeSecret(environment.Namespace, t.Name+"-lambdatest-token", ""), func(secret *corev1.Secret) {
			secret.Data[v1alpha1.DefaultTokenKey] = []byte(typedToken + "\nwith a line break")
		})
		Eventually(func() *v1alpha1.LambdaTestOrganization {
			return Fetched(ctx, env.Client, MakeOrganization(t.Name).In(environment.Namespace).Obj())
		}).ShouldNot(BeReady(v1alpha1.SyncedReason))
		Eventually(func() []string { return linesWith("SCIM token", "taken") }).ShouldNot(BeEmpty())

		expectNoSecretAnywhere(ctx)

		Changed(ctx, env.Client, MakeSecret(environment.Namespace, t.Name+"-scim-token", ""), func(secret *corev1.Secret) { delete(secret.Data, "taken") })
		Eventually(func() int { return acme.ask(ctx, http.MethodGet, "/Users", "").status }).Should(Equal(http.StatusOK))
	})
})

// expectNoSecretAnywhere looks for every secret there is in everything that people can see without reading Secrets.
func expectNoSecretAnywhere(ctx context.Context) {
	GinkgoHelper()
	seen := everythingSeen(ctx)
	for name, secret := range everySecret(ctx) {
		for place, text := range seen {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
				Expect(strings.Contains(text, form)).To(BeFalse(), "%s can be read in %s", name, place)
			}
		}
	}
}

// everySecret is what all Secrets hold, what the operator itself signs in with, and what was typed into wrong places.
func everySecret(ctx context.Context) map[string]string {
	GinkgoHelper()
	all := map[string]string{"a typed password": typedPassword, "a typed token": typedToken}
	var list corev1.SecretList
	Expect(env.Client.List(ctx, &list)).To(Succeed())
	for _, secret := range list.Items {
		for key, value := range secret.Data {
			if value := strings.TrimSpace(string(value)); value != "" {
				all[secret.Name+", "+key] = value
			}
		}
	}
	for _, organization := range env.Organizations {
		all["the first token of LambdaTest for "+organization.Name] = organization.UpstreamToken
		all["the first SCIM token of "+organization.Name] = organization.SCIMToken
	}
	account, err := env.Plane.ServiceAccountConfig(ctx, environment.OperatorNamespace, environment.OperatorServiceAccount)
	Expect(err).NotTo(HaveOccurred())
	all["a token of the operator's account"] = account.BearerToken
	return all
}

// everythingSeen are the logs of the replicas, their metrics, and all resources and events.
func everythingSeen(ctx context.Context) map[string]string {
	GinkgoHelper()
	seen := map[string]string{}
	for _, replica := range env.Replicas {
		log, err := os.ReadFile(replica.LogPath())
		Expect(err).NotTo(HaveOccurred())
		seen["the log of "+replica.Name()] = string(log)
		page, err := send(ctx, http.MethodGet, replica.MetricsURL, nil, "")
		Expect(err).NotTo(HaveOccurred())
		seen["the metrics of "+replica.Name()] = page.body
	}
	for _, kind := range []string{"lambdatestorganizations", "lambdatestusers", "lambdatestgroups", "events", "events.events.k8s.io", "leases", "configmaps"} {
		text, err := env.Kubectl(ctx, "get", kind, "--all-namespaces", "--output=json", "--show-managed-fields")
		Expect(err).NotTo(HaveOccurred())
		seen[kind] = text
	}
	return seen
}

// linesWith returns the lines of all logs that hold all of the words.
func linesWith(words ...string) []string {
	GinkgoHelper()
	var found []string
	for _, replica := range env.Replicas {
		file, err := os.Open(replica.LogPath())
		Expect(err).NotTo(HaveOccurred())
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if hasAll(lines.Text(), words) {
				found = append(found, lines.Text())
			}
		}
		_ = file.Close()
	}
	return found
}

func hasAll(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
