// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("a LambdaTest", Label("circuit"), func() {
	It("that refuses the token is not called until the Secret changes; then work continues by itself", func(ctx SpecContext) {
		w := newWorld(ctx)
		people := w.addresses(20)
		token := newToken()
		w.LambdaTest.RotateToken(token)
		Eventually(w.organization(ctx)).Should(BeStalled(v1alpha1.UnauthorizedReason))
		before := len(w.LambdaTest.Calls())

		w.declareAll(ctx, people)

		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.UnauthorizedReason, len(people)))
		Expect(w.LambdaTest.Calls()).To(HaveLen(before), "there must be no further call")
		w.useToken(ctx, token)
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))
		Eventually(w.organization(ctx)).Should(BeReady(v1alpha1.SyncedReason))
	})

	It("that answers Retry-After: 3 is not called for three seconds, and then gets the missing changes", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.LambdaTest.FailNext(http.StatusTooManyRequests, simulator.RetryAfter(3*time.Second), simulator.On(createUser))

		w.declareAll(ctx, w.addresses(5))

		Eventually(w.accounts).Should(Equal(5))
		after := afterRefusal(w.LambdaTest.Calls())
		Expect(after).NotTo(BeEmpty())
		Expect(after).To(HaveEach(BeNumerically(">=", 3*time.Second)), "time between the refusal and the calls")
	})

	It("that limits calls without Retry-After gets fewer calls, and in the end all changes", func(ctx SpecContext) {
		w := newWorld(ctx, simulating(simulator.With(simulator.Switches{RateLimit: 10, HideRetryAfter: true})))
		people := w.addresses(30)

		w.declareAll(ctx, people)

		Eventually(w.accounts, "60s").Should(Equal(len(people)))
		Expect(len(refused(w.LambdaTest.Calls()))).To(BeNumerically("<", 100), "calls that were refused")
	})

	It("that fails is called only now and then, and gets all changes once it works", func(ctx SpecContext) {
		w := newWorld(ctx)
		people := w.addresses(50)
		w.LambdaTest.Fail(http.StatusServiceUnavailable)
		w.declareAll(ctx, people)
		Eventually(w.organization(ctx)).Should(BeProgressing(v1alpha1.UpstreamUnavailableReason))
		before, since := len(w.LambdaTest.Calls()), time.Now()

		Consistently(func() int { return len(w.LambdaTest.Calls()) - before }, "3s").Should(
			BeNumerically("<=", 10), "calls since %s", since)

		w.LambdaTest.ClearFaults()
		Eventually(w.accounts).Should(Equal(len(people)))
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))
		Eventually(w.organization(ctx)).Should(BeReady(v1alpha1.SyncedReason))
	})

	It("that works again gets a denial within five seconds, before any other change", func(ctx SpecContext) {
		w := newWorld(ctx, every(tenMinutes))
		ada := w.address("ada")
		id := w.provisioned(ctx, ada)
		account, _ := w.account(ada)()
		w.LambdaTest.Fail(http.StatusBadGateway)
		w.declareAll(ctx, w.addresses(20))
		Eventually(w.standings(ctx)).Should(HaveKey(v1alpha1.UpstreamUnavailableReason))
		w.deny(ctx, id)
		Eventually(w.user(ctx, id)).Should(BeProgressing(v1alpha1.DeniedButActiveReason))
		Eventually(func() int { return len(w.callsFor(ada)) }).Should(BeNumerically(">=", 5), "its creation, and lookups because of the denial")

		w.LambdaTest.ClearFaults()

		Eventually(w.account(ada), "5s").Should(beInactive())
		Expect(denies(firstChange(w.LambdaTest.Calls()), account.ID)).To(BeTrue())
	})

	It("whose answer to a POST is lost has one account afterwards, and was not asked to create it twice", func(ctx SpecContext) {
		w := newWorld(ctx, every(tenMinutes))
		ada := w.address("ada")
		w.LambdaTest.LoseNextAnswer(simulator.On(createUser))

		declared := w.declare(ctx, ada, role(v1alpha1.RoleAdmin))

		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada)()).To(And(beActive(), haveRole("Admin")))
		Expect(w.LambdaTest.Count(createUser)).To(Equal(1))
	})

	It("whose answer to a denial is lost has the person deactivated, whether the call took effect or not", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada, bob := w.address("ada"), w.address("bob")
		adaID, bobID := w.provisioned(ctx, ada), w.provisioned(ctx, bob)
		w.LambdaTest.LoseNextAnswer(simulator.On(updateUser))
		w.LambdaTest.DropNext(simulator.On(updateUser))

		w.deny(ctx, adaID)
		w.deny(ctx, bobID)

		for name, id := range map[string]string{ada: adaID, bob: bobID} {
			Eventually(w.account(name)).Should(beInactive())
			Eventually(w.user(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
		}
	})

	It("that answers HTML instead of JSON is read again: a change that took effect is found, another is repeated once", func(ctx SpecContext) {
		w := newWorld(ctx, every(tenMinutes))
		people := w.addresses(2)
		w.LambdaTest.GarbleNextAnswer(simulator.On(createUser))
		w.LambdaTest.InterceptNext(simulator.On(createUser))
		w.LambdaTest.GarbleNextAnswer(simulator.On(listUsers))

		w.declareAll(ctx, people, role(v1alpha1.RoleUser))

		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, len(people)))
		Expect(w.accounts()).To(Equal(len(people)))
		Expect(w.LambdaTest.Count(createUser)).To(Equal(3), "one for each person, and one that was intercepted")
	})

	It("that fails at random, in all ways, has exactly the desired state in the end", func(ctx SpecContext) {
		w := newWorld(ctx, simulating(simulator.Seed(uint64(GinkgoRandomSeed()))))
		people := w.addresses(40)
		for _, kind := range []simulator.Kind{simulator.Drop, simulator.Intercept, simulator.Lose, simulator.Garble} {
			w.LambdaTest.Inject(simulator.Fault{Kind: kind, Probability: 0.08})
		}
		w.LambdaTest.Fail(http.StatusInternalServerError, simulator.Probability(0.08))

		users := w.declareAll(ctx, people, role(v1alpha1.RoleAdmin))
		Eventually(w.accounts).Should(BeNumerically(">", len(people)/4))
		sideBySide(users[:10], func(user *v1alpha1.LambdaTestUser) { w.redeclare(ctx, user, denied) })
		sideBySide(users[10:20], func(user *v1alpha1.LambdaTestUser) { w.redeclare(ctx, user, role(v1alpha1.RoleGuest)) })
		w.afterSweeps(3)
		w.LambdaTest.ClearFaults()

		Eventually(w.standings(ctx), "60s").Should(Equal(map[string]int{v1alpha1.SyncedReason: len(people)}))
		Expect(w.withRole("Guest")()).To(Equal(10))
		for _, leaver := range people[:10] {
			account, found := w.LambdaTest.Account(leaver)
			Expect(found && account.Active).To(BeFalse(), "a denied person must be inactive, or have no account")
		}
		Expect(w.accounts() - w.inactive()).To(Equal(len(people) - 10))
	})

	It("that answers with the account of another person is not trusted: no account is changed by mistake", func(ctx SpecContext) {
		w := newWorld(ctx, every(tenMinutes))
		ada, bob := w.address("ada"), w.address("bob")
		w.provisioned(ctx, bob)
		w.LambdaTest.Switch(func(s *simulator.Switches) { s.SomebodyElse, s.WrongIDs = true, true })

		w.declare(ctx, ada, denied)

		Eventually(func() int { return len(w.callsFor(ada)) }).Should(BeNumerically(">=", 2))
		Expect(w.account(bob)()).To(beActive())
		w.LambdaTest.Switch(func(s *simulator.Switches) { *s = simulator.Switches{} })
		Eventually(w.user(ctx, w.declaredName(ada))).Should(BeReady(v1alpha1.SyncedReason))
	})
})

// refused returns the calls that were answered with 429.
func refused(calls []simulator.Call) []simulator.Call {
	var found []simulator.Call
	for _, call := range calls {
		if call.Status == http.StatusTooManyRequests {
			found = append(found, call)
		}
	}
	return found
}

// afterRefusal returns the times between the first call that was refused with 429 and the later calls, without calls that were in flight with
// it.
func afterRefusal(calls []simulator.Call) []time.Duration {
	const underWay = 200 * time.Millisecond
	refused := refused(calls)[0]
	var waits []time.Duration
	for _, call := range calls {
		repeated := call.Time.After(refused.Time) && call.Body == refused.Body
		if wait := call.Time.Sub(refused.Time); repeated || wait > underWay {
			waits = append(waits, wait)
		}
	}
	return waits
}

// firstChange returns the first call after the failed ones that changed anything.
func firstChange(calls []simulator.Call) simulator.Call {
	failed := false
	for _, call := range calls {
		failed = failed || call.Status >= http.StatusInternalServerError
		if failed && call.Status < http.StatusMultipleChoices && call.Method != http.MethodGet {
			return call
		}
	}
	return simulator.Call{}
}
