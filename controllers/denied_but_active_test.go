// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("A person who is denied and can still sign in", Label("denied-but-active"), func() {
	organization := func(w *world) *v1alpha1.LambdaTestOrganization {
		return MakeOrganization(DefaultOrganization).In(w.namespace).Obj()
	}
	// trouble keeps a denial from being carried out. It returns what ends it.
	type trouble func(ctx context.Context, w *world) (end func())
	failing := func(code int, options ...simulator.FaultOption) trouble {
		return func(_ context.Context, w *world) func() {
			w.upstream.Fail(code, options...)
			return w.upstream.ClearFaults
		}
	}
	suspended := func(ctx context.Context, w *world) func() {
		suspend := func(suspend bool) {
			Changed(ctx, k8s, organization(w), func(o *v1alpha1.LambdaTestOrganization) { o.Spec.Suspend = suspend })
			w.connected(ctx, DefaultOrganization)
		}
		suspend(true)
		return func() { suspend(false) }
	}
	withoutSecret := func(ctx context.Context, w *world) func() {
		secret := secretNamed(w.namespace, "lambdatest-"+DefaultOrganization)
		Deleted(ctx, k8s, secret)
		w.connected(ctx, DefaultOrganization)
		return func() {
			Applied(ctx, k8s, MakeSecret(w.namespace, secret.Name, upstreamToken))
			w.connected(ctx, DefaultOrganization)
		}
	}
	circuitOpen := func(ctx context.Context, w *world) func() {
		w.upstream.Fail(http.StatusServiceUnavailable)
		for i := range lane.CircuitThreshold {
			w.settled(ctx, MakeUser(fmt.Sprintf("person-%d@example.com", i)).Role(v1alpha1.RoleUser))
		}
		state, _ := w.connection().Lane.State()
		Expect(state).To(Equal("open"))
		return func() {
			w.upstream.ClearFaults()
			w.clock.Advance(DefaultBackoffMax)
		}
	}

	DescribeTable("says so, since when, why and what to do by hand",
		func(ctx SpecContext, hold trouble, why string) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin))
			end := hold(ctx, w)
			w.events()
			at := w.clock.Now()

			user = w.changed(ctx, user, denied)

			Expect(user).To(HaveCondition(v1alpha1.ReadyCondition, metav1.ConditionFalse, v1alpha1.DeniedButActiveReason))
			message := status.ReadyCondition(user).Message
			Expect(message).To(And(
				HavePrefix("LambdaTestUser/ada has denied this person since %s, and account %s (Admin) can still sign in: ", at.UTC().Format(time.RFC3339), user.Status.AccountID),
				ContainSubstring(why), ContainSubstring("deactivate the person by hand at LambdaTest"), Not(ContainSubstring("nothing needs to be done"))))
			Expect(user.Status.DeniedAt.Time).To(BeTemporally("==", at.Truncate(time.Second)))
			Expect(user.Status.OffAt).To(BeNil())
			Expect(w.connected(ctx, DefaultOrganization).Status.PendingDenials).To(HaveValue(BeEquivalentTo(1)))
			Expect(w.events()).NotTo(ContainElement(ContainSubstring("DeniedButActive")), "it may be over in a moment")

			end()
			w.clock.Advance(DefaultBackoffMax)
			w.handleWoken(ctx)
			user = w.again(ctx, user)
			Expect(user).To(BeReady(v1alpha1.SyncedReason))
			Expect(user.Status.DeniedAt.Time).To(BeTemporally("==", at.Truncate(time.Second)))
			Expect(user.Status.OffAt.Time).To(BeTemporally(">=", user.Status.DeniedAt.Time))
			Expect(w.account(ada).Active).To(BeFalse())
		},
		Entry("while LambdaTest answers 503", failing(http.StatusServiceUnavailable), "no answer that can be trusted"),
		Entry("while LambdaTest fails for this person", failing(http.StatusInternalServerError, simulator.On("PATCH /Users/{id}")), "no answer that can be trusted"),
		Entry("while LambdaTest asks to slow down", failing(http.StatusTooManyRequests), "LambdaTest asks to slow down"),
		Entry("while LambdaTest has not answered anybody for a while", trouble(circuitOpen), "LambdaTest has not answered for a while"),
		Entry("while the organization is suspended", trouble(suspended), "set its spec.suspend to false"),
		Entry("while the organization has no token", trouble(withoutSecret), "cannot be called"),
	)

	It("says so while LambdaTest refuses the token", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin))
		w.upstream.Fail(http.StatusUnauthorized)

		user = w.changed(ctx, user, denied)

		Expect(user).To(BeStalled(v1alpha1.DeniedButActiveReason))
		Expect(status.ReadyCondition(user).Message).To(And(ContainSubstring("LambdaTest refuses the token"), ContainSubstring("by hand at LambdaTest")))
	})

	It("is told in an event once it has lasted for a minute, and by the organization until it is over", Label("events"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin))
		w.upstream.Fail(http.StatusServiceUnavailable)
		user = w.changed(ctx, user, denied)
		Expect(w.connected(ctx, DefaultOrganization)).NotTo(HaveCondition(v1alpha1.PeopleDeniedButActiveCondition, metav1.ConditionTrue, v1alpha1.DeniedButActiveReason))
		w.events()

		w.clock.Advance(connection.DenialOverdue)
		w.reconciled(ctx, user)
		told := w.connected(ctx, DefaultOrganization)

		Expect(told).To(HaveCondition(v1alpha1.PeopleDeniedButActiveCondition, metav1.ConditionTrue, v1alpha1.DeniedButActiveReason))
		Expect(w.events()).To(ContainElements(
			HavePrefix("Warning DeniedButActive LambdaTestUser/ada has denied this person since"),
			HavePrefix("Warning PeopleDeniedButActive 1 person is denied and can still sign in at LambdaTest, or may be able to, by LambdaTestUser/ada since")))
		w.clock.Advance(time.Minute)
		w.reconciled(ctx, user)
		w.connected(ctx, DefaultOrganization)
		Expect(w.events()).To(BeEmpty(), "told once")

		w.upstream.ClearFaults()
		w.clock.Advance(DefaultBackoffMax)
		Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.connected(ctx, DefaultOrganization)).NotTo(HaveCondition(v1alpha1.PeopleDeniedButActiveCondition, metav1.ConditionTrue, v1alpha1.DeniedButActiveReason))
	})

	It("is asked about again when the minute is over, also while nothing is tried", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin))
		suspended(ctx, w)
		user = w.changed(ctx, user, denied)

		Expect(w.reconciled(ctx, user).RequeueAfter).To(And(BeNumerically(">", 0), BeNumerically("<=", connection.DenialOverdue)))
		result, err := w.organizations.Reconcile(ctx, requestFor(organization(w)))
		Expect(err).NotTo(HaveOccurred())
		Expect(result.RequeueAfter).To(And(BeNumerically(">", 0), BeNumerically("<=", connection.DenialOverdue)))
	})
})

