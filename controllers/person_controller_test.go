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
	"github.com/onsi/gomega/gstruct"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/deletion"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/organization"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

const ada = "ada@example.com"

var _ = Describe("A person", func() {
	Describe("who is claimed", func() {
		It("by many resources is reported to a few of them at a time", Label("fairness", "security"), func(ctx SpecContext) {
			const resources, mostAtOnce = 50, 20
			w := connectedWorld(ctx)
			w.clock.Advance(time.Minute) // no call of a former leader is awaited
			var user *v1alpha1.LambdaTestUser
			for i := range resources {
				user = Applied(ctx, k8s, MakeUser(ada).Named(fmt.Sprintf("ada-%02d", i)).In(w.namespace).Denied().Obj())
			}
			reported := 0
			for reported < resources {
				result := w.reconciled(ctx, user)
				before := reported
				reported = 0
				for i := range resources {
					claim := Fetched(ctx, k8s, MakeUser(ada).Named(fmt.Sprintf("ada-%02d", i)).In(w.namespace).Obj())
					if claim.Status.ObservedGeneration == claim.Generation {
						reported++
					}
				}
				Expect(reported).To(And(BeNumerically(">", before), BeNumerically("<=", before+mostAtOnce)))
				if reported < resources {
					Expect(result.RequeueAfter).To(BeNumerically(">", 0))
					Expect(result.Priority).To(HaveValue(BeNumerically("<", lane.Change)), "nothing urgent is left")
				}
				w.clock.Advance(time.Second)
			}
			Expect(w.reconciled(ctx, user).RequeueAfter).To(BeZero())
		})

		It("gets an account by exactly one POST", func(ctx SpecContext) {
			w := connectedWorld(ctx)

			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin).Active())

			Expect(user).To(BeReady(v1alpha1.SyncedReason))
			Expect(w.upstream.Calls()).To(HaveExactElements(HaveField("Route", "POST /Users")))
			account := w.account(ada)
			Expect(account).To(gstruct.MatchFields(gstruct.IgnoreExtras, gstruct.Fields{
				"Active": BeTrue(), "Role": Equal("Admin"), "GivenName": Equal("Ada"), "FamilyName": Equal("Lovelace"),
			}))
			Expect(user.Status.AccountID).To(Equal(account.ID))
			Expect(user.Finalizers).To(ContainElement(v1alpha1.Finalizer))
		})

		It("has a finalizer before the first write, so that no claim goes without its account being settled", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleUser).Obj())
			creation := w.upstream.HoldNext(simulator.On("POST /Users"))
			done := make(chan struct{})
			go func() {
				defer GinkgoRecover()
				defer close(done)
				w.reconciled(ctx, user)
			}()
			Eventually(creation.Arrived()).WithTimeout(5 * time.Second).Should(Receive())

			Expect(Fetched(ctx, k8s, user).Finalizers).To(ContainElement(v1alpha1.Finalizer))

			creation.Release()
			Eventually(done).WithTimeout(5 * time.Second).Should(BeClosed())
		})

		It("is looked up first when the role is unset, because a POST may reset one", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true, Role: "Admin"})

			user := w.settled(ctx, MakeUser(ada))

			Expect(user).To(BeReady(v1alpha1.SyncedReason))
			Expect(w.account(ada).Role).To(Equal("Admin"))
			Expect(w.upstream.Writes()).To(BeZero())
		})

		It("starts as User when no role is claimed", func(ctx SpecContext) {
			w := connectedWorld(ctx)

			w.settled(ctx, MakeUser(ada))

			Expect(w.account(ada).Role).To(Equal("User"))
			Expect(w.upstream.Writes()).To(Equal(1))
		})

		It("is adopted without a write when the account is as wanted", Label("adoption"), func(ctx SpecContext) {
			w := newWorld(ctx)
			w.upstream.AddAccount(simulator.Account{UserName: "Ada@Example.com", Active: true, Role: "Guest"})
			withOrganization(ctx, w)
			w.upstream.ResetCalls()

			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleGuest).Active())

			Expect(user).To(BeReady(v1alpha1.SyncedReason))
			Expect(w.upstream.Calls()).To(BeEmpty())
			Expect(user.Status.Account.Role).To(Equal("Guest"))
		})

		It("changes by one PATCH with all differences", func(ctx SpecContext) {
			w := connectedWorld(ctx, simulator.ConcurrencyGroups("mobile"))
			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleGuest))
			w.upstream.ResetCalls()

			user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) {
				u.Spec.Role, u.Spec.ConcurrencyGroup, u.Spec.Active = v1alpha1.RoleAdmin, "mobile", new(false)
			})

			Expect(user).To(BeReady(v1alpha1.SyncedReason))
			Expect(w.upstream.Calls()).To(HaveExactElements(HaveField("Route", "PATCH /Users/{id}")))
			Expect(w.account(ada)).To(And(HaveField("Role", "Admin"), HaveField("ConcurrencyGroup", "mobile"), HaveField("Active", false)))
		})

		It("costs nothing when nothing changed", Label("idle"), func(ctx SpecContext) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
			w.upstream.ResetCalls()

			again := w.again(ctx, user)

			Expect(again.ResourceVersion).To(Equal(user.ResourceVersion))
			Expect(w.upstream.Calls()).To(BeEmpty())
		})

		It("keeps everything else when LambdaTest does not know the concurrency group, and says so", func(ctx SpecContext) {
			w := connectedWorld(ctx)

			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin).ConcurrencyGroup("nowhere"))

			Expect(user).To(BeStalled(v1alpha1.ConcurrencyGroupNotFoundReason))
			Expect(w.account(ada).Role).To(Equal("Admin"))
			w.upstream.ResetCalls()
			Expect(w.again(ctx, user)).To(BeStalled(v1alpha1.ConcurrencyGroupNotFoundReason))
			Expect(w.upstream.Calls()).To(BeEmpty(), "a refusal is not repeated")
		})

		It("of another organization is told so, once", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			w.upstream.AddForeignAccount(ada)

			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))

			Expect(user).To(BeStalled(v1alpha1.OwnedByAnotherOrganizationReason))
			calls := len(w.upstream.Calls())
			w.again(ctx, user)
			Expect(w.upstream.Calls()).To(HaveLen(calls))
		})

		It("waits as long as LambdaTest asks", Label("circuit"), func(ctx SpecContext) {
			w := connectedWorld(ctx)
			w.upstream.FailNext(http.StatusTooManyRequests, simulator.RetryAfter(30*time.Second))

			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))

			Expect(user).To(BeProgressing(v1alpha1.RateLimitedReason))
			w.clock.Advance(29 * time.Second)
			w.again(ctx, user)
			Expect(w.upstream.Calls()).To(HaveLen(1))
			w.clock.Advance(time.Second)
			Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
		})
	})

	Describe("whom somebody denies", func() {
		It("is deactivated although Git declares the person active", Label("deny-wins"), func(ctx SpecContext) {
			w := connectedWorld(ctx)
			declared := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin).Active())
			Expect(w.account(ada).Active).To(BeTrue())

			denial := w.settled(ctx, MakeUser(ada).FromSCIM().Denied())

			Expect(w.account(ada).Active).To(BeFalse())
			Expect(denial).To(BeReady(v1alpha1.SyncedReason))
			declared = Fetched(ctx, k8s, declared)
			Expect(declared).To(BeReady(v1alpha1.DeniedByAnotherClaimReason))
			Expect(declared.Status.Effective.ActiveFrom).To(Equal("LambdaTestUser/" + denial.Name))
		})

		It("stays denied when Git applies the person again", Label("deny-wins"), func(ctx SpecContext) {
			w := connectedWorld(ctx)
			declared := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin).Active())
			w.settled(ctx, MakeUser(ada).FromSCIM().Denied())
			w.upstream.ResetCalls()

			w.changed(ctx, declared, func(u *v1alpha1.LambdaTestUser) { u.Spec.DisplayName = "Ada" })

			Expect(w.account(ada).Active).To(BeFalse())
			Expect(w.upstream.Writes()).To(BeZero())
		})

		It("is not created", Label("deny-wins"), func(ctx SpecContext) {
			w := connectedWorld(ctx)

			user := w.settled(ctx, MakeUser(ada).Denied())

			Expect(user).To(BeReady(v1alpha1.SyncedReason))
			Expect(w.upstream.Accounts()).To(BeEmpty())
			Expect(w.upstream.Writes()).To(BeZero())
		})

		It("is deactivated when somebody created the account after the last sweep", Label("deny-wins"), func(ctx SpecContext) {
			w := connectedWorld(ctx)
			w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true})

			w.settled(ctx, MakeUser(ada).Denied())

			Expect(w.account(ada).Active).To(BeFalse())
		})

		It("is deactivated although LambdaTest refuses the concurrency group of the same claim", Label("deny-wins"), func(ctx SpecContext) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))

			user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) {
				u.Spec.Active, u.Spec.ConcurrencyGroup = new(false), "nowhere"
			})

			Expect(w.account(ada).Active).To(BeFalse())
			Expect(user).To(BeStalled(v1alpha1.ConcurrencyGroupNotFoundReason))
		})

		It("is deactivated again after an activation at LambdaTest, within one sweep", Label("deny-wins", "sweep"), func(ctx SpecContext) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
			w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(false) })
			_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) { a.Active = true })
			Expect(err).NotTo(HaveOccurred())

			w.swept(ctx)

			Expect(w.account(ada).Active).To(BeFalse())
		})
	})

	Describe("about whom there are two declared claims", Label("duplicate"), func() {
		It("follows the older one, and the younger contributes only its denial", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			older := w.settled(ctx, MakeUser(ada).Named("a-older").Role(v1alpha1.RoleAdmin))

			younger := w.settled(ctx, MakeUser("ADA@example.com").Named("b-younger").Role(v1alpha1.RoleGuest))

			Expect(younger).To(BeStalled(v1alpha1.DuplicateUserNameReason))
			Expect(Fetched(ctx, k8s, older)).To(BeReady(v1alpha1.SyncedReason))
			Expect(w.account(ada).Role).To(Equal("Admin"))

			w.changed(ctx, younger, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(false) })
			Expect(w.account(ada).Active).To(BeFalse())
		})
	})

	Describe("whose claims are deleted", Label("deletion"), func() {
		It("is deactivated by one DELETE when the last one goes", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
			w.upstream.ResetCalls()

			w.reconciled(ctx, Deleted(ctx, k8s, user))

			Expect(w.account(ada).Active).To(BeFalse())
			Expect(w.upstream.Calls()).To(HaveExactElements(HaveField("Route", "DELETE /Users/{id}")))
			Expect(Exists(ctx, k8s, user)).To(BeFalse())
		})

		It("keeps the account, without a call, while Okta still assigns the person", Label("handover"), func(ctx SpecContext) {
			w := connectedWorld(ctx)
			declared := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
			assigned := w.settled(ctx, MakeUser(ada).FromSCIM().Active().Role(v1alpha1.RoleUser))
			w.upstream.ResetCalls()

			w.reconciled(ctx, Deleted(ctx, k8s, declared))

			Expect(Exists(ctx, k8s, declared)).To(BeFalse())
			Expect(w.upstream.Calls()).To(BeEmpty())
			Expect(w.account(ada).Active).To(BeTrue())
			Expect(Fetched(ctx, k8s, assigned)).To(BeReady(v1alpha1.SyncedReason))
		})

		It("is left alone when the policy is Orphan, without credentials", Label("orphan"), func(ctx SpecContext) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada).Orphan())
			w.upstream.RotateToken("another-token")
			w.upstream.ResetCalls()

			w.reconciled(ctx, Deleted(ctx, k8s, user))

			Expect(Exists(ctx, k8s, user)).To(BeFalse())
			Expect(w.upstream.Calls()).To(BeEmpty())
		})

		It("stays, and says how to go, while LambdaTest refuses the token", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada).Finalized("example.com/watch"))
			w.upstream.RotateToken("another-token")

			user = w.again(ctx, Deleted(ctx, k8s, user))

			Expect(user).To(BeStalled(v1alpha1.UnauthorizedReason))
			Expect(user.Status.Conditions).To(ContainElement(HaveField("Message", ContainSubstring("deletionPolicy: Orphan"))))

			user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionOrphan })
			Expect(user.Finalizers).To(ConsistOf("example.com/watch"))
		})

		It("is let go with a warning when the organization is gone", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada))
			organization := Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(),
				func(o *v1alpha1.LambdaTestOrganization) { o.Finalizers = nil })
			Deleted(ctx, k8s, organization)
			w.events()

			w.reconciled(ctx, Deleted(ctx, k8s, user))

			Expect(Exists(ctx, k8s, user)).To(BeFalse())
			Expect(w.events()).To(ContainElement(HavePrefix("Warning OrganizationNotFound")))
			Expect(w.account(ada).Active).To(BeTrue())
		})

		It("stays, and says how to go, when the Secret went first", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada))
			Deleted(ctx, k8s, secretNamed(w.namespace, "lambdatest-default"))
			w.connected(ctx, DefaultOrganization)

			user = w.again(ctx, Deleted(ctx, k8s, user))

			Expect(user).To(BeStalled(v1alpha1.OrganizationNotReadyReason))
			Expect(status.ReadyCondition(user).Message).To(And(ContainSubstring("Secret lambdatest-default"), ContainSubstring("deletionPolicy: Orphan")))
		})

		It("is handed over with a finalizer, so that the next resource does not go without a deactivation", Label("deny-wins"), func(ctx SpecContext) {
			w := connectedWorld(ctx)
			old := w.settled(ctx, MakeUser(ada).Named("old").Role(v1alpha1.RoleUser))
			w.connection().Block(organization.Suspended(DefaultOrganization))
			next := Applied(ctx, k8s, MakeUser(ada).Named("new").Role(v1alpha1.RoleAdmin).In(w.namespace).Obj())
			w.reconciled(ctx, Deleted(ctx, k8s, old))
			Expect(Exists(ctx, k8s, old)).To(BeFalse())
			w.reconciled(ctx, Deleted(ctx, k8s, next))

			w.connected(ctx, DefaultOrganization)
			w.swept(ctx)

			Expect(w.account(ada).Active).To(BeFalse())
			Expect(Exists(ctx, k8s, next)).To(BeFalse())
		})

		It("is left alone when the definition is being deleted", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada))
			w.people.Live = interceptor.NewClient(k8s, interceptor.Funcs{
				Get: func(ctx context.Context, k8s client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
					err := k8s.Get(ctx, key, object, options...)
					if key.Name == deletion.UsersCRD {
						object.SetDeletionTimestamp(new(metav1.Now()))
					}
					return err
				},
			})

			w.reconciled(ctx, Deleted(ctx, k8s, user))

			Expect(Exists(ctx, k8s, user)).To(BeFalse())
			Expect(w.account(ada).Active).To(BeTrue())
		})

		It("is left alone when the namespace is being deleted, and the Secret went first", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada))
			deleteNamespace(ctx, w.namespace)
			Deleted(ctx, k8s, secretNamed(w.namespace, "lambdatest-default"))
			w.connected(ctx, DefaultOrganization)

			w.reconciled(ctx, Deleted(ctx, k8s, user))

			Expect(Exists(ctx, k8s, user)).To(BeFalse())
			Expect(w.account(ada).Active).To(BeTrue())
		})

		It("is left alone when the namespace is being deleted", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			user := w.settled(ctx, MakeUser(ada))
			deleteNamespace(ctx, w.namespace)

			w.reconciled(ctx, Deleted(ctx, k8s, user))

			Expect(Exists(ctx, k8s, user)).To(BeFalse())
			Expect(w.account(ada).Active).To(BeTrue())
		})
	})

	Describe("whom several claim and one observes", Label("observe", "deny-wins"), func() {
		It("is denied by a claim that counts, and the observer sees it", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			observer := w.settled(ctx, MakeUser(ada).Named("observer").Observing().Active())
			claim := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))

			w.changed(ctx, claim, denied)

			Expect(w.account(ada).Active).To(BeFalse())
			Expect(Fetched(ctx, k8s, observer).Status.Account.Active).To(BeFalse())
		})

		It("is deactivated when the last claim that counts goes", Label("deletion"), func(ctx SpecContext) {
			w := connectedWorld(ctx)
			w.settled(ctx, MakeUser(ada).Named("observer").Observing().Active())
			claim := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))

			w.reconciled(ctx, Deleted(ctx, k8s, claim))

			Expect(w.account(ada).Active).To(BeFalse())
		})
	})

	Describe("whom a resource only observes", Label("observe"), func() {
		It("sees what would change, and nothing changes", func(ctx SpecContext) {
			w := newWorld(ctx)
			w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true, Role: "User"})
			withOrganization(ctx, w)
			w.upstream.ResetCalls()

			user := w.settled(ctx, MakeUser(ada).Observing().Denied().Role(v1alpha1.RoleAdmin))

			Expect(user).To(BeReady(v1alpha1.ObservedReason))
			Expect(user.Status.PlannedChanges).To(ConsistOf(
				v1alpha1.PlannedChange{Attribute: "active", From: "true", To: "false"},
				v1alpha1.PlannedChange{Attribute: "role", From: "User", To: "Admin"},
			))
			w.reconciled(ctx, Deleted(ctx, k8s, user))
			Expect(Exists(ctx, k8s, user)).To(BeFalse())
			Expect(w.upstream.Calls()).To(BeEmpty())
		})
	})

	Describe("whose organization a new leader has not opened yet", Label("failover"), func() {
		It("is neither told anything nor let go", func(ctx SpecContext) {
			w := newWorld(ctx)
			w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true, Role: "User"})
			withOrganization(ctx, w)
			observer := w.settled(ctx, MakeUser(ada).Observing().Denied())
			leaver := w.settled(ctx, MakeUser("grace@example.com"))
			leaver = Fetched(ctx, k8s, Deleted(ctx, k8s, leaver))
			observer = Changed(ctx, k8s, observer, func(u *v1alpha1.LambdaTestUser) {
				u.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
			})
			w.restart()

			Expect(w.again(ctx, observer)).To(Equal(observer))
			Expect(w.again(ctx, leaver)).To(Equal(leaver))

			w.connected(ctx, DefaultOrganization)
			w.handleWoken(ctx)
			Expect(Exists(ctx, k8s, leaver)).To(BeFalse())
			Expect(w.again(ctx, observer).Status.LastHandledReconcileAt).To(Equal("now"))
		})
	})

	Describe("whose organization is not there", func() {
		It("is told so, and nothing hangs", func(ctx SpecContext) {
			w := newWorld(ctx)

			user := w.settled(ctx, MakeUser(ada))

			Expect(user).To(BeStalled(v1alpha1.OrganizationNotFoundReason))
			Expect(user.Finalizers).To(BeEmpty())
		})
	})
})
