// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/deletion"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// grouped reconciles a group, and then the people whom that woke.
func (w *world) grouped(ctx context.Context, group *v1alpha1.LambdaTestGroup) ctrl.Result {
	GinkgoHelper()
	result, err := w.groups.Reconcile(ctx, requestFor(group))
	Expect(err).NotTo(HaveOccurred())
	for w.asked() {
		Expect(w.guarded(ctx)).To(Succeed())
		result, err = w.groups.Reconcile(ctx, requestFor(group))
		Expect(err).NotTo(HaveOccurred())
	}
	w.handleWoken(ctx)
	return result
}

// pushed applies a group, reconciles it and returns it.
func (w *world) pushed(ctx context.Context, builder *GroupBuilder) *v1alpha1.LambdaTestGroup {
	GinkgoHelper()
	group := Applied(ctx, k8s, builder.In(w.namespace).Obj())
	w.grouped(ctx, group)
	return Fetched(ctx, k8s, group)
}

// regrouped changes a group, reconciles it and returns it.
func (w *world) regrouped(ctx context.Context, group *v1alpha1.LambdaTestGroup, change func(*v1alpha1.LambdaTestGroup)) *v1alpha1.LambdaTestGroup {
	GinkgoHelper()
	changed := Changed(ctx, k8s, group, change)
	w.grouped(ctx, changed)
	return Fetched(ctx, k8s, changed)
}

// wokenGroups reconciles the groups that were woken.
func (w *world) wokenGroups(ctx context.Context) {
	GinkgoHelper()
	for request := range w.queuedGroups.taken() {
		_, err := w.groups.Reconcile(ctx, request)
		Expect(err).NotTo(HaveOccurred())
	}
}

// wholeSweep compares the organization, and reconciles whoever that woke.
func (w *world) wholeSweep(ctx context.Context) {
	GinkgoHelper()
	w.swept(ctx)
	w.wokenGroups(ctx)
	w.handleWoken(ctx)
}

func (w *world) upstreamGroup(displayName string) simulator.Group {
	GinkgoHelper()
	group, ok := w.upstream.Group(displayName)
	Expect(ok).To(BeTrue(), "there is no group %s", displayName)
	return group
}

func memberNames(group simulator.Group) []string {
	names := make([]string, len(group.Members))
	for i, member := range group.Members {
		names[i] = member.UserName
	}
	return names
}

const grace = "grace@example.com"

// groupWorld is a connected world with two people whom somebody claims.
func groupWorld(ctx context.Context, change ...func(*OrganizationBuilder)) (*world, *v1alpha1.LambdaTestUser, *v1alpha1.LambdaTestUser) {
	GinkgoHelper()
	w := withOrganization(ctx, newWorld(ctx), change...)
	first := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
	second := w.settled(ctx, MakeUser(grace))
	w.woken()
	w.upstream.ResetCalls()
	return w, first, second
}

func rolesOnly(o *OrganizationBuilder) { o.Obj().Spec.GroupMode = v1alpha1.GroupRolesOnly }