var _ = Describe("The time of a denial", Label("denied-but-active"), func() {
	It("does not move with later changes of the claim, nor with sweeps and restarts", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		at := w.clock.Now().Truncate(time.Second)
		user = w.changed(ctx, user, denied)
		Expect(user.Status).To(And(HaveField("DeniedAt.Time", BeTemporally("==", at)), HaveField("OffAt.Time", BeTemporally(">=", at))))
		off := user.Status.OffAt

		w.clock.Advance(time.Hour)
		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.DisplayName = "Ada L." })
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.swept(ctx)
		user = w.again(ctx, user)

		Expect(user.Status.DeniedAt.Time).To(BeTemporally("==", at))
		Expect(user.Status.OffAt).To(Equal(off))
	})

	It("is that of the request, for a claim of the identity provider", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		asked := w.clock.Now().Add(-time.Hour).UTC().Truncate(time.Second)
		claim := MakeUser(ada).FromSCIM().Denied()
		claim.Obj().Annotations = map[string]string{v1alpha1.LastModifiedAnnotation: asked.Format(time.RFC3339)}
		user := w.settled(ctx, claim)
		active := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))

		Expect(user.Status.DeniedAt.Time).To(BeTemporally("==", asked))
		Expect(status.ReadyCondition(active).Message).To(ContainSubstring("has denied this person since " + asked.Format(time.RFC3339)))

		pushed := w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) {
			u.Annotations[v1alpha1.LastModifiedAnnotation] = w.clock.Now().UTC().Format(time.RFC3339)
			u.Spec.DisplayName = "Ada L."
		})
		Expect(pushed.Status.DeniedAt.Time).To(BeTemporally("==", asked), "a profile push is no denial")
		Expect(status.ReadyCondition(Fetched(ctx, k8s, active)).Message).To(ContainSubstring("since " + asked.Format(time.RFC3339)))
	})

	It("is that of the creation, for a declared claim that denies from the beginning", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.clock.Advance(time.Hour)

		user := w.settled(ctx, MakeUser(ada).Denied())

		Expect(user.Status.DeniedAt.Time).To(BeTemporally("==", user.CreationTimestamp.Time))
		Expect(user.Status.OffAt).NotTo(BeNil(), "there is no account")
	})

	It("is gone when the claim does not deny any more, and begins anew with the next denial", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		user = w.changed(ctx, user, denied)
		w.clock.Advance(time.Hour)

		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = nil })
		Expect(user.Status).To(And(HaveField("DeniedAt", BeNil()), HaveField("OffAt", BeNil())))

		again := w.clock.Now().Truncate(time.Second)
		user = w.changed(ctx, user, denied)
		Expect(user.Status.DeniedAt.Time).To(BeTemporally("==", again))
	})

	It("is not known as off before LambdaTest said so", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.upstream.LoseNextAnswer(simulator.On("PATCH /Users/{id}"))

		user = w.changed(ctx, user, denied)

		Expect(user.Status.OffAt).To(BeNil())
		w.clock.Advance(time.Minute)
		Expect(w.again(ctx, user).Status.OffAt).NotTo(BeNil())
	})
})

