// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// staff is the number of people in each organization here. freely is how many of them the guard lets lose access within an hour: the
// minimum of ten, which is more than a fifth of them and less than half.
const (
	staff  = 30
	freely = 10
)

var _ = Describe("the guard", Label("guard"), func() {
	// staffed returns a world whose people only Git declares, after that many of them were pruned, and the token of the set that the guard
	// holds.
	staffed := func(ctx context.Context, pruned int) (w *world, people []*v1alpha1.LambdaTestUser, token string) {
		GinkgoHelper()
		w = newWorld(ctx)
		people = w.declareAll(ctx, w.addresses(staff))
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, staff))
		w.prune(ctx, people[:pruned]...)
		Eventually(w.held(ctx)).Should(HaveField("Count", BeEquivalentTo(pruned-freely)))
		Eventually(w.inactive).Should(Equal(freely))
		return w, people, w.heldToken(ctx)
	}

	It("lets a prune of most people deactivate ten accounts and holds the rest, who keep access; their status says what to do", func(ctx SpecContext) {
		w, people, token := staffed(ctx, 25)

		w.afterSweeps(2)

		Expect(w.inactive()).To(Equal(freely))
		Expect(w.standings(ctx)()).To(And(
			HaveKeyWithValue(v1alpha1.DeprovisionHeldReason, 25-freely), HaveKeyWithValue(v1alpha1.SyncedReason, staff-25)))
		Expect(w.organization(ctx)()).To(HaveField("Status.Conditions", ContainElement(And(
			HaveField("Type", v1alpha1.GuardHoldingCondition), HaveField("Status", metav1.ConditionTrue),
			HaveField("Message", And(ContainSubstring("kubectl lambdatest approve"), Not(ContainSubstring(token))))))))
		held, err := w.claim(ctx, w.heldPeople(ctx)[0])
		Expect(err).NotTo(HaveOccurred())
		Expect(messageOf(held)).To(ContainSubstring("kubectl lambdatest status"))
		Expect(w.readerOf(ctx, people[staff-1])()).To(Succeed())
	})

	It("deactivates exactly the held set when its token is approved", func(ctx SpecContext) {
		w, people, token := staffed(ctx, 25)

		w.annotate(ctx, v1alpha1.ApproveDeprovisionAnnotation, token)

		Eventually(w.inactive).Should(Equal(25))
		for _, pruned := range people[:25] {
			Eventually(w.readerOf(ctx, pruned)).Should(beGone())
		}
		Expect(w.held(ctx)()).To(BeNil())
	})

	It("remembers an approval although Git removes the annotation at once", func(ctx SpecContext) {
		w, _, token := staffed(ctx, 25)

		w.annotate(ctx, v1alpha1.ApproveDeprovisionAnnotation, token)
		Eventually(w.organization(ctx)).Should(HaveField("Status.Guard.Approved", Not(BeNil())))
		w.configure(ctx, func(o *v1alpha1.LambdaTestOrganization) { delete(o.Annotations, v1alpha1.ApproveDeprovisionAnnotation) })

		Eventually(w.inactive).Should(Equal(25))
	})

	It("releases the held resources and changes no account when their token is rejected", Label("orphan"), func(ctx SpecContext) {
		w, people, token := staffed(ctx, 25)
		before := w.LambdaTest.Writes()

		w.annotate(ctx, v1alpha1.RejectDeprovisionAnnotation, token)

		for _, pruned := range people[:25] {
			Eventually(w.readerOf(ctx, pruned)).Should(beGone())
		}
		Expect(w.inactive()).To(Equal(freely))
		Expect(w.LambdaTest.Writes()).To(Equal(before))
	})

	It("does not accept a token after the set has grown", func(ctx SpecContext) {
		w, people, stale := staffed(ctx, 20)
		w.prune(ctx, people[20])
		Eventually(w.held(ctx)).Should(HaveField("Token", Not(Equal(stale))))

		w.annotate(ctx, v1alpha1.ApproveDeprovisionAnnotation, stale)

		w.afterSweeps(2)
		Expect(w.inactive()).To(Equal(freely))
		w.annotate(ctx, v1alpha1.ApproveDeprovisionAnnotation, w.heldToken(ctx))
		Eventually(w.inactive).Should(Equal(21))
	})

	It("drops a held person who is claimed again: no approval, no call", func(ctx SpecContext) {
		w, _, _ := staffed(ctx, 25)
		back, err := w.claim(ctx, w.heldPeople(ctx)[0])
		Expect(err).NotTo(HaveOccurred())
		before := w.LambdaTest.Writes()

		w.provision(ctx, back.Spec.UserName)

		Eventually(w.readerOf(ctx, back)).Should(beGone())
		Eventually(w.held(ctx)).Should(HaveField("Count", BeEquivalentTo(25-freely-1)))
		Expect(w.account(back.Spec.UserName)()).To(beActive())
		Expect(w.LambdaTest.Writes()).To(Equal(before))
	})

	It("lets explicit denials pass, even of all people at once", Label("deny-wins"), func(ctx SpecContext) {
		w := newWorld(ctx)
		everybody := w.addresses(staff)
		ids := make([]string, staff)
		for i, person := range everybody {
			ids[i] = w.provision(ctx, person)
		}
		Eventually(w.accounts).Should(Equal(staff))

		sideBySide(ids, func(id string) { w.deny(ctx, id) })

		Eventually(w.inactive).Should(Equal(staff))
	})

	It("holds the same set after the leader was killed, and still counts the people before", Label("failover", "slow"), func(ctx SpecContext) {
		slowly()
		w, _, token := staffed(ctx, 25)
		leader := w.theLeader(ctx)

		leader.Kill()
		DeferCleanup(leader.Start)
		Eventually(w.leader(ctx), takeover).ShouldNot(Equal(leader))
		w.afterSweeps(3)

		Expect(w.inactive()).To(Equal(freely))
		Expect(w.heldToken(ctx)).To(Equal(token))
	})
})

