// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// retried lets time pass, and then those try again whose turn it is.
func (w *world) retried(ctx SpecContext, pause time.Duration) {
	GinkgoHelper()
	w.clock.Advance(pause)
	w.connection().TryRefusals()
	for range 2 { // the second time, whom the first ones woke
		w.handleWoken(ctx)
		w.wokenGroups(ctx)
	}
}

var _ = Describe("What LambdaTest refuses", Label("refusals"), func() {
	refusedFor := func(ctx SpecContext, w *world, group string, people int) []*v1alpha1.LambdaTestUser {
		GinkgoHelper()
		users := make([]*v1alpha1.LambdaTestUser, people)
		for i := range users {
			users[i] = w.settled(ctx, MakeUser(fmt.Sprintf("person-%d@example.com", i)).Role(v1alpha1.RoleUser).ConcurrencyGroup(group))
			Expect(users[i]).To(BeStalled(v1alpha1.ConcurrencyGroupNotFoundReason))
		}
		w.woken()
		w.upstream.ResetCalls()
		return users
	}

	It("is tried again within a minute, then less often, and writes no status meanwhile", Label("idle"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.upstream.AddForeignAccount(ada)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.upstream.ResetCalls()

		w.retried(ctx, connection.RefusalPauseMin)
		Expect(w.upstream.Calls()).To(HaveLen(1))
		w.retried(ctx, connection.RefusalPauseMin)
		Expect(w.upstream.Calls()).To(HaveLen(1), "the second pause is longer")
		w.retried(ctx, connection.RefusalPauseMin)
		Expect(w.upstream.Calls()).To(HaveLen(2))
		for range 24 {
			w.retried(ctx, connection.RefusalPauseMax)
		}
		Expect(w.upstream.Calls()).To(HaveLen(26))
		Expect(Fetched(ctx, k8s, user).ResourceVersion).To(Equal(user.ResourceVersion))
	})

	It("is noticed to be over within a minute when the address is freed", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		other := w.upstream.AddOrg("other", "the-token-of-another")
		other.AddAccount(simulator.Account{UserName: ada, Active: true})
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		Expect(other.RemoveAccount(ada)).To(BeTrue())

		w.retried(ctx, connection.RefusalPauseMin)

		Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("costs one call for all who are refused the same concurrency group, and wakes all once it is accepted", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		users := refusedFor(ctx, w, "mobile", 20)

		w.retried(ctx, connection.RefusalPauseMin)
		Expect(w.upstream.Calls()).To(HaveLen(1))

		w.upstream.SetConcurrencyGroup("mobile", true)
		w.retried(ctx, 2*connection.RefusalPauseMin)
		for _, user := range users {
			Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
			Expect(w.account(user.Spec.UserName).ConcurrencyGroup).To(Equal("mobile"))
		}
	})

	It("is over for all as soon as LambdaTest accepts it from a new person", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		users := refusedFor(ctx, w, "mobile", 3)
		w.upstream.SetConcurrencyGroup("mobile", true)

		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser).ConcurrencyGroup("mobile"))
		w.handleWoken(ctx)

		for _, user := range users {
			Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
		}
	})

	It("is tried with the next sweep when an account is shown to have the concurrency group", Label("sweep"), func(ctx SpecContext) {
		w := connectedWorld(ctx, simulator.Reads(simulator.Settings{"concurrency-group-in-answers": "always"}))
		users := refusedFor(ctx, w, "mobile", 2)
		w.upstream.SetConcurrencyGroup("mobile", true)
		w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true, ConcurrencyGroup: "mobile"})

		w.swept(ctx)
		w.retried(ctx, 0)

		for _, user := range users {
			Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
		}
	})

	It("is over with the next sweep when the person has an account here", Label("sweep"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		other := w.upstream.AddOrg("other", "the-token-of-another")
		other.AddAccount(simulator.Account{UserName: ada, Active: true})
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin))
		Expect(other.RemoveAccount(ada)).To(BeTrue())
		w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true, Role: "Guest"})

		w.swept(ctx)

		Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada).Role).To(Equal("Admin"))
	})

	It("is over for all groups once LambdaTest takes one", Label("groups"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		w.upstream.Switch(func(s *simulator.Switches) { s.GroupsOff = true })
		groups := []*v1alpha1.LambdaTestGroup{w.pushed(ctx, MakeGroup("QA")), w.pushed(ctx, MakeGroup("Dev")), w.pushed(ctx, MakeGroup("Ops"))}
		writes := w.upstream.Writes()
		w.retried(ctx, connection.RefusalPauseMin)
		Expect(w.upstream.Writes()).To(Equal(writes + 1))

		w.upstream.Switch(func(s *simulator.Switches) { s.GroupsOff = false })
		w.retried(ctx, 2*connection.RefusalPauseMin)

		for _, group := range groups {
			Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason))
		}
	})

	It("is tried with the next sweep when the name of a group is free", Label("groups", "sweep"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("QA"))
		w.upstream.SetGroup("Taken", nil)
		group = w.regrouped(ctx, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName = "Taken" })
		Expect(group).To(BeStalled(v1alpha1.UpstreamRejectedReason))
		w.upstream.RemoveGroup("Taken")

		w.wholeSweep(ctx)
		w.retried(ctx, 0)

		Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("is tried at once after a change, and when somebody asks", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		users := refusedFor(ctx, w, "mobile", 2)
		w.upstream.SetConcurrencyGroup("mobile", true)

		asking := w.changed(ctx, users[0], func(u *v1alpha1.LambdaTestUser) {
			u.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
		})
		Expect(asking).To(BeReady(v1alpha1.SyncedReason))
		w.woken()
		changing := w.changed(ctx, users[1], func(u *v1alpha1.LambdaTestUser) { u.Spec.DisplayName = "changed" })
		Expect(changing).To(BeReady(v1alpha1.SyncedReason))
	})

	It("is left alone while LambdaTest cannot be called", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		refusedFor(ctx, w, "mobile", 1)
		Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(), func(o *v1alpha1.LambdaTestOrganization) { o.Spec.Suspend = true })
		w.connected(ctx, DefaultOrganization)
		w.woken()

		w.connection().TryRefusals()

		Expect(w.woken()).To(BeEmpty())
	})

	It("is counted in the organization, with the command that lists the people, as long as it lasts", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		refusedFor(ctx, w, "mobile", 2)
		w.events()

		told := w.connected(ctx, DefaultOrganization)
		Expect(told).To(BeReady(v1alpha1.SyncedReason))
		Expect(told).To(HaveCondition(v1alpha1.PeopleRefusedCondition, metav1.ConditionTrue, v1alpha1.UpstreamRejectedReason))
		Expect(w.events()).To(ContainElement(And(HavePrefix("Warning PeopleRefused LambdaTest refuses 2 people"), ContainSubstring("kubectl get ltuser -n "+w.namespace))))

		w.restart()
		Expect(w.connected(ctx, DefaultOrganization).Status.Conditions).To(ContainElement(HaveField("Type", v1alpha1.PeopleRefusedCondition)))
		Expect(w.events()).NotTo(ContainElement(ContainSubstring("PeopleRefused")), "a new leader has no news")

		w.upstream.SetConcurrencyGroup("mobile", true)
		w.swept(ctx)
		Expect(w.connected(ctx, DefaultOrganization).Status.Conditions).NotTo(ContainElement(HaveField("Type", v1alpha1.PeopleRefusedCondition)))
	})

	It("says how to go on when the userName is no e-mail address", func(ctx SpecContext) {
		w := connectedWorld(ctx)

		user := w.settled(ctx, MakeUser("bob").Role(v1alpha1.RoleUser))

		Expect(user).To(BeStalled(v1alpha1.UpstreamRejectedReason))
		Expect(status.ReadyCondition(user).Message).To(ContainSubstring(`the userName "bob" is none`))
		Expect(status.ReadyCondition(user).Message).To(ContainSubstring("create a new resource with the person's e-mail address as userName first, then delete this one."))
	})

	It("ends each message with when it is tried again, and how to ask for it now", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		w.upstream.AddForeignAccount("linus@example.com")
		w.upstream.Switch(func(s *simulator.Switches) { s.GroupsOff = true })
		user := w.settled(ctx, MakeUser("linus@example.com"))
		unknown := w.settled(ctx, MakeUser("ken@example.com").ConcurrencyGroup("mobile"))
		group := w.pushed(ctx, MakeGroup("QA"))

		for object, kind := range map[status.Conditioned]string{user: "ltuser", unknown: "ltuser", group: "ltgroup"} {
			message := status.ReadyCondition(object).Message
			Expect(message).To(HaveSuffix(fmt.Sprintf(" To try now: kubectl annotate %s %s -n %s %s=\"$(date -u +%%FT%%TZ)\" --overwrite",
				kind, object.GetName(), w.namespace, v1alpha1.ReconcileRequestedAtAnnotation)))
			Expect(message).To(ContainSubstring("tried again by itself, within a minute at first"))
		}
	})
})
