// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// staffed is a world in which that many declared people are active; one in four may go within an hour.
func staffed(ctx context.Context, n int) (*world, []*v1alpha1.LambdaTestUser) {
	GinkgoHelper()
	w := withOrganization(ctx, newWorld(ctx), guarding(0, 25))
	people := make([]*v1alpha1.LambdaTestUser, n)
	for i := range people {
		people[i] = w.settled(ctx, MakeUser(fmt.Sprintf("person-%d@example.com", i)).Role(v1alpha1.RoleUser))
	}
	w.woken()
	w.events()
	w.upstream.ResetCalls()
	return w, people
}

// guarding sets the limits of the guard.
func guarding(minimum, percent int32) func(*OrganizationBuilder) {
	return func(o *OrganizationBuilder) {
		o.Obj().Spec.DeprovisionGuard.Minimum, o.Obj().Spec.DeprovisionGuard.Percent = &minimum, &percent
	}
}

// pruned deletes claims as Flux would, and reconciles their people.
func (w *world) pruned(ctx context.Context, users ...*v1alpha1.LambdaTestUser) {
	GinkgoHelper()
	for _, user := range users {
		Deleted(ctx, k8s, user)
	}
	for _, user := range users {
		w.reconciled(ctx, user)
	}
}

// active counts the active accounts at LambdaTest.
func (w *world) active() int {
	active := 0
	for _, account := range w.upstream.Accounts() {
		if account.Active {
			active++
		}
	}
	return active
}

// held reconciles the organization and returns what its guard holds.
func (w *world) held(ctx context.Context) *v1alpha1.HeldSet {
	GinkgoHelper()
	guard := w.connected(ctx, DefaultOrganization).Status.Guard
	Expect(guard).NotTo(BeNil())
	Expect(guard.Held).NotTo(BeNil(), "nothing is held")
	return guard.Held
}

// decided annotates the organization, reconciles it, and takes the annotation away as Flux would; then it reconciles whom that woke.
func (w *world) decided(ctx context.Context, annotation, token string) *v1alpha1.LambdaTestOrganization {
	GinkgoHelper()
	organization := MakeOrganization(DefaultOrganization).In(w.namespace).Obj()
	Changed(ctx, k8s, organization, func(o *v1alpha1.LambdaTestOrganization) {
		metav1.SetMetaDataAnnotation(&o.ObjectMeta, annotation, token)
	})
	w.connected(ctx, DefaultOrganization)
	Changed(ctx, k8s, organization, func(o *v1alpha1.LambdaTestOrganization) { delete(o.Annotations, annotation) })
	w.handleWoken(ctx)
	return w.connected(ctx, DefaultOrganization)
}

func remaining(ctx context.Context, users []*v1alpha1.LambdaTestUser) []*v1alpha1.LambdaTestUser {
	GinkgoHelper()
	var there []*v1alpha1.LambdaTestUser
	for _, user := range users {
		if Exists(ctx, k8s, user) {
			there = append(there, Fetched(ctx, k8s, user))
		}
	}
	return there
}

