// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

var _ = Describe("token", func() {
	It("creates a token that is accepted, shows it once, and lists it by its key alone", func(ctx SpecContext) {
		organization := made(ctx, "tokens")
		shown, err := called(ctx, tokenCreateCommand(), "", "--organization", organization.Name, "--key", "okta", "--expires-in", "1h")
		Expect(err).NotTo(HaveOccurred())
		token := strings.TrimSpace(strings.Split(shown, "\n")[0])
		Expect(len(token)).To(BeNumerically(">=", v1alpha1.MinSCIMTokenBytes))

		listed, err := called(ctx, tokenListCommand(), "", "--organization", organization.Name)
		Expect(err).NotTo(HaveOccurred())
		Expect(listed).To(MatchRegexp(`(?m)^okta +accepted +` + time.Now().UTC().Format("2006") + `.* +not recorded$`))
		Expect(listed).NotTo(ContainSubstring(token))
	})

	It("refuses a lifetime that is not positive, instead of creating a token that lasts for ever", func(ctx SpecContext) {
		organization := made(ctx, "lifetimes")
		for _, lifetime := range []string{"-1h", "0s", "-0.5s"} {
			_, err := called(ctx, tokenCreateCommand(), "", "--organization", organization.Name, "--key", "old", "--expires-in", lifetime)
			Expect(err).To(MatchError(ContainSubstring("--expires-in must be positive")), lifetime)
		}
		Expect(keysOf(ctx, organization)).To(BeEmpty())
	})

	It("chooses a key that differs from the key that the operator made", func(ctx SpecContext) {
		organization := made(ctx, "chosen")
		Expect(k8s.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: organization.Namespace, Name: organization.SCIMTokenSecretName()},
			StringData: map[string]string{v1alpha1.DefaultTokenKey: strings.Repeat("t", v1alpha1.MinSCIMTokenBytes)},
		})).To(Succeed())
		_, err := called(ctx, tokenCreateCommand(), "", "--organization", organization.Name)
		Expect(err).NotTo(HaveOccurred())
		Expect(keysOf(ctx, organization)).To(ConsistOf("token", HavePrefix("token-2")))
	})

	It("can rotate several times within one second", func(ctx SpecContext) {
		organization := made(ctx, "rotated")
		for range 4 {
			_, err := called(ctx, tokenRotateCommand(), "", "--organization", organization.Name)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(keysOf(ctx, organization)).To(HaveLen(4))
	})

	It("does not remove the last token, which would lock the provider out", func(ctx SpecContext) {
		organization := made(ctx, "last-token")
		_, err := called(ctx, tokenCreateCommand(), "", "--organization", organization.Name, "--key", "okta")
		Expect(err).NotTo(HaveOccurred())
		_, err = called(ctx, tokenRemoveCommand(), "", "okta", "--organization", organization.Name, "--yes")
		Expect(err).To(MatchError(ContainSubstring("the only token")))

		_, err = called(ctx, tokenRotateCommand(), "", "--organization", organization.Name)
		Expect(err).NotTo(HaveOccurred())
		Expect(called(ctx, tokenRemoveCommand(), "", "okta", "--organization", organization.Name, "--yes")).To(ContainSubstring("is removed"))
	})

	Describe("that may still be in use", func() {
		var organization *v1alpha1.LambdaTestOrganization

		BeforeEach(func(ctx SpecContext) {
			organization = madeIn(ctx, namespace(ctx), "default")
			for _, key := range []string{"okta", "next"} {
				_, err := called(ctx, tokenCreateCommand(), "", "-n", organization.Namespace, "--key", key)
				Expect(err).NotTo(HaveOccurred())
			}
		})

		It("is removed only after a yes, when it was used within the last hour", func(ctx SpecContext) {
			hour := used(ctx, organization, "okta", time.Now())
			Expect(called(ctx, tokenListCommand(), "", "-n", organization.Namespace)).To(MatchRegexp("okta .*" + hour.Format("2006-01-02 15:04")))

			shown, err := called(ctx, tokenRemoveCommand(), "no\n", "-n", organization.Namespace, "okta")
			Expect(err).To(MatchError("nothing was changed"))
			Expect(shown).To(ContainSubstring("Token okta was used between " + hour.Format(time.RFC3339) + " and now."))
			Expect(keysOf(ctx, organization)).To(ContainElement("okta"))

			Expect(called(ctx, tokenRemoveCommand(), "yes\n", "-n", organization.Namespace, "okta")).To(ContainSubstring("is removed"))
			Expect(keysOf(ctx, organization)).To(ConsistOf("next"))
		})

		It("is removed only after a yes, when no use of it is recorded", func(ctx SpecContext) {
			shown, err := called(ctx, tokenRemoveCommand(), "", "-n", organization.Namespace, "okta")
			Expect(err).To(MatchError("nothing was changed"))
			Expect(shown).To(ContainSubstring("No use of token okta is recorded"))
		})

		It("is removed without a question when it was used long ago, or with --yes", func(ctx SpecContext) {
			used(ctx, organization, "okta", time.Now().Add(-3*time.Hour))
			Expect(called(ctx, tokenRemoveCommand(), "", "-n", organization.Namespace, "okta")).To(ContainSubstring("is removed"))
		})
	})

	It("says which right is missing when the user may not read the Secret", func(ctx SpecContext) {
		place := namespace(ctx)
		organization := madeIn(ctx, place, "default")
		kubeconfig := strangerIn(ctx, place, rbacv1.PolicyRule{
			APIGroups: []string{v1alpha1.SchemeGroupVersion.Group}, Resources: []string{"lambdatestorganizations"}, Verbs: []string{"get", "list"},
		})
		_, err := called(ctx, tokenListCommand(), "", "-n", place, "--kubeconfig", kubeconfig)
		Expect(err).To(MatchError(ContainSubstring("the tokens are in Secret " + organization.SCIMTokenSecretName() + " of namespace " + place + ", which you may not read")))
	})
})