var _ = Describe("the guard of roles", Label("demotion"), func() {
	It("lets a prune of resources that give Admin demote ten people, and holds the rest until they are approved", func(ctx SpecContext) {
		w := newWorld(ctx)
		everybody := w.addresses(staff)
		for _, person := range everybody {
			w.provision(ctx, person, withRole("User"))
		}
		admins := w.declareAll(ctx, everybody, role(v1alpha1.RoleAdmin))
		Eventually(w.withRole("Admin")).Should(Equal(staff))
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, 2*staff))

		w.prune(ctx, admins...)

		Eventually(w.held(ctx)).Should(HaveField("Count", BeEquivalentTo(staff-freely)))
		w.afterSweeps(2)
		Expect(w.withRole("Admin")()).To(Equal(staff - freely))
		Eventually(w.standings(ctx)).Should(HaveKey(v1alpha1.DemotionHeldReason))
		w.annotate(ctx, v1alpha1.ApproveDeprovisionAnnotation, w.heldToken(ctx))
		Eventually(w.withRole("User")).Should(Equal(staff))
	})

	It("lets the identity provider lower roles, even of all people at once", func(ctx SpecContext) {
		w := newWorld(ctx)
		ids := make([]string, staff)
		for i, person := range w.addresses(staff) {
			ids[i] = w.provision(ctx, person, withRole("Admin"))
		}
		Eventually(w.withRole("Admin")).Should(Equal(staff))

		sideBySide(ids, func(id string) { w.push(ctx, id, withRole("Guest")) })

		Eventually(w.withRole("Guest")).Should(Equal(staff))
	})
})

// held returns a function for Eventually: the set that the guard holds; nil when it holds none.
func (w *world) held(ctx context.Context) func() (*v1alpha1.HeldSet, error) {
	return func() (*v1alpha1.HeldSet, error) {
		organization, err := w.organization(ctx)()
		if err != nil || organization.Status.Guard == nil {
			return nil, err
		}
		return organization.Status.Guard.Held, nil
	}
}

func (w *world) heldToken(ctx context.Context) string {
	GinkgoHelper()
	held, err := w.held(ctx)()
	Expect(err).NotTo(HaveOccurred())
	Expect(held).NotTo(BeNil(), "the guard must hold people")
	return held.Token
}

func (w *world) heldPeople(ctx context.Context) []string {
	GinkgoHelper()
	held, err := w.held(ctx)()
	Expect(err).NotTo(HaveOccurred())
	Expect(held).NotTo(BeNil(), "the guard must hold people")
	return held.People
}