var _ = Describe("The guard", Label("guard"), func() {
	It("lets a few go, and holds the rest of a prune with their finalizer and their access", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)

		w.pruned(ctx, people...)

		Expect(w.active()).To(Equal(6))
		there := remaining(ctx, people)
		Expect(there).To(HaveLen(6))
		Expect(there).To(HaveEach(BeStalled(v1alpha1.DeprovisionHeldReason)))
		held := w.held(ctx)
		Expect(held.Count).To(BeEquivalentTo(6))
		Expect(held.People).To(ConsistOf(namesOf(there)))
		Expect(w.connected(ctx, DefaultOrganization)).To(HaveCondition(v1alpha1.GuardHoldingCondition, metav1.ConditionTrue, v1alpha1.DeprovisionHeldReason))
		Expect(w.events()).To(ContainElement(HavePrefix("Warning GuardHolding")))
	})

	It("tells the organization what is held, the two commands and the limit, and no token, which another person soon changes", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people...)
		token := w.held(ctx).Token

		w.clock.Advance(guardQuiet)
		organization := w.connected(ctx, DefaultOrganization)

		Expect(meta.FindStatusCondition(organization.Status.Conditions, v1alpha1.GuardHoldingCondition).Message).To(And(
			HavePrefix("The guard holds 6 people who would lose access because resources were deleted until you decide"),
			ContainSubstring("2 of 8 active people may go without being denied, and 2 have gone"),
			ContainSubstring("kubectl lambdatest approve --organization default -n "+w.namespace),
			ContainSubstring("kubectl lambdatest reject --organization default -n "+w.namespace), Not(ContainSubstring(token))))
		Expect(w.events()).NotTo(ContainElement(ContainSubstring(token)))
		for _, user := range remaining(ctx, people) {
			Expect(status.ReadyCondition(user).Message).To(And(
				HavePrefix("Held by the guard of LambdaTestOrganization default: deleting LambdaTestUser/%s would deactivate this person, whom nobody denied.", user.Name),
				ContainSubstring("Declaring the person again in a resource of another name ends this"), ContainSubstring("kubectl lambdatest status"), Not(ContainSubstring(token))))
		}
	})

	It("tells each of those whom it holds once, however slowly the set grows", Label("size"), func(ctx SpecContext) {
		const size = 20
		w, people := staffed(ctx, size)
		var told atomic.Int64
		counting := interceptor.NewClient(k8s, interceptor.Funcs{
			SubResourcePatch: func(ctx context.Context, c client.Client, sub string, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
				if _, isUser := object.(*v1alpha1.LambdaTestUser); isUser {
					told.Add(1)
				}
				return c.SubResource(sub).Patch(ctx, object, patch, options...)
			},
		})
		w.through(counting, k8s)

		for _, user := range people {
			w.pruned(ctx, user)
			w.clock.Advance(guardQuiet + time.Second)
			w.connected(ctx, DefaultOrganization)
			w.handleWoken(ctx)
		}

		Expect(w.held(ctx).Count).To(BeEquivalentTo(size - size/4))
		Expect(told.Load()).To(BeNumerically("<=", size))
	})

	It("has the budget in status before the call, and a new leader goes on with it", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people[:2]...)
		w.restart()
		w.connected(ctx, DefaultOrganization)
		Expect(w.connection().Sweep(ctx)).To(Succeed())

		w.pruned(ctx, people[2:]...)

		Expect(w.active()).To(Equal(6))
		Expect(w.held(ctx).Count).To(BeEquivalentTo(6))
	})

	It("counts whom it admitted once, however often the call is repeated, and however often the leader changes", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.upstream.Fail(503)
		w.pruned(ctx, people[:2]...)
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.pruned(ctx, people[2:]...)
		w.upstream.ClearFaults()
		w.clock.Advance(time.Minute)

		for _, user := range people {
			w.reconciled(ctx, user)
		}

		Expect(w.active()).To(Equal(6))
		Expect(remaining(ctx, people[:2])).To(BeEmpty())
	})

	It("never lets an hour that passes free anybody, though others may go then", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people[:4]...)
		w.clock.Advance(time.Hour)
		Expect(w.connection().Sweep(ctx)).To(Succeed())
		w.handleWoken(ctx)

		w.pruned(ctx, people[4])

		Expect(w.active()).To(Equal(5))
		Expect(remaining(ctx, people[:4])).To(HaveLen(2))
	})

	It("lets an approved set go, although Flux takes the annotation away at once, and nobody else", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people[:4]...)
		token := w.held(ctx).Token

		w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, token)

		Expect(remaining(ctx, people[:4])).To(BeEmpty())
		Expect(w.active()).To(Equal(4))
		w.pruned(ctx, people[4:]...)
		Expect(w.active()).To(Equal(4))
	})

	It("goes on with an approval that a former leader took over", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people[:4]...)
		token := w.held(ctx).Token
		w.upstream.Fail(503)
		w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, token)
		w.upstream.ClearFaults()
		w.restart()
		w.connected(ctx, DefaultOrganization)
		Expect(w.connection().Sweep(ctx)).To(Succeed())

		w.handleWoken(ctx)

		Expect(remaining(ctx, people[:4])).To(BeEmpty())
		Expect(w.active()).To(Equal(4))
	})

	It("leaves the accounts of a rejected set alone and lets its resources go, so that Git can declare them again", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people[:4]...)
		token := w.held(ctx).Token

		w.decided(ctx, v1alpha1.RejectDeprovisionAnnotation, token)

		Expect(remaining(ctx, people[:4])).To(BeEmpty())
		Expect(w.active()).To(Equal(6))
	})

	It("refuses a token of another set, with an event", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people[:3]...)
		stale := w.held(ctx).Token
		w.pruned(ctx, people[3:4]...)
		w.events()
		w.clock.Advance(guardQuiet)

		w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, stale)

		Expect(w.active()).To(Equal(6))
		Expect(w.events()).To(ContainElement(HavePrefix("Warning StaleToken")))
	})

	It("decides about the part of a held set that is named, and says who decided", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people[:5]...)
		held := w.held(ctx)
		Expect(held.People).To(HaveLen(3))
		part := v1alpha1.Decision{Token: held.Token, Only: held.People[:1]}.String()
		Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(), func(o *v1alpha1.LambdaTestOrganization) {
			metav1.SetMetaDataAnnotation(&o.ObjectMeta, v1alpha1.DecidedByAnnotation, v1alpha1.DecidedBy(held.Token, "grace@example.com"))
		})
		w.events()

		approved := w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, part).Status.Guard

		Expect(w.active()).To(Equal(5))
		Expect(approved.Held.People).To(Equal(held.People[1:]))
		Expect(approved.Held.Token).NotTo(Equal(held.Token))
		Expect(approved.Approved).To(And(HaveField("By", "grace@example.com"), HaveField("DecidedAt.Time", BeTemporally("==", w.clock.Now().Truncate(time.Second)))))
		Expect(w.events()).To(ContainElement("Normal Approved What was held about 1 person is carried out. Decided by grace@example.com."))

		rejected := w.decided(ctx, v1alpha1.RejectDeprovisionAnnotation, approved.Held.Token).Status.Guard
		Expect(rejected.Rejected.By).To(HavePrefix("field manager "), "the other name was about another set")
		Expect(w.active()).To(Equal(5))
	})

	It("refuses a decision about a resource about which nothing is held", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people[:5]...)
		held := w.held(ctx)
		w.events()

		w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, v1alpha1.Decision{Token: held.Token, Only: []string{held.People[0], "nobody"}}.String())

		Expect(w.active()).To(Equal(6))
		Expect(w.events()).To(ContainElement(HavePrefix("Warning NotHeld")))
	})

	It("leaves a token alone that approves a sweep", Label("wrong-org"), func(ctx SpecContext) {
		w, _ := staffed(ctx, 4)
		for _, account := range w.upstream.Accounts() {
			w.upstream.RemoveAccount(account.UserName)
		}
		w.clock.Advance(time.Second)
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())
		suspicion, _ := w.connection().Mismatch()

		w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, suspicion.Token)
		w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, suspicion.Token)

		Expect(w.events()).NotTo(ContainElement(ContainSubstring("StaleToken")))
	})

	It("forgets whom a new claim keeps, and the token changes with it", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people[:4]...)
		before := w.held(ctx)
		kept := remaining(ctx, people[:4])[0]

		w.settled(ctx, MakeUser(kept.Spec.UserName).Named("again").Role(v1alpha1.RoleUser))

		Expect(Exists(ctx, k8s, kept)).To(BeFalse())
		after := w.held(ctx)
		Expect(after.Count).To(Equal(before.Count - 1))
		Expect(after.Token).NotTo(Equal(before.Token))
		Expect(w.account(kept.Spec.UserName).Active).To(BeTrue())
	})

	It("lets whoever is held go as Orphan", Label("orphan"), func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people[:3]...)
		held := remaining(ctx, people[:3])[0]

		w.reconciled(ctx, Changed(ctx, k8s, held, func(u *v1alpha1.LambdaTestUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }))

		Expect(Exists(ctx, k8s, held)).To(BeFalse())
		Expect(w.active()).To(Equal(6))
		Expect(w.connected(ctx, DefaultOrganization).Status.Guard.Held).To(BeNil())
	})

	It("lets whoever is held go without a call when the namespace is being deleted", Label("deletion"), func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		w.pruned(ctx, people...)
		w.connected(ctx, DefaultOrganization)
		w.woken()
		deleteNamespace(ctx, w.namespace)

		w.connected(ctx, DefaultOrganization)
		w.handleWoken(ctx)

		Expect(remaining(ctx, people)).To(BeEmpty())
		Expect(w.active()).To(Equal(6))
	})

	It("shows what it holds back", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)

		w.pruned(ctx, people[:3]...)

		Expect(remaining(ctx, people[:3])).To(HaveExactElements(
			HaveField("Status.PlannedChanges", ConsistOf(v1alpha1.PlannedChange{Attribute: "active", From: "true", To: "false"}))))
	})

	It("takes nobody for denied by a resource that was let go and stays because of another's finalizer", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		denial := w.settled(ctx, MakeUser(people[0].Spec.UserName).FromSCIM().Denied().Finalized("example.com/other"))
		w.pruned(ctx, denial)
		Expect(w.active()).To(Equal(8))
		w.events()
		w.reconciled(ctx, denial)
		Expect(w.events()).NotTo(ContainElement(ContainSubstring("DenialWithdrawn")), "told once")
		w.pruned(ctx, people[1:5]...)

		w.pruned(ctx, people[0])

		Expect(w.account(people[0].Spec.UserName).Active).To(BeTrue(), "nobody denies this person, so the guard holds the deactivation")
	})

	It("lets every denial pass, however many there are, and raises an alert", Label("deny-wins"), func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		for _, user := range people {
			w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(false) })
		}

		organization := w.connected(ctx, DefaultOrganization)

		Expect(w.active()).To(BeZero())
		organization = w.connected(ctx, organization.Name)
		Expect(organization.Status.Guard.Explicit).To(BeEquivalentTo(8))
		Expect(w.events()).To(ContainElement(HavePrefix("Warning ManyDenials")))
	})

	It("limits denials where somebody asked for that, and an approval lets them pass", func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(), func(o *v1alpha1.LambdaTestOrganization) {
			o.Spec.DeprovisionGuard.ExplicitPercent = new(int32(50))
		})
		w.connected(ctx, DefaultOrganization)
		for i, user := range people {
			people[i] = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(false) })
		}
		Expect(w.active()).To(Equal(4))
		Expect(people[4:]).To(HaveEach(BeStalled(v1alpha1.DeprovisionHeldReason)))

		w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, w.held(ctx).Token)

		Expect(w.active()).To(BeZero())
	})

	It("holds access that many would get because the resources that deny them were deleted by hand", Label("deny-wins"), func(ctx SpecContext) {
		w, people := staffed(ctx, 8)
		denials := make([]*v1alpha1.LambdaTestUser, 4)
		for i := range denials {
			denials[i] = w.settled(ctx, MakeUser(people[i].Spec.UserName).FromSCIM().Denied())
		}
		Expect(w.active()).To(Equal(4))

		w.pruned(ctx, denials...)

		Expect(w.active()).To(Equal(5), "a quarter of those who are active may come back")
		w.restart()
		for _, denial := range remaining(ctx, denials) {
			w.reconciled(ctx, denial)
		}
		w.connected(ctx, DefaultOrganization)
		Expect(w.connection().Sweep(ctx)).To(Succeed())
		w.handleWoken(ctx)
		Expect(w.active()).To(Equal(5), "a new leader decides nothing before it knows what is held")
		there := remaining(ctx, denials)
		Expect(there).To(HaveLen(3))
		Expect(there).To(HaveEach(BeStalled(v1alpha1.ActivationHeldReason)))
		Expect(status.ReadyCondition(there[0]).Message).To(ContainSubstring("deleting LambdaTestUser/" + there[0].Name + " would let this person sign in again"))
		organization := w.connected(ctx, DefaultOrganization)
		Expect(organization).To(HaveCondition(v1alpha1.GuardHoldingCondition, metav1.ConditionTrue, v1alpha1.ActivationHeldReason))
		Expect(meta.FindStatusCondition(organization.Status.Conditions, v1alpha1.GuardHoldingCondition).Message).To(
			HavePrefix("The guard holds 3 people who would get access back because resources that deny them were deleted"))

		w.decided(ctx, v1alpha1.RejectDeprovisionAnnotation, w.held(ctx).Token)
		Expect(remaining(ctx, denials)).To(BeEmpty())
		Expect(w.active()).To(Equal(5))
		Expect(w.connection().Sweep(ctx)).To(Succeed())
		w.handleWoken(ctx)
		Expect(w.active()).To(Equal(5), "a rejection outlives the resource")

		w.restart()
		w.connected(ctx, DefaultOrganization)
		Expect(w.connection().Sweep(ctx)).To(Succeed())
		w.handleWoken(ctx)
		Expect(w.active()).To(Equal(5), "and a restart")
	})
})