var _ = Describe("A group", Label("groups"), func() {
	It("is created with its members by one POST, and its role comes from LambdaTest without a write for anybody", func(ctx SpecContext) {
		w, first, second := groupWorld(ctx)

		group := w.pushed(ctx, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada, "GRACE@example.com"))

		Expect(group).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Count("POST /Groups")).To(Equal(1))
		Expect(w.upstream.Writes()).To(Equal(1))
		upstream := w.upstreamGroup("Admins")
		Expect(memberNames(upstream)).To(ConsistOf(ada, grace))
		Expect(group.Status.GroupID).To(Equal(upstream.ID))
		Expect(*group.Status.Members).To(BeEquivalentTo(2))
		for _, user := range []*v1alpha1.LambdaTestUser{first, second} {
			Expect(w.account(user.Spec.UserName).Role).To(Equal("Admin"))
			user = Fetched(ctx, k8s, user)
			Expect(user).To(BeReady(v1alpha1.SyncedReason))
			Expect(user.Status.Effective).To(And(HaveField("Role", v1alpha1.RoleAdmin), HaveField("RoleFrom", "LambdaTestGroup/admins")))
			Expect(user.Status.Account.Role).To(Equal("Admin"))
		}
		w.wholeSweep(ctx)
		Expect(w.upstream.Writes()).To(Equal(1), "nobody fights over a role")
	})

	It("costs nothing when nothing changed", Label("idle"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada))
		w.wholeSweep(ctx)
		before := Fetched(ctx, k8s, group)
		w.upstream.ResetCalls()

		for range 3 {
			w.grouped(ctx, group)
			w.wholeSweep(ctx)
		}

		Expect(Fetched(ctx, k8s, group).ResourceVersion).To(Equal(before.ResourceVersion))
		Expect(w.upstream.Counts()).To(Equal(map[string]int{"GET /Users": 3, "GET /Groups": 3}))
	})

	It("is no claim: a member whom nobody claims gets no call, one without account is named and follows later", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)

		group := w.pushed(ctx, MakeGroup("QA").Giving(v1alpha1.RoleGuest).With(ada, "new@example.com"))

		Expect(group).To(BeReady(v1alpha1.SyncedReason))
		Expect(group.Status.PendingMembers).To(Equal([]string{"new@example.com"}))
		Expect(group.Status.PendingMemberCount).To(BeEquivalentTo(1))
		_, there := w.upstream.Account("new@example.com")
		Expect(there).To(BeFalse())

		w.settled(ctx, MakeUser("new@example.com"))
		w.wokenGroups(ctx)

		group = Fetched(ctx, k8s, group)
		Expect(group.Status.PendingMemberCount).To(BeZero())
		Expect(memberNames(w.upstreamGroup("QA"))).To(ConsistOf(ada, "new@example.com"))
		Expect(w.upstream.Count("PATCH /Groups/{id}")).To(Equal(1))
	})

	It("changes by one PATCH with all differences", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("QA").With(ada))
		w.upstream.ResetCalls()

		w.regrouped(ctx, group, func(g *v1alpha1.LambdaTestGroup) {
			g.Spec.DisplayName, g.Spec.Members, g.Spec.Roles = "Quality", []string{ada, grace}, []v1alpha1.Role{v1alpha1.RoleGuest}
		})

		Expect(w.upstream.Count("PATCH /Groups/{id}")).To(Equal(1))
		Expect(w.upstream.Writes()).To(Equal(1))
		Expect(w.upstreamGroup("Quality").Roles).To(Equal([]string{"Guest"}))
		Expect(w.account(grace).Role).To(Equal("Guest"))
	})

	It("that is left gives its members back the claimed role, or User, without a write for anybody", func(ctx SpecContext) {
		w, _, second := groupWorld(ctx)
		_, err := w.upstream.EditAccount(grace, func(a *simulator.Account) { a.Role = "Guest" })
		Expect(err).NotTo(HaveOccurred())
		w.wholeSweep(ctx)
		group := w.pushed(ctx, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada, grace))
		w.upstream.ResetCalls()

		w.regrouped(ctx, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members = nil })
		w.wholeSweep(ctx)

		Expect(w.account(ada).Role).To(Equal("User"))
		Expect(w.account(grace).Role).To(Equal("User"))
		Expect(w.upstream.Writes()).To(Equal(1))
		Expect(Fetched(ctx, k8s, second).Status.Effective).To(And(HaveField("Role", v1alpha1.RoleUser), HaveField("RoleFrom", "")))
	})

	It("is adopted by its name, without a POST", Label("adoption"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		before := w.upstream.SetGroup("admins", nil, ada)
		w.upstream.ResetCalls()

		group := w.pushed(ctx, MakeGroup("admins").With(ada))

		Expect(group).To(BeReady(v1alpha1.SyncedReason))
		Expect(group.Status.GroupID).To(Equal(before.ID))
		Expect(w.upstream.Writes()).To(BeZero())
	})

	It("is looked for once while it waits for its turn, and created when that comes", Label("order"), func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx), func(o *OrganizationBuilder) { o.Limited(1, 1) })
		w.upstream.ResetCalls()
		group := w.pushed(ctx, MakeGroup("QA"))
		for range 3 {
			w.clock.Advance(time.Second)
			w.grouped(ctx, group)
		}

		Expect(w.upstream.Counts()).To(Equal(map[string]int{"GET /Groups": 1, "POST /Groups": 1}))
		Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("is changed at its next turn when LambdaTest asks to slow down", Label("circuit"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("QA").With(ada, grace))
		w.upstream.FailNext(http.StatusTooManyRequests, simulator.RetryAfter(time.Second), simulator.On("PATCH /Groups/{id}"))

		group = w.regrouped(ctx, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members = []string{grace} })
		Expect(group).To(BeProgressing(v1alpha1.RateLimitedReason))
		w.clock.Advance(2 * time.Second)
		w.grouped(ctx, group)

		Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason))
		Expect(memberNames(w.upstreamGroup("QA"))).To(ConsistOf(grace))
	})

	It("is adopted also when somebody made it at LambdaTest while it waited for its turn", Label("adoption"), func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx), func(o *OrganizationBuilder) { o.Limited(1, 1) })
		group := w.pushed(ctx, MakeGroup("QA"))
		w.upstream.SetGroup("QA", nil)
		for range 5 {
			w.clock.Advance(time.Second)
			w.grouped(ctx, group)
		}

		Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("cannot take a name that LambdaTest has another group of, and goes on when that is gone", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("QA"))
		w.upstream.SetGroup("Taken", nil)

		group = w.regrouped(ctx, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName = "Taken" })

		Expect(group).To(BeStalled(v1alpha1.UpstreamRejectedReason))
		w.upstream.RemoveGroup("Taken")
		w.retried(ctx, connection.RefusalPauseMin)
		Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstreamGroup("Taken").ID).To(Equal(group.Status.GroupID))
	})

	It("that was deleted at LambdaTest comes back with its members", Label("sweep"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("QA").Giving(v1alpha1.RoleGuest).With(ada))
		w.upstream.RemoveGroup("QA")

		w.wholeSweep(ctx)

		Expect(memberNames(w.upstreamGroup("QA"))).To(ConsistOf(ada))
		Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada).Role).To(Equal("Guest"))
	})

	It("that was changed at LambdaTest is set back", Label("sweep"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		w.pushed(ctx, MakeGroup("QA").Giving(v1alpha1.RoleGuest).With(ada))
		w.upstream.SetGroup("QA", []string{"Admin"}, grace)

		w.wholeSweep(ctx)

		Expect(memberNames(w.upstreamGroup("QA"))).To(ConsistOf(ada))
		Expect(w.upstreamGroup("QA").Roles).To(Equal([]string{"Guest"}))
		w.wholeSweep(ctx)
		Expect(w.account(ada).Role).To(Equal("Guest"))
		Expect(w.account(grace).Role).To(Equal("User"))
	})

	It("is only reported as changed when the policy says so", Label("drift-report"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx, func(o *OrganizationBuilder) { o.ReportingDrift() })
		group := w.pushed(ctx, MakeGroup("QA").With(ada))
		w.upstream.SetGroup("QA", nil, grace)

		w.wholeSweep(ctx)

		Expect(Fetched(ctx, k8s, group)).To(BeStalled(v1alpha1.DriftedReason))
		Expect(memberNames(w.upstreamGroup("QA"))).To(ConsistOf(grace))
		w.regrouped(ctx, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.ExternalID = "changed" })
		Expect(memberNames(w.upstreamGroup("QA"))).To(ConsistOf(ada))
	})

	It("says what to do while group provisioning is off, is not repeated, and goes on", func(ctx SpecContext) {
		w, first, _ := groupWorld(ctx)
		w.upstream.Switch(func(s *simulator.Switches) { s.GroupsOff = true })

		group := w.pushed(ctx, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada))

		Expect(group).To(BeStalled(v1alpha1.GroupProvisioningDisabledReason))
		Expect(status.ReadyCondition(group).Message).To(ContainSubstring("groupMode: RolesOnly"))
		Expect(Fetched(ctx, k8s, first)).To(BeProgressing(v1alpha1.ProgressingReason))
		writes := w.upstream.Writes()
		w.grouped(ctx, group)
		Expect(w.upstream.Writes()).To(Equal(writes))

		w.upstream.Switch(func(s *simulator.Switches) { s.GroupsOff = false })
		w.retried(ctx, connection.RefusalPauseMin)
		w.handleWoken(ctx)
		Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason))
		Expect(Fetched(ctx, k8s, first)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada).Role).To(Equal("Admin"))
	})

	It("whose creation is not answered is looked for before anything else, and there is one", Label("circuit"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		w.upstream.LoseNextAnswer(simulator.On("POST /Groups"))
		group := w.pushed(ctx, MakeGroup("QA").With(ada))
		Expect(group).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))
		w.clock.Advance(time.Minute)

		w.grouped(ctx, group)

		Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Count("POST /Groups")).To(Equal(1))
	})

	It("does not strip members while nobody knows their accounts", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: "unclaimed@example.com", Active: true})
		w.wholeSweep(ctx)
		group := w.pushed(ctx, MakeGroup("QA").With(ada, "unclaimed@example.com"))
		w.restart()
		w.upstream.Fail(http.StatusServiceUnavailable, simulator.On("GET /Users"))
		w.connected(ctx, DefaultOrganization)
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())
		w.upstream.ResetCalls()

		w.grouped(ctx, group)

		Expect(w.upstream.Writes()).To(BeZero())
		Expect(memberNames(w.upstreamGroup("QA"))).To(HaveLen(2))
	})

	It("follows the people of a restart without a write", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada, grace))
		w.wholeSweep(ctx)
		w.restart()
		w.connected(ctx, DefaultOrganization)
		Expect(w.connection().Sweep(ctx)).To(Succeed())
		w.upstream.ResetCalls()

		w.wokenGroups(ctx)
		w.handleWoken(ctx)
		w.grouped(ctx, group)

		Expect(w.upstream.Writes()).To(BeZero())
	})
})