func TestAKeyIsFreeEvenWhenSeveralAreMadeInASecond(t *testing.T) {
	at := time.Date(2026, 11, 24, 23, 6, 52, 0, time.UTC)
	taken := map[string][]byte{}
	for _, expected := range []string{"token-20261124-230652", "token-20261124-230652-2", "token-20261124-230652-3"} {
		key := freeKey(taken, at)
		if key != expected {
			t.Errorf("the key is %s, expected %s", key, expected)
		}
		taken[key] = nil
	}
}

func TestATokenMayBeInUseForAnHourAfterItsRecordedHour(t *testing.T) {
	hour := time.Date(2026, 11, 24, 23, 0, 0, 0, time.UTC)
	organization := &v1alpha1.LambdaTestOrganization{}
	organization.Status.SCIMTokenLastUse = map[string]metav1.Time{"okta": metav1.NewTime(hour)}
	for after, doubt := range map[time.Duration]bool{0: true, time.Hour: true, 2*time.Hour - time.Second: true, 2 * time.Hour: false} {
		if asked := stillInUse(organization, "okta", hour.Add(after)) != ""; asked != doubt {
			t.Errorf("%v after the beginning of the hour: asked %t, expected %t", after, asked, doubt)
		}
	}
}

// used records a use as the operator does, and returns the beginning of its hour.
func used(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, key string, at time.Time) time.Time {
	GinkgoHelper()
	hour := at.UTC().Truncate(time.Hour)
	organization.Status.SCIMTokenLastUse = map[string]metav1.Time{key: metav1.NewTime(hour)}
	Expect(k8s.Status().Update(ctx, organization)).To(Succeed())
	return hour
}

func keysOf(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) []string {
	GinkgoHelper()
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: organization.Namespace, Name: organization.SCIMTokenSecretName()}
	if err := k8s.Get(ctx, key, secret); err != nil {
		Expect(client.IgnoreNotFound(err)).To(Succeed())
		return nil
	}
	var keys []string
	for each := range secret.Data {
		keys = append(keys, each)
	}
	return keys
}