var _ = Describe("A demotion by deletion", Label("guard", "demotion"), func() {
	// promoted declares every person as Admin in a second resource, which comes first: Git's, while Okta says User.
	promoted := func(ctx context.Context, n int) (*world, []*v1alpha1.LambdaTestUser, []*v1alpha1.LambdaTestUser) {
		GinkgoHelper()
		w := withOrganization(ctx, newWorld(ctx), guarding(0, 25))
		declared, assigned := make([]*v1alpha1.LambdaTestUser, n), make([]*v1alpha1.LambdaTestUser, n)
		for i := range n {
			name := fmt.Sprintf("admin-%d@example.com", i)
			assigned[i] = w.settled(ctx, MakeUser(name).FromSCIM().Active().Role(v1alpha1.RoleUser))
			declared[i] = w.settled(ctx, MakeUser(name).Role(v1alpha1.RoleAdmin))
		}
		w.woken()
		return w, declared, assigned
	}
	admins := func(w *world) int {
		count := 0
		for _, account := range w.upstream.Accounts() {
			if account.Role == "Admin" {
				count++
			}
		}
		return count
	}

	It("passes for a few; the rest keep the role until somebody approves", func(ctx SpecContext) {
		w, declared, assigned := promoted(ctx, 8)

		w.pruned(ctx, declared...)

		Expect(admins(w)).To(Equal(6))
		held := remaining(ctx, declared)
		Expect(held).To(HaveLen(6))
		Expect(held).To(HaveEach(BeStalled(v1alpha1.DemotionHeldReason)))
		Expect(status.ReadyCondition(held[0]).Message).To(ContainSubstring("deleting LambdaTestUser/" + held[0].Name + " would change the role of this person from Admin to User"))
		Expect(w.held(ctx).People).To(ContainElement(held[0].Name + ": Admin to User"))
		Expect(Fetched(ctx, k8s, assigned[7])).To(BeStalled(v1alpha1.DemotionHeldReason))

		w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, w.held(ctx).Token)
		Expect(admins(w)).To(BeZero())
		Expect(remaining(ctx, declared)).To(BeEmpty())
		Expect(Fetched(ctx, k8s, assigned[7])).To(BeReady(v1alpha1.SyncedReason))
	})

	It("that is rejected leaves the role, until Git declares the person again or somebody says something new", func(ctx SpecContext) {
		w, declared, assigned := promoted(ctx, 8)
		w.pruned(ctx, declared...)

		w.decided(ctx, v1alpha1.RejectDeprovisionAnnotation, w.held(ctx).Token)

		Expect(remaining(ctx, declared)).To(BeEmpty())
		w.restart()
		w.connected(ctx, DefaultOrganization)
		Expect(w.connection().Sweep(ctx)).To(Succeed())
		w.handleWoken(ctx)
		Expect(admins(w)).To(Equal(6))
		Expect(Fetched(ctx, k8s, assigned[7])).To(BeStalled(v1alpha1.DemotionHeldReason))

		again := w.settled(ctx, MakeUser(assigned[7].Spec.UserName).Role(v1alpha1.RoleAdmin))
		Expect(again).To(BeReady(v1alpha1.SyncedReason))
		Expect(admins(w)).To(Equal(6))
		w.changed(ctx, assigned[6], func(u *v1alpha1.LambdaTestUser) { u.Spec.DisplayName = "Ada" })
		Expect(admins(w)).To(Equal(5))
	})

	It("stays held while a new leader has not opened the organization", Label("failover"), func(ctx SpecContext) {
		w, declared, _ := promoted(ctx, 8)
		w.pruned(ctx, declared...)
		held := remaining(ctx, declared)
		w.restart()

		for _, user := range held {
			w.reconciled(ctx, user)
		}

		Expect(remaining(ctx, held)).To(Equal(held), "nothing is decided and nothing is told")
		w.connected(ctx, DefaultOrganization)
		w.handleWoken(ctx)
		Expect(remaining(ctx, held)).To(HaveLen(6))
		Expect(admins(w)).To(Equal(6))
	})

	It("stays held while a new leader cannot read what the guard holds", Label("failover"), func(ctx SpecContext) {
		w, declared, _ := promoted(ctx, 8)
		w.pruned(ctx, declared...)
		held := remaining(ctx, declared)
		w.restart()
		_, fresh := w.connections.Open(client.ObjectKey{Namespace: w.namespace, Name: DefaultOrganization}, w.clock.Now())
		Expect(fresh).To(BeTrue())

		for _, user := range held {
			w.reconciled(ctx, user)
		}

		Expect(remaining(ctx, held)).To(Equal(held))
	})

	It("is asked about once, also when a resource that was let go stays because of another's finalizer", func(ctx SpecContext) {
		w, declared, assigned := promoted(ctx, 8)
		Changed(ctx, k8s, declared[0], func(u *v1alpha1.LambdaTestUser) { u.Finalizers = append(u.Finalizers, "example.com/other") })
		w.pruned(ctx, declared[:2]...)
		Expect(Fetched(ctx, k8s, declared[0]).Finalizers).To(HaveExactElements("example.com/other"))
		Expect(admins(w)).To(Equal(6))

		_, err := w.upstream.EditAccount(assigned[0].Spec.UserName, func(a *simulator.Account) { a.Role = "Admin" })
		Expect(err).NotTo(HaveOccurred())
		w.swept(ctx)

		Expect(admins(w)).To(Equal(6), "the resource that stays gives no role any more")
		Expect(Fetched(ctx, k8s, assigned[0])).To(BeReady(v1alpha1.SyncedReason))
	})

	It("does not concern who is said to have a lower role", func(ctx SpecContext) {
		w, declared, _ := promoted(ctx, 8)

		for _, user := range declared {
			w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Role = v1alpha1.RoleGuest })
		}

		Expect(admins(w)).To(BeZero())
	})
})

func namesOf(users []*v1alpha1.LambdaTestUser) []string {
	names := make([]string, len(users))
	for i, user := range users {
		names[i] = user.Name
	}
	return names
}