var _ = Describe("Groups of one displayName", Label("groups", "duplicate"), func() {
	It("are one: the declared one, then the oldest; when it goes, the next takes LambdaTest's group over without a DELETE", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		provided := w.pushed(ctx, MakeGroup("QA").FromSCIM().With(ada, grace))
		declared := w.pushed(ctx, MakeGroup("qa").Giving(v1alpha1.RoleGuest).With(ada))
		w.grouped(ctx, provided)
		Expect(Fetched(ctx, k8s, provided)).To(BeStalled(v1alpha1.DuplicateDisplayNameReason))
		Expect(declared).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Groups()).To(HaveLen(1))
		Expect(memberNames(w.upstreamGroup("qa"))).To(ConsistOf(ada))
		Expect(declared.Status.GroupID).To(Equal(provided.Status.GroupID))
		w.upstream.ResetCalls()

		w.grouped(ctx, Deleted(ctx, k8s, declared))
		w.grouped(ctx, provided)

		Expect(Exists(ctx, k8s, declared)).To(BeFalse())
		Expect(w.upstream.Count("DELETE /Groups/{id}")).To(BeZero())
		Expect(Fetched(ctx, k8s, provided)).To(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.GroupID", declared.Status.GroupID)))
		Expect(memberNames(w.upstreamGroup("QA"))).To(ConsistOf(ada, grace))
	})

	It("hand LambdaTest's group over with a finalizer, so that it goes with the last of them", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		older := w.pushed(ctx, MakeGroup("QA").Named("older").With(ada))
		younger := Applied(ctx, k8s, MakeGroup("QA").Named("younger").With(ada).In(w.namespace).Obj())

		w.grouped(ctx, Deleted(ctx, k8s, older))
		Expect(Exists(ctx, k8s, older)).To(BeFalse())
		w.grouped(ctx, Deleted(ctx, k8s, younger))

		Expect(Exists(ctx, k8s, younger)).To(BeFalse())
		Expect(w.upstream.Groups()).To(BeEmpty())
	})

	It("that ask for a resync are read, and it is done once LambdaTest has answered", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("QA").With(ada))
		w.upstream.Fail(503, simulator.On("GET /Groups/{id}"))
		w.upstream.ResetCalls()

		group = w.regrouped(ctx, group, func(g *v1alpha1.LambdaTestGroup) {
			g.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
		})
		Expect(group.Status.LastHandledReconcileAt).To(BeEmpty())
		first := w.grouped(ctx, group).RequeueAfter
		Expect(w.upstream.Count("GET /Groups/{id}")).To(Equal(1), "what failed is not repeated at each look")
		w.upstream.ClearFaults()
		w.clock.Advance(first)
		w.grouped(ctx, group)

		Expect(Fetched(ctx, k8s, group).Status.LastHandledReconcileAt).To(Equal("now"))
		w.grouped(ctx, group)
		Expect(w.upstream.Count("GET /Groups/{id}")).To(Equal(2))
	})

	It("whose second one goes lose nothing", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		w.pushed(ctx, MakeGroup("QA").Named("older").With(ada))
		younger := w.pushed(ctx, MakeGroup("QA").Named("younger").Giving(v1alpha1.RoleAdmin).With(ada))
		Expect(younger).To(BeStalled(v1alpha1.DuplicateDisplayNameReason))
		Expect(w.account(ada).Role).To(Equal("User"))
		w.upstream.ResetCalls()

		w.grouped(ctx, Deleted(ctx, k8s, younger))

		Expect(Exists(ctx, k8s, younger)).To(BeFalse())
		Expect(w.upstream.Calls()).To(BeEmpty())
	})

	It("do not take each other's group while one is being renamed", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		first := w.pushed(ctx, MakeGroup("QA").With(ada))
		Changed(ctx, k8s, first, func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName = "Quality" })

		second := w.pushed(ctx, MakeGroup("QA").Named("second").With(grace))
		Expect(second).To(BeProgressing(v1alpha1.ProgressingReason))
		w.grouped(ctx, first)
		w.grouped(ctx, second)

		Expect(memberNames(w.upstreamGroup("Quality"))).To(ConsistOf(ada))
		Expect(memberNames(w.upstreamGroup("QA"))).To(ConsistOf(grace))
	})
})

