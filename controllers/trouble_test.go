// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// wants changes the role, which is a call.
func wants(role v1alpha1.Role) func(*v1alpha1.LambdaTestUser) {
	return func(u *v1alpha1.LambdaTestUser) { u.Spec.Role = role }
}

func denied(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(false) }

var _ = Describe("When LambdaTest", Label("circuit"), func() {
	It("fails one person's call, that person alone waits, longer each time", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.upstream.Fail(http.StatusInternalServerError, simulator.On("PATCH /Users/{id}"))

		user = w.changed(ctx, user, wants(v1alpha1.RoleAdmin))
		Expect(user).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))
		first := w.reconciled(ctx, user).RequeueAfter
		w.clock.Advance(first)
		second := w.reconciled(ctx, user).RequeueAfter
		Expect(second).To(BeNumerically(">", first))
		Expect(w.upstream.Count("PATCH /Users/{id}")).To(Equal(2))

		grace := w.settled(ctx, MakeUser("grace@example.com").Role(v1alpha1.RoleUser))
		Expect(grace).To(BeReady(v1alpha1.SyncedReason))
		w.upstream.ClearFaults()
		w.clock.Advance(second)
		Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("shows an account that it does not find by the id it gives, the person waits, longer each time", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.upstream.ResetCalls()
		w.upstream.Fail(http.StatusNotFound, simulator.On("PATCH /Users/{id}"))

		user = Changed(ctx, k8s, user, wants(v1alpha1.RoleAdmin))
		const tries = 8
		for range tries {
			w.clock.Advance(w.reconciled(ctx, user).RequeueAfter)
		}

		Expect(Fetched(ctx, k8s, user)).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))
		Expect(w.reconciled(ctx, user).RequeueAfter).To(BeNumerically(">", DefaultBackoffMax/2))
		Expect(len(w.upstream.Calls())).To(BeNumerically("<=", 2*(tries+2)))
		w.upstream.ClearFaults()
		w.clock.Advance(DefaultBackoffMax)
		Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("is back after an outage, nobody waits any longer for what happened before", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		users := make([]*v1alpha1.LambdaTestUser, lane.CircuitThreshold)
		w.upstream.Fail(http.StatusServiceUnavailable)
		for i := range users {
			users[i] = w.settled(ctx, MakeUser(fmt.Sprintf("person-%d@example.com", i)).Role(v1alpha1.RoleUser))
		}
		for range 6 {
			w.clock.Advance(DefaultBackoffMax)
			for _, user := range users {
				w.reconciled(ctx, user)
			}
		}
		Expect(w.connected(ctx, DefaultOrganization)).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))
		w.upstream.ClearFaults()
		w.clock.Advance(DefaultBackoffMax)
		w.woken()

		w.reconciled(ctx, users[0])
		w.handleWoken(ctx)
		w.handleWoken(ctx)

		for _, user := range users {
			Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
		}
	})

	It("fails a denial, it is repeated every other second at the least", Label("deny-wins"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.upstream.Fail(http.StatusServiceUnavailable)
		user = w.changed(ctx, user, denied)
		for range 10 {
			wait := w.reconciled(ctx, user).RequeueAfter
			Expect(wait).To(And(BeNumerically(">", 0), BeNumerically("<=", lane.DenialBackoffMax)))
			w.clock.Advance(wait)
		}
		w.upstream.ClearFaults()
		w.clock.Advance(lane.DenialBackoffMax)

		w.reconciled(ctx, user)

		Expect(w.account(ada).Active).To(BeFalse())
	})

	It("loses the answer to a creation, it is read before anything is written again", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.upstream.LoseNextAnswer(simulator.On("POST /Users"))
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		Expect(user).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))
		w.clock.Advance(time.Minute)

		user = w.again(ctx, user)

		Expect(user).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Count("POST /Users")).To(Equal(1))
	})

	It("loses the answer to an activation, a denial that follows is read back once the activation can no longer arrive", Label("deny-wins"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.clock.Advance(time.Hour)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		user = w.changed(ctx, user, denied)
		w.upstream.LoseNextAnswer(simulator.On("PATCH /Users/{id}"))
		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(true) })
		user = Changed(ctx, k8s, user, denied)
		result := w.reconciled(ctx, user)
		Expect(w.account(ada).Active).To(BeFalse())
		Expect(result.RequeueAfter).To(And(BeNumerically(">", 0), BeNumerically("<=", connection.CallTimeout)))

		// The activation arrives late.
		_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) { a.Active = true })
		Expect(err).NotTo(HaveOccurred())
		w.clock.Advance(result.RequeueAfter)
		w.reconciled(ctx, user)

		Expect(w.account(ada).Active).To(BeFalse())
	})

	It("may still carry out a call of a former leader, a denial of the new one is read back", Label("deny-wins"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.swept(ctx)
		user = Changed(ctx, k8s, user, denied)
		result := w.reconciled(ctx, user)
		Expect(result.RequeueAfter).To(And(BeNumerically(">", connection.CallTimeout), BeNumerically("<=", DefaultLeaseDuration+connection.CallTimeout)))

		_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) { a.Active = true })
		Expect(err).NotTo(HaveOccurred())
		w.clock.Advance(result.RequeueAfter)
		w.reconciled(ctx, user)

		Expect(w.account(ada).Active).To(BeFalse())
	})

	It("may still carry out an activation of a former leader, an account that is off is read back", Label("deny-wins"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: ada})
		user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Denied().Obj())
		result := w.reconciled(ctx, user)
		Expect(w.upstream.Writes()).To(BeZero())
		Expect(result.RequeueAfter).To(BeNumerically(">", connection.CallTimeout))

		_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) { a.Active = true })
		Expect(err).NotTo(HaveOccurred())
		w.clock.Advance(result.RequeueAfter)
		Expect(w.reconciled(ctx, user).RequeueAfter).To(BeZero())

		Expect(w.account(ada).Active).To(BeFalse())
	})

	It("may have carried out an activation of a former leader, a young denial that is looked at late is read back", Label("deny-wins", "failover"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		user = w.changed(ctx, user, denied)
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.swept(ctx)
		_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) { a.Active = true })
		Expect(err).NotTo(HaveOccurred())
		w.clock.Advance(DefaultLeaseDuration + connection.CallTimeout + time.Second)

		w.reconciled(ctx, user)

		Expect(w.account(ada).Active).To(BeFalse())
		w.upstream.ResetCalls()
		w.reconciled(ctx, user)
		Expect(w.upstream.Calls()).To(BeEmpty(), "once is enough")
	})

	It("cannot have carried out a call of a former leader any more, nobody is read back", Label("idle", "failover"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		user = w.changed(ctx, user, denied)
		none := w.settled(ctx, MakeUser("grace@example.com").Denied())
		w.clock.Advance(time.Hour)
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.swept(ctx)
		w.clock.Advance(DefaultLeaseDuration + connection.CallTimeout + time.Second)
		w.upstream.ResetCalls()

		w.reconciled(ctx, user)
		w.reconciled(ctx, none)

		Expect(w.upstream.Calls()).To(BeEmpty())
	})

	It("is about to be somebody else's to call, no call is begun", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.restartWith(Options{LeadUntil: func() time.Time { return w.clock.Now().Add(connection.MinCallTimeout) }})
		w.connected(ctx, DefaultOrganization)
		w.connection().Accounts.Attempted()

		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))

		Expect(w.upstream.Calls()).To(BeEmpty())
	})

	DescribeTable("lies, nothing is written that was not asked for, and nothing panics",
		func(ctx SpecContext, lie func(*simulator.Switches), writes int) {
			w := connectedWorld(ctx, simulator.Population(30))
			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
			w.upstream.ResetCalls()
			w.upstream.Switch(lie)
			w.clock.Advance(time.Second)

			_ = w.connection().Sweep(ctx)
			w.handleWoken(ctx)
			user = w.changed(ctx, user, wants(v1alpha1.RoleAdmin))
			w.settled(ctx, MakeUser("grace@example.com"))

			for _, call := range w.upstream.Calls() {
				if call.Method != http.MethodGet {
					Expect(call.Body).To(Or(ContainSubstring("grace@example.com"), ContainSubstring("Admin")))
				}
			}
			Expect(w.upstream.Writes()).To(BeNumerically("<=", writes))
			Expect(w.account("user-000001@example.com")).To(And(HaveField("Active", true), HaveField("Role", "User")))
			w.upstream.Switch(func(s *simulator.Switches) { *s = simulator.Switches{} })
			w.clock.Advance(time.Minute)
			w.swept(ctx)
			Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
		},
		Entry("about ids", func(s *simulator.Switches) { s.WrongIDs = true }, 2),
		Entry("without ids", func(s *simulator.Switches) { s.MissingIDs = true }, 2),
		Entry("about whom it found", func(s *simulator.Switches) { s.SomebodyElse = true }, 1),
		Entry("by repeating pages", func(s *simulator.Switches) { s.RepeatPages, s.MaxPageSize = true, 10 }, 2),
		Entry("by leaving gaps", func(s *simulator.Switches) { s.GapsInPages = 2 }, 2),
		Entry("about totals", func(s *simulator.Switches) { s.WrongTotals = -5 }, 2),
		Entry("by cutting lists short", func(s *simulator.Switches) { s.TruncateLists = 3 }, 2),
	)

	It("is replaced by HTML, it is taken for unavailable", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.upstream.InterceptNext()

		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))

		Expect(user).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))
		Expect(w.upstream.Accounts()).To(BeEmpty())
	})

	It("gives each page of a list in another order, the list is put together or discarded", Label("partial-sweep"), func(ctx SpecContext) {
		w := connectedWorld(ctx, simulator.Population(30))
		w.upstream.MustRead(simulator.Settings{"order-of-lists": "another-at-each-call"})
		w.upstream.Switch(func(s *simulator.Switches) { s.MaxPageSize = 10 })
		w.clock.Advance(time.Second)

		err := w.connection().Sweep(ctx)

		Expect(err).To(Or(Succeed(), MatchError(ContainSubstring("shows"))))
		Expect(w.connection().Accounts.Size()).To(Equal(30))
	})
})

