// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

const (
	// tenMinutes is the default syncInterval: after the first sweep there is no other during a scenario.
	tenMinutes = 10 * time.Minute
	// seconds bounds the time until a new token is used: without a restart or a sweep.
	seconds = 5 * time.Second
)

var _ = Describe("a new token", Label("rotation"), func() {
	It("of LambdaTest is used within seconds, without a restart, and nothing is repeated", func(ctx SpecContext) {
		w := newWorld(ctx, every(tenMinutes))
		ada, bob := w.address("ada"), w.address("bob")
		w.provisioned(ctx, ada)
		processes := w.processes()

		token := newToken()
		w.LambdaTest.RotateToken(token)
		w.useToken(ctx, token)
		w.provision(ctx, bob)

		Eventually(w.account(bob), seconds).Should(beActive())
		Expect(w.LambdaTest.Count(createUser)).To(BeNumerically("<=", 3), "one each, and one that may have been tried with the old token")
		Expect(w.accounts()).To(Equal(2))
		Expect(w.processes()).To(Equal(processes))
	})

	It("for the identity provider works at every replica within seconds, and the removed one is refused", func(ctx SpecContext) {
		w := newWorld(ctx)
		secret := MakeSecret(w.namespace, w.Name+v1alpha1.SCIMTokenSecretSuffix, "")
		fresh := newToken() + newToken()
		Expect(w.statuses(ctx, fresh)()).To(HaveEach(http.StatusUnauthorized))

		Changed(ctx, w.env.Client, secret, func(s *corev1.Secret) { s.Data["next"] = []byte(fresh) })

		Eventually(w.statuses(ctx, fresh), seconds).Should(HaveEach(http.StatusOK))
		Expect(w.statuses(ctx, w.SCIMToken)()).To(HaveEach(http.StatusOK), "both work until the old one is removed")
		Changed(ctx, w.env.Client, secret, func(s *corev1.Secret) { delete(s.Data, v1alpha1.DefaultTokenKey) })
		Eventually(w.statuses(ctx, w.SCIMToken), seconds).Should(HaveEach(http.StatusUnauthorized))
		Expect(w.statuses(ctx, fresh)()).To(HaveEach(http.StatusOK))
	})
})

var _ = Describe("a suspended organization", Label("suspend"), func() {
	It("makes no call, not even for a sweep, and continues when it is resumed", func(ctx SpecContext) {
		w := newWorld(ctx)
		people := w.addresses(10)
		w.suspend(ctx, true)
		Eventually(w.organization(ctx)).Should(BeStalled(v1alpha1.SuspendedReason))
		before := len(w.LambdaTest.Calls())

		w.declareAll(ctx, people)

		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SuspendedReason, len(people)))
		Expect(w.LambdaTest.Calls()).To(HaveLen(before))
		w.suspend(ctx, false)
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))
	})

	It("names and counts the denied people who can still sign in, and deactivates them first when it is resumed", func(ctx SpecContext) {
		w := newWorld(ctx, limited(5, 1))
		ada := w.address("ada")
		id := w.provisioned(ctx, ada)
		account, _ := w.account(ada)()
		Eventually(w.user(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
		w.suspend(ctx, true)
		Eventually(w.organization(ctx)).Should(BeStalled(v1alpha1.SuspendedReason))
		w.declareAll(ctx, w.addresses(20))

		w.deny(ctx, id)

		Eventually(w.user(ctx, id)).Should(BeStalled(v1alpha1.DeniedButActiveReason))
		Eventually(w.organization(ctx)).Should(HaveField("Status.PendingDenials", HaveValue(BeEquivalentTo(1))))
		before := len(w.LambdaTest.Calls())
		w.suspend(ctx, false)
		Eventually(w.placeOfDenial(account.ID, before)).Should(And(BeNumerically(">", 0), BeNumerically("<=", 3)))
	})
})