var _ = Describe("A group that is deleted", Label("groups", "deletion"), func() {
	It("is deleted at LambdaTest by one DELETE, whose roles follow by themselves", func(ctx SpecContext) {
		w, first, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("Guests").Giving(v1alpha1.RoleGuest).With(ada))
		w.upstream.ResetCalls()

		w.grouped(ctx, Deleted(ctx, k8s, group))
		w.wholeSweep(ctx)

		Expect(Exists(ctx, k8s, group)).To(BeFalse())
		Expect(w.upstream.Groups()).To(BeEmpty())
		Expect(w.upstream.Writes()).To(Equal(1))
		Expect(Fetched(ctx, k8s, first)).To(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.Account.Role", "User")))
	})

	It("is deleted at LambdaTest also when whoever created it there could not note its id", Label("failover"), func(ctx SpecContext) {
		for _, restarted := range []bool{false, true} {
			w, _, _ := groupWorld(ctx)
			group := w.pushed(ctx, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada))
			group.Status = v1alpha1.LambdaTestGroupStatus{}
			Expect(k8s.Status().Update(ctx, group)).To(Succeed())
			if restarted {
				w.restart()
				w.connected(ctx, DefaultOrganization)
			}

			Deleted(ctx, k8s, group)

			w.grouped(ctx, group)
			w.grouped(ctx, group)
			Expect(Exists(ctx, k8s, group)).To(BeFalse())
			Expect(w.upstream.Groups()).To(BeEmpty())
		}
	})

	It("leaves nobody with its role because LambdaTest's own choice is the same", func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx))
		users := make([]string, 5) // more than are looked up one by one
		for i := range users {
			users[i] = fmt.Sprintf("person-%d@example.com", i)
			w.settled(ctx, MakeUser(users[i]).Role(v1alpha1.RoleAdmin))
		}
		group := w.pushed(ctx, MakeGroup("Users").Giving(v1alpha1.RoleUser).With(users...))
		w.wholeSweep(ctx)

		w.grouped(ctx, Deleted(ctx, k8s, group))
		w.grouped(ctx, group) // the cache shows that it is gone
		w.wholeSweep(ctx)

		for _, user := range users {
			Expect(w.account(user).Role).To(Equal("Admin"))
		}
	})

	It("is told to its members once the cache shows it, whoever let it go", Label("failover"), func(ctx SpecContext) {
		w, first, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada))
		Changed(ctx, k8s, Deleted(ctx, k8s, group), func(g *v1alpha1.LambdaTestGroup) { g.Finalizers = nil }) // by a former leader
		w.restart()
		w.connected(ctx, DefaultOrganization)
		w.woken()

		w.groups.Families().Delete(ctx, event.DeleteEvent{Object: group}, nil)

		Expect(w.woken()).To(HaveKey(claims.KeyOf(first)))
	})

	It("waits until a call of a former leader can no longer create it", Label("failover"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		w.restart()
		w.connected(ctx, DefaultOrganization)
		group := MakeGroup("Admins").FromSCIM().In(w.namespace).Obj()
		group.Finalizers = []string{v1alpha1.Finalizer}
		Deleted(ctx, k8s, Applied(ctx, k8s, group))

		w.grouped(ctx, group)
		w.upstream.SetGroup("Admins", []string{"Admin"}, ada)
		w.clock.Advance(DefaultLeaseDuration + connection.CallTimeout)
		for range 3 {
			w.grouped(ctx, group)
		}

		Expect(Exists(ctx, k8s, group)).To(BeFalse())
		Expect(w.upstream.Groups()).To(BeEmpty())
	})

	It("stays at LambdaTest when the policy is Orphan", Label("orphan"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("QA").With(ada).Orphan())
		w.upstream.ResetCalls()

		w.grouped(ctx, Deleted(ctx, k8s, group))

		Expect(Exists(ctx, k8s, group)).To(BeFalse())
		Expect(w.upstream.Calls()).To(BeEmpty())
	})

	It("comes back without its former members", Label("revival"), func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("QA").With(ada))
		w.grouped(ctx, Deleted(ctx, k8s, group))

		again := w.pushed(ctx, MakeGroup("QA").With(grace))

		Expect(again.Status.GroupID).To(Equal(group.Status.GroupID))
		Expect(memberNames(w.upstreamGroup("QA"))).To(ConsistOf(grace))
	})

	It("stays, and says how to go, while group provisioning is off", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("QA").With(ada))
		w.upstream.Switch(func(s *simulator.Switches) { s.GroupsOff = true })
		w.grouped(ctx, Deleted(ctx, k8s, group))

		held := Fetched(ctx, k8s, group)
		Expect(held).To(BeStalled(v1alpha1.GroupProvisioningDisabledReason))
		Expect(status.ReadyCondition(held).Message).To(ContainSubstring("deletionPolicy: Orphan"))

		w.grouped(ctx, Changed(ctx, k8s, held, func(g *v1alpha1.LambdaTestGroup) { g.Spec.DeletionPolicy = v1alpha1.GroupDeletionOrphan }))
		Expect(Exists(ctx, k8s, group)).To(BeFalse())
	})

	It("keeps its organization until then, and goes with a warning when that is gone", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		group := w.pushed(ctx, MakeGroup("QA"))
		organization := Deleted(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj())
		Expect(w.connected(ctx, organization.Name)).To(BeStalled(v1alpha1.PeopleRemainReason))
		Changed(ctx, k8s, organization, func(o *v1alpha1.LambdaTestOrganization) { o.Finalizers = nil })
		w.events()

		w.grouped(ctx, Deleted(ctx, k8s, group))

		Expect(Exists(ctx, k8s, group)).To(BeFalse())
		Expect(w.events()).To(ContainElement(HavePrefix("Warning OrganizationNotFound")))
	})

	It("is left alone when the namespace is being deleted", func(ctx SpecContext) {
		w, _, _ := groupWorld(ctx)
		group := w.pushed(ctx, MakeGroup("QA").With(ada))
		w.upstream.ResetCalls()
		deleteNamespace(ctx, w.namespace)

		w.grouped(ctx, Deleted(ctx, k8s, group))

		Expect(Exists(ctx, k8s, group)).To(BeFalse())
		Expect(w.upstream.Calls()).To(BeEmpty())
	})
})