var _ = Describe("The token of another organization", Label("wrong-org"), func() {
	populated := func(ctx SpecContext, people int) (*world, []*v1alpha1.LambdaTestUser) {
		w := connectedWorld(ctx)
		users := make([]*v1alpha1.LambdaTestUser, people)
		for i := range users {
			users[i] = w.settled(ctx, MakeUser(fmt.Sprintf("person-%d@example.com", i)).Role(v1alpha1.RoleUser))
		}
		return w, users
	}
	rotate := func(ctx SpecContext, w *world, token string) {
		Changed(ctx, k8s, secretNamed(w.namespace, "lambdatest-default"),
			func(s *corev1.Secret) { s.Data = map[string][]byte{"token": []byte(token)} })
		w.connected(ctx, DefaultOrganization)
	}

	It("stops all writes until the right one is back", func(ctx SpecContext) {
		w, users := populated(ctx, 5)
		other := w.upstream.AddOrg("other", "the-token-of-another")
		rotate(ctx, w, "the-token-of-another")
		w.clock.Advance(time.Second)

		Expect(w.connection().Sweep(ctx)).To(MatchError(ContainSubstring("5 of 5 known accounts are gone")))
		w.handleWoken(ctx)
		created := w.settled(ctx, MakeUser("grace@example.com").Role(v1alpha1.RoleUser))
		changed := w.changed(ctx, users[0], wants(v1alpha1.RoleAdmin))

		Expect(w.connected(ctx, DefaultOrganization)).To(BeStalled(v1alpha1.OrganizationChangedReason))
		Expect(created).To(BeStalled(v1alpha1.OrganizationChangedReason))
		Expect(changed).To(BeStalled(v1alpha1.OrganizationChangedReason))
		Expect(other.Writes()).To(BeZero())

		w.woken()
		rotate(ctx, w, upstreamToken)
		w.swept(ctx)
		Expect(Fetched(ctx, k8s, created)).To(BeReady(v1alpha1.SyncedReason))
		Expect(Fetched(ctx, k8s, changed)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("never stops a denial for an account that LambdaTest still shows", Label("denied-but-active"), func(ctx SpecContext) {
		w, users := populated(ctx, 8)
		for i := range 3 {
			Expect(w.upstream.RemoveAccount(users[i].Spec.UserName)).To(BeTrue())
		}
		w.clock.Advance(time.Second)
		Expect(w.connection().Sweep(ctx)).To(MatchError(ContainSubstring("3 of 8 known accounts are gone")))
		w.upstream.ResetCalls()

		there := w.changed(ctx, users[7], denied)
		gone := w.changed(ctx, users[0], denied)
		promoted := w.changed(ctx, users[6], wants(v1alpha1.RoleAdmin))

		Expect(there).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(users[7].Spec.UserName).Active).To(BeFalse())
		Expect(gone).To(BeStalled(v1alpha1.DeniedButActiveReason))
		Expect(promoted).To(BeStalled(v1alpha1.OrganizationChangedReason))
		Expect(w.upstream.Writes()).To(Equal(1))
	})

	It("denies nobody in the other organization, and says so", Label("denied-but-active"), func(ctx SpecContext) {
		w, users := populated(ctx, 5)
		other := w.upstream.AddOrg("other", "the-token-of-another")
		rotate(ctx, w, "the-token-of-another")
		w.clock.Advance(time.Second)
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())

		user := w.changed(ctx, users[0], denied)
		Expect(user).To(BeStalled(v1alpha1.DeniedButActiveReason))
		Expect(w.connected(ctx, DefaultOrganization).Status.PendingDenials).To(HaveValue(BeNumerically("==", 1)))
		Expect(other.Writes()).To(BeZero())

		rotate(ctx, w, upstreamToken)
		w.swept(ctx)
		Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(users[0].Spec.UserName).Active).To(BeFalse())
	})

	DescribeTable("moves nobody and creates nobody before the first sweep recognises the organization", Label("denied-but-active"),
		func(ctx SpecContext, setting string, restarted bool) {
			w, users := populated(ctx, 5)
			other := w.upstream.AddOrg("other", "the-token-of-another")
			other.MustRead(simulator.Settings{"user-of-another-organization": setting})
			if restarted {
				w.restart()
			}
			rotate(ctx, w, "the-token-of-another")

			Expect(w.changed(ctx, users[0], denied)).To(And(BeStalled(v1alpha1.DeniedButActiveReason), HaveField("Status.AccountID", users[0].Status.AccountID)))
			for i := range users[1:] {
				user := w.changed(ctx, users[1+i], wants(v1alpha1.RoleAdmin))
				Expect(user).To(And(BeProgressing(v1alpha1.ProgressingReason), HaveField("Status.AccountID", users[1+i].Status.AccountID)))
			}
			w.clock.Advance(time.Second)
			Expect(w.connection().Sweep(ctx)).To(MatchError(ContainSubstring("5 of 5 known accounts are gone")))
			w.handleWoken(ctx)
			created := w.settled(ctx, MakeUser("grace@example.com").Role(v1alpha1.RoleUser))

			Expect(created).To(BeStalled(v1alpha1.OrganizationChangedReason))
			Expect(other.Accounts()).To(BeEmpty())
			Expect(other.Count("POST /Users")).To(BeZero())

			rotate(ctx, w, upstreamToken)
			w.swept(ctx)
			for i, user := range users {
				Expect(w.again(ctx, user)).To(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.AccountID", user.Status.AccountID)))
				Expect(w.account(user.Spec.UserName).Active).To(Equal(i > 0))
			}
			Expect(Fetched(ctx, k8s, created)).To(BeReady(v1alpha1.SyncedReason))
		},
		Entry("which answers 400", "400", false), Entry("which answers 404", "404", false),
		Entry("which answers 400, after a restart", "400", true), Entry("which answers 404, after a restart", "404", true),
	)

	It("is noticed although its list does not show all of its accounts", func(ctx SpecContext) {
		w, users := populated(ctx, 5)
		other := w.upstream.AddOrg("other", "the-token-of-another")
		for i := range 25 {
			other.AddAccount(simulator.Account{UserName: fmt.Sprintf("other-%d@example.org", i), Role: "User", Active: true})
		}
		other.MustRead(simulator.Settings{"list-of-users": "first-20-always"})
		rotate(ctx, w, "the-token-of-another")
		for range 3 {
			w.clock.Advance(time.Second)
			Expect(w.connection().Sweep(ctx)).To(MatchError(ContainSubstring("5 of 5 known accounts are gone")))
			Expect(w.connection().ReadNext(ctx)).To(BeFalse())
			w.handleWoken(ctx)
		}
		Expect(w.again(ctx, users[0])).To(HaveField("Status.AccountID", users[0].Status.AccountID))
		Expect(other.Writes()).To(BeZero())
	})

	It("is noticed after a restart, too", func(ctx SpecContext) {
		w, _ := populated(ctx, 5)
		other := w.upstream.AddOrg("other", "the-token-of-another")
		w.restart()
		rotate(ctx, w, "the-token-of-another")
		w.clock.Advance(time.Second)

		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())
		w.handleWoken(ctx)

		Expect(other.Writes()).To(BeZero())
	})

	It("does not keep creations waiting when a known account shows that it is the same organization", Label("rotation"), func(ctx SpecContext) {
		w, _ := populated(ctx, 3)
		w.upstream.RotateToken("the-next-token")
		rotate(ctx, w, "the-next-token")
		grace := w.settled(ctx, MakeUser("grace@example.com").Role(v1alpha1.RoleUser))
		Expect(grace.Status.AccountID).To(BeEmpty())

		endSweep := w.sweepHeld(ctx)
		w.handleWoken(ctx)

		Expect(Fetched(ctx, k8s, grace)).To(BeReady(v1alpha1.SyncedReason))
		endSweep()
	})

	It("is let through by one approval, if the accounts are gone indeed", func(ctx SpecContext) {
		w, users := populated(ctx, 5)
		for _, account := range w.upstream.Accounts() {
			w.upstream.RemoveAccount(account.UserName)
		}
		w.clock.Advance(time.Second)
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())
		message := status.ReadyCondition(w.connected(ctx, DefaultOrganization)).Message
		token := strings.TrimSuffix(message[strings.LastIndex(message, " ")+1:], ".")

		annotate := func(value string) {
			Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(), func(o *v1alpha1.LambdaTestOrganization) {
				o.Annotations = map[string]string{v1alpha1.ApproveDeprovisionAnnotation: value}
			})
			w.connected(ctx, DefaultOrganization)
		}
		annotate("stale")
		w.clock.Advance(time.Second)
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())
		annotate(token)
		w.swept(ctx)

		Expect(w.upstream.Accounts()).To(HaveLen(len(users)))
	})

	It("and one of its own accounts twice is a duplicate", Label("duplicate"), func(ctx SpecContext) {
		w, _ := populated(ctx, 2)
		Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-twin", "the-next-token"))
		w.upstream.RotateToken("the-next-token")
		twin := Applied(ctx, k8s, MakeOrganization("twin").In(w.namespace).At(w.upstream.BaseURL()).Obj())
		w.connected(ctx, twin.Name)
		Expect(w.connectionOf(twin.Name).Sweep(ctx)).To(Succeed())

		Expect(w.connected(ctx, twin.Name)).To(BeStalled(v1alpha1.DuplicateOrganizationReason))
	})
})