var _ = Describe("the token of another organization", Label("wrong-org"), func() {
	It("changes no account in either organization: writes stop until the right token is back", func(ctx SpecContext) {
		w := newWorld(ctx)
		people := w.addresses(20)
		w.declareAll(ctx, people)
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))
		before := w.LambdaTest.Writes()
		others := w.env.Simulator.AddOrg("others of "+w.Name, newToken())

		w.useToken(ctx, others.Token())

		Eventually(w.organization(ctx)).Should(BeStalled(v1alpha1.OrganizationChangedReason))
		w.declare(ctx, w.address("new"))
		Eventually(w.reasonOf(ctx, w.declaredName(w.address("new")))).Should(Not(Or(Equal("unknown"), Equal(v1alpha1.SyncedReason))))
		Expect(others.Writes()).To(BeZero())
		w.useToken(ctx, w.UpstreamToken)
		Eventually(w.organization(ctx)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(w.account(w.address("new"))).Should(beActive())
		Expect(w.LambdaTest.Writes()).To(Equal(before+1), "the new person, and no other account")
	})

	It("is distinguished from accounts that were really removed by one approval of exactly those", func(ctx SpecContext) {
		w := newWorld(ctx)
		people := w.addresses(20)
		w.declareAll(ctx, people)
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))
		for _, person := range people[:12] {
			w.LambdaTest.RemoveAccount(person)
		}
		Eventually(w.organization(ctx)).Should(BeStalled(v1alpha1.OrganizationChangedReason))
		w.afterSweeps(1)
		Expect(w.accounts()).To(Equal(len(people) - 12))
		organization := must(w.organization(ctx)())

		w.annotate(ctx, v1alpha1.ApproveDeprovisionAnnotation, lastWord(messageOf(organization)))

		Eventually(w.accounts).Should(Equal(len(people)))
		Eventually(w.organization(ctx)).Should(BeReady(v1alpha1.SyncedReason))
	})

	It("is refused to the younger of two organizations", Label("duplicate"), func(ctx SpecContext) {
		older := newWorld(ctx)
		younger := newWorld(ctx)

		younger.useToken(ctx, older.UpstreamToken)

		Eventually(younger.organization(ctx)).Should(BeStalled(v1alpha1.DuplicateOrganizationReason))
		younger.declare(ctx, younger.address("ada"))
		Eventually(younger.reasonOf(ctx, younger.declaredName(younger.address("ada")))).Should(Equal(v1alpha1.OrganizationNotReadyReason))
		Expect(older.organization(ctx)()).To(BeReady(v1alpha1.SyncedReason))
		Expect(older.LambdaTest.Writes() + younger.LambdaTest.Writes()).To(BeZero())
	})
})

// lastWord is the token at the end of a message.
func lastWord(message string) string {
	words := strings.Fields(strings.TrimSuffix(message, "."))
	return words[len(words)-1]
}

var _ = Describe("people with kubectl", Label("kubectl"), func() {
	It("can wait for Ready", func(ctx SpecContext) {
		w := newWorld(ctx)
		declared := w.declare(ctx, w.address("ada"))

		for _, resource := range []string{"ltuser/" + declared.Name, "ltorg/" + w.Name} {
			_, err := w.env.Kubectl(ctx, "wait", "--namespace="+w.namespace, "--for=condition=Ready", "--timeout=30s", resource)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(w.account(w.address("ada"))()).To(beActive())
	})

	It("can request a reconcile of a person, who is then compared at once", func(ctx SpecContext) {
		w := newWorld(ctx, every(tenMinutes))
		ada := w.address("ada")
		declared := w.declare(ctx, ada)
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		w.edit(ada, deactivated)

		w.redeclare(ctx, declared, func(user *v1alpha1.LambdaTestUser) {
			metav1.SetMetaDataAnnotation(&user.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, "now")
		})

		Eventually(w.account(ada), seconds).Should(beActive())
		Eventually(w.user(ctx, declared.Name)).Should(And(
			BeReady(v1alpha1.SyncedReason), HaveField("Status.LastHandledReconcileAt", "now")))
	})

	It("can request a sweep of the whole organization before its time", func(ctx SpecContext) {
		w := newWorld(ctx, every(tenMinutes))
		ada := w.address("ada")
		declared := w.declare(ctx, ada)
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		w.edit(ada, deactivated)

		w.annotate(ctx, v1alpha1.ReconcileRequestedAtAnnotation, "now")

		Eventually(w.account(ada), seconds).Should(beActive())
		Eventually(w.organization(ctx)).Should(HaveField("Status.LastHandledReconcileAt", "now"))
	})

	It("see which users are not ready, and why", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.LambdaTest.AddForeignAccount(w.address("ada"))
		declared := w.declare(ctx, w.address("ada"))
		Eventually(w.user(ctx, declared.Name)).Should(BeStalled(v1alpha1.OwnedByAnotherOrganizationReason))

		table, err := w.env.Kubectl(ctx, "get", "lambdatestusers", "--namespace="+w.namespace, declared.Name)

		Expect(err).NotTo(HaveOccurred())
		Expect(table).To(And(ContainSubstring("REASON"), ContainSubstring("False"), ContainSubstring(v1alpha1.OwnedByAnotherOrganizationReason)))
	})
})