var _ = Describe("The counts of an organization", Label("counts"), func() {
	counts := func(ctx context.Context, w *world) v1alpha1.LambdaTestOrganizationStatus {
		GinkgoHelper()
		return w.connected(ctx, DefaultOrganization).Status
	}

	It("tell active accounts that nobody claims from those that are off, and Admins from both", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: "off@example.com", Role: "Admin"})
		w.upstream.AddAccount(simulator.Account{UserName: "shadow-admin@example.com", Active: true, Role: "Admin"})
		w.upstream.AddAccount(simulator.Account{UserName: "shadow@example.com", Active: true, Role: "User"})
		withOrganization(ctx, w)
		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin))

		now := counts(ctx, w)

		Expect(now.Unclaimed).To(HaveValue(BeEquivalentTo(3)))
		Expect(now.UnclaimedActive).To(HaveValue(BeEquivalentTo(2)))
		Expect(now.UnclaimedAdmins).To(HaveValue(BeEquivalentTo(1)))
		Expect(now.Admins).To(HaveValue(BeEquivalentTo(2)))
		Expect(now.Refused).To(HaveValue(BeZero()))
	})

	It("follow an unclaimed account that is made Admin at LambdaTest with the next sweep", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: "shadow@example.com", Active: true, Role: "User"})
		withOrganization(ctx, w)
		counts(ctx, w)
		w.queuedOrganizations.taken()
		_, err := w.upstream.EditAccount("shadow@example.com", func(a *simulator.Account) { a.Role = "Admin" })
		Expect(err).NotTo(HaveOccurred())

		w.swept(ctx)

		Expect(w.queuedOrganizations.taken()).To(HaveKey(requestFor(MakeOrganization(DefaultOrganization).In(w.namespace).Obj())))
		Expect(counts(ctx, w).UnclaimedAdmins).To(HaveValue(BeEquivalentTo(1)))
	})

	It("say who is refused", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.upstream.AddForeignAccount(ada)

		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))

		Expect(counts(ctx, w).Refused).To(HaveValue(BeEquivalentTo(1)))
	})

	It("warn when the last active Admin is gone, until there is one again", Label("events"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		Expect(counts(ctx, w).Admins).To(HaveValue(BeZero()))
		Expect(w.events()).NotTo(ContainElement(ContainSubstring("NoActiveAdmin")), "LambdaTest may not show roles")
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin))
		Expect(counts(ctx, w).Admins).To(HaveValue(BeEquivalentTo(1)))

		user = w.changed(ctx, user, denied)
		alarmed := w.connected(ctx, DefaultOrganization)

		Expect(alarmed).To(HaveCondition(v1alpha1.NoActiveAdminCondition, metav1.ConditionTrue, v1alpha1.NoActiveAdminReason))
		Expect(w.events()).To(ContainElement(HavePrefix("Warning NoActiveAdmin No account of this organization is Admin and active")))
		w.restart()
		Expect(w.connected(ctx, DefaultOrganization)).To(HaveCondition(v1alpha1.NoActiveAdminCondition, metav1.ConditionTrue, v1alpha1.NoActiveAdminReason))
		Expect(w.connection().Sweep(ctx)).To(Succeed())
		w.clock.Advance(time.Second)

		w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = nil })
		Expect(w.connected(ctx, DefaultOrganization)).NotTo(HaveCondition(v1alpha1.NoActiveAdminCondition, metav1.ConditionTrue, v1alpha1.NoActiveAdminReason))
	})

	It("do not move while nothing changes", Label("idle"), func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: "shadow-admin@example.com", Active: true, Role: "Admin"})
		withOrganization(ctx, w)
		user := w.settled(ctx, MakeUser(ada).Denied())
		organization := w.connected(ctx, DefaultOrganization)
		versions := []string{user.ResourceVersion, organization.ResourceVersion}

		for range 10 {
			w.clock.Advance(10 * time.Minute)
			w.swept(ctx)
			w.reconciled(ctx, user)
			w.connected(ctx, DefaultOrganization)
		}

		var now []string
		for _, object := range []client.Object{user, organization} {
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
			now = append(now, object.GetResourceVersion())
		}
		Expect(now).To(Equal(versions))
	})
})