var _ = Describe("Where groups are not pushed", Label("groups", "roles-only"), func() {
	It("they decide roles here, and come before the claims; the highest wins; then the claimed role, or User", func(ctx SpecContext) {
		w, first, second := groupWorld(ctx, rolesOnly)
		guests := w.pushed(ctx, MakeGroup("Guests").Giving(v1alpha1.RoleGuest).With(ada, grace))
		Expect(guests).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada).Role).To(Equal("Guest"))
		Expect(w.account(grace).Role).To(Equal("Guest"))

		admins := w.pushed(ctx, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada))
		Expect(w.account(ada).Role).To(Equal("Admin"))
		Expect(Fetched(ctx, k8s, first).Status.Effective.RoleFrom).To(Equal("LambdaTestGroup/admins"))

		w.regrouped(ctx, admins, func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members = nil })
		Expect(w.account(ada).Role).To(Equal("Guest"))
		w.regrouped(ctx, guests, func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members = nil })
		Expect(w.account(ada).Role).To(Equal("User"), "as claimed")
		Expect(w.account(grace).Role).To(Equal("User"), "as nobody claims a role")

		Expect(Fetched(ctx, k8s, second)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Writes()).To(Equal(6), "one for each change of somebody's role")
		Expect(w.upstream.Groups()).To(BeEmpty())
		Expect(w.upstream.Count("GET /Groups")).To(BeZero())
	})

	It("a group that comes while a member is looked at for the first time gives its role to that member, too", func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx), rolesOnly)
		user := Applied(ctx, k8s, MakeUser(ada).Role(v1alpha1.RoleUser).In(w.namespace).Obj())
		come := sync.OnceFunc(func() {
			defer GinkgoRecover()
			group := Applied(ctx, k8s, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada).In(w.namespace).Obj())
			Expect(w.groups.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(group)})).Error().NotTo(HaveOccurred())
		})
		w.people.Client = interceptor.NewClient(k8s, interceptor.Funcs{
			List: func(ctx context.Context, k8s client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
				err := k8s.List(ctx, list, options...)
				if _, groups := list.(*v1alpha1.LambdaTestGroupList); groups {
					come()
				}
				return err
			},
		})

		w.reconciled(ctx, user)
		w.handleWoken(ctx)

		Expect(w.account(ada).Role).To(Equal("Admin"))
	})

	It("a group that was stopped by LambdaTest goes on as roles only", func(ctx SpecContext) {
		w, first, _ := groupWorld(ctx)
		w.upstream.Switch(func(s *simulator.Switches) { s.GroupsOff = true })
		group := w.pushed(ctx, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada))

		Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(),
			func(o *v1alpha1.LambdaTestOrganization) { o.Spec.GroupMode = v1alpha1.GroupRolesOnly })
		w.grouped(ctx, group)

		Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada).Role).To(Equal("Admin"))
		Expect(Fetched(ctx, k8s, first)).To(BeReady(v1alpha1.SyncedReason))
	})
})

var _ = Describe("A demotion by the deletion of a group", Label("groups", "guard", "demotion"), func() {
	administrated := func(ctx context.Context, builder *GroupBuilder, change ...func(*OrganizationBuilder)) (*world, *v1alpha1.LambdaTestGroup, []*v1alpha1.LambdaTestUser) {
		GinkgoHelper()
		w := withOrganization(ctx, newWorld(ctx), append(change, guarding(0, 25))...)
		people, names := make([]*v1alpha1.LambdaTestUser, 6), make([]string, 6)
		for i := range people {
			names[i] = fmt.Sprintf("admin-%d@example.com", i)
			people[i] = w.settled(ctx, MakeUser(names[i]))
		}
		group := w.pushed(ctx, builder.Giving(v1alpha1.RoleAdmin).With(names...))
		w.wholeSweep(ctx)
		Expect(w.account(names[0]).Role).To(Equal("Admin"))
		w.upstream.ResetCalls()
		return w, group, people
	}
	for _, mode := range []struct {
		name   string
		change []func(*OrganizationBuilder)
	}{{name: "that is pushed"}, {name: "that is not pushed", change: []func(*OrganizationBuilder){rolesOnly}}} {
		It("waits as a whole, and an approval lets it go: "+mode.name, func(ctx SpecContext) {
			w, group, people := administrated(ctx, MakeGroup("Admins"), mode.change...)

			w.grouped(ctx, Deleted(ctx, k8s, group))

			Expect(Fetched(ctx, k8s, group)).To(BeStalled(v1alpha1.DemotionHeldReason))
			Expect(w.upstream.Writes()).To(BeZero())
			Expect(w.held(ctx).Count).To(BeEquivalentTo(6))
			Expect(Fetched(ctx, k8s, group).Status.HeldMembers).To(HaveExactElements(
				"admin-0@example.com", "admin-1@example.com", "admin-2@example.com", "admin-3@example.com", "admin-4@example.com", "admin-5@example.com"))
			Expect(Fetched(ctx, k8s, people[0])).To(BeStalled(v1alpha1.DemotionHeldReason))
			Expect(status.ReadyCondition(Fetched(ctx, k8s, people[0])).Message).To(ContainSubstring("would change the role of this person from Admin to a lower one"))

			w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, w.held(ctx).Token)
			w.wokenGroups(ctx)
			w.handleWoken(ctx)
			w.wholeSweep(ctx)

			Expect(Exists(ctx, k8s, group)).To(BeFalse())
			for _, user := range people {
				Expect(w.account(user.Spec.UserName).Role).To(Equal("User"))
				Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
			}
		})

		It("that is rejected leaves the roles, also after a restart, and Git can declare the group again: "+mode.name, func(ctx SpecContext) {
			w, group, people := administrated(ctx, MakeGroup("Admins"), mode.change...)
			w.grouped(ctx, Deleted(ctx, k8s, group))

			w.decided(ctx, v1alpha1.RejectDeprovisionAnnotation, w.held(ctx).Token)
			w.wokenGroups(ctx)
			w.handleWoken(ctx)
			w.restart()
			w.connected(ctx, DefaultOrganization)
			w.wholeSweep(ctx)

			Expect(Exists(ctx, k8s, group)).To(BeFalse())
			Expect(w.upstream.Writes()).To(BeZero())
			for _, user := range people {
				Expect(w.account(user.Spec.UserName).Role).To(Equal("Admin"))
			}
			Expect(Fetched(ctx, k8s, people[0])).To(BeStalled(v1alpha1.DemotionHeldReason))

			w.pushed(ctx, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(group.Spec.Members...))
			Expect(Fetched(ctx, k8s, people[0])).To(BeReady(v1alpha1.SyncedReason))
			Expect(w.upstream.Writes()).To(BeZero())
		})
	}

	It("does not follow from a definition that is being deleted, also while a new leader has not opened the organization", Label("failover", "deletion"), func(ctx SpecContext) {
		w, group, people := administrated(ctx, MakeGroup("Admins"), rolesOnly)
		w.restart()
		w.groups.Live = interceptor.NewClient(k8s, interceptor.Funcs{
			Get: func(ctx context.Context, k8s client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
				err := k8s.Get(ctx, key, object, options...)
				if key.Name == deletion.GroupsCRD {
					object.SetDeletionTimestamp(new(metav1.Now()))
				}
				return err
			},
		})

		w.grouped(ctx, Deleted(ctx, k8s, group))
		Expect(Exists(ctx, k8s, group)).To(BeTrue(), "whom it gives a role is not known yet")
		w.connected(ctx, DefaultOrganization)
		w.wokenGroups(ctx)
		w.wholeSweep(ctx)
		for _, user := range people {
			w.reconciled(ctx, user)
		}

		Expect(Exists(ctx, k8s, group)).To(BeFalse())
		Expect(w.upstream.Writes()).To(BeZero())
		Expect(w.account(people[0].Spec.UserName).Role).To(Equal("Admin"))
	})

	It("passes when the identity provider deleted its own", func(ctx SpecContext) {
		w, group, people := administrated(ctx, MakeGroup("Admins").FromSCIM())
		Changed(ctx, k8s, group, func(g *v1alpha1.LambdaTestGroup) {
			metav1.SetMetaDataAnnotation(&g.ObjectMeta, v1alpha1.DeletedByProviderAnnotation, time.Now().UTC().Format(time.RFC3339))
		})

		w.grouped(ctx, Deleted(ctx, k8s, group))
		w.wholeSweep(ctx)

		Expect(Exists(ctx, k8s, group)).To(BeFalse())
		Expect(w.account(people[5].Spec.UserName).Role).To(Equal("User"))
	})

	It("is held when somebody else deleted the provider's", func(ctx SpecContext) {
		w, group, _ := administrated(ctx, MakeGroup("Admins").FromSCIM())

		w.grouped(ctx, Deleted(ctx, k8s, group))

		Expect(Fetched(ctx, k8s, group)).To(BeStalled(v1alpha1.DemotionHeldReason))
	})
})
