// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// measured reads a gauge or a counter of the spec's organization. No label of it holds an address.
func measured(w *world, name string) float64 {
	GinkgoHelper()
	families, err := metrics.Registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			values := map[string]string{}
			for _, label := range metric.GetLabel() {
				Expect(label.GetValue()).NotTo(ContainSubstring("@example.com"))
				values[label.GetName()] = label.GetValue()
			}
			if family.GetName() == name && values["namespace"] == w.namespace && values["organization"] == DefaultOrganization {
				return metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
			}
		}
	}
	Fail("there is no metric " + name)
	return 0
}

// deleteNamespace marks it as being deleted; no controller manager runs here that would go on.
func deleteNamespace(ctx context.Context, name string) {
	GinkgoHelper()
	Deleted(ctx, k8s, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
}

// writesOf sums up what has been written of people and organizations: their resource versions.
func writesOf(ctx context.Context, namespace string) map[string]string {
	GinkgoHelper()
	versions := map[string]string{}
	var users v1alpha1.LambdaTestUserList
	Expect(k8s.List(ctx, &users, client.InNamespace(namespace))).To(Succeed())
	for _, user := range users.Items {
		versions[user.Name] = user.ResourceVersion
	}
	var organizations v1alpha1.LambdaTestOrganizationList
	Expect(k8s.List(ctx, &organizations, client.InNamespace(namespace))).To(Succeed())
	for _, organization := range organizations.Items {
		versions["organization "+organization.Name] = organization.ResourceVersion
	}
	return versions
}

var _ = Describe("An organization", func() {
	It("is ready once it was compared", func(ctx SpecContext) {
		w := connectedWorld(ctx, simulator.Population(3))

		organization := w.connected(ctx, DefaultOrganization)

		Expect(organization).To(BeReady(v1alpha1.SyncedReason))
		Expect(*organization.Status.Unclaimed).To(BeEquivalentTo(3))
	})

	It("says that its Secret is missing, tells its people, and goes on when it appears", func(ctx SpecContext) {
		w := newWorld(ctx)
		Applied(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).At(w.upstream.BaseURL()).Obj())
		Expect(w.connected(ctx, DefaultOrganization)).To(BeStalled(v1alpha1.SecretNotFoundReason))
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.handleWoken(ctx)
		Expect(Fetched(ctx, k8s, user)).To(BeStalled(v1alpha1.OrganizationNotReadyReason))

		Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-default", upstreamToken))
		w.connected(ctx, DefaultOrganization)
		w.swept(ctx)

		Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("uses a new token at once, and then everything continues by itself", Label("rotation", "circuit"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.upstream.RotateToken("the-next-token")
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		Expect(user).To(BeStalled(v1alpha1.UnauthorizedReason))
		Expect(w.connected(ctx, DefaultOrganization)).To(BeStalled(v1alpha1.UnauthorizedReason))
		refused := len(w.upstream.Calls())
		grace := w.settled(ctx, MakeUser("grace@example.com").Role(v1alpha1.RoleUser))
		Expect(grace).To(BeStalled(v1alpha1.UnauthorizedReason))
		Expect(w.upstream.Calls()).To(HaveLen(refused), "one refusal is enough")
		w.woken()

		Changed(ctx, k8s, secretNamed(w.namespace, "lambdatest-default"),
			func(s *corev1.Secret) { s.Data = map[string][]byte{"token": []byte("the-next-token")} })
		w.connected(ctx, DefaultOrganization)
		w.handleWoken(ctx)

		Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(Fetched(ctx, k8s, grace)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("says while its provisioning is paused, and stays ready", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		paused := func(is bool) func(*v1alpha1.LambdaTestOrganization) {
			return func(o *v1alpha1.LambdaTestOrganization) { o.Spec.SCIM.Paused = is }
		}

		Changed(ctx, k8s, w.organization(), paused(true))
		Expect(w.connected(ctx, DefaultOrganization)).To(And(BeReady(v1alpha1.SyncedReason),
			HaveCondition(v1alpha1.SCIMPausedCondition, metav1.ConditionTrue, v1alpha1.PausedReason)))

		Changed(ctx, k8s, w.organization(), paused(false))
		Expect(meta.FindStatusCondition(w.connected(ctx, DefaultOrganization).Status.Conditions, v1alpha1.SCIMPausedCondition)).To(BeNil())
	})

	It("may not name a host that the operator may not call", Label("security"), func(ctx SpecContext) {
		w := newWorld(ctx)
		Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-default", upstreamToken))
		Applied(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).At("https://scim.example.com/api").Obj())

		organization := w.connected(ctx, DefaultOrganization)

		Expect(organization).To(BeStalled(v1alpha1.InvalidBaseURLReason))
	})

	It("gets a Secret with a token for the identity provider", func(ctx SpecContext) {
		w := connectedWorld(ctx)

		organization := w.connected(ctx, DefaultOrganization)

		secret := Fetched(ctx, k8s, secretNamed(w.namespace, organization.Status.SCIMTokenSecret))
		Expect(len(secret.Data["token"])).To(BeNumerically(">=", v1alpha1.MinSCIMTokenBytes))
		Expect(secret.OwnerReferences).To(HaveExactElements(HaveField("UID", organization.UID)))
	})

	It("forgets when a SCIM token was last used once its key is gone", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		organization := w.connected(ctx, DefaultOrganization)
		hour := metav1.NewTime(w.clock.Now().UTC().Truncate(time.Hour))
		organization.Status.SCIMTokenLastUse = map[string]metav1.Time{"token": hour, "removed": hour}
		Expect(k8s.Status().Update(ctx, organization)).To(Succeed())

		organization = w.connected(ctx, DefaultOrganization)

		Expect(organization.Status.SCIMTokenLastUse).To(And(HaveKey("token"), HaveLen(1)))
	})

	It("warns of SCIM tokens that are ignored, shared or about to expire, without showing one", Label("security"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		shared := strings.Repeat("s", v1alpha1.MinSCIMTokenBytes)
		provider := func(name, token, expires string) *v1alpha1.LambdaTestOrganization {
			secret := MakeSecret(w.namespace, name+"-scim-token", token)
			if expires != "" {
				secret.Annotations = map[string]string{v1alpha1.ExpiresAnnotationPrefix + "token": expires}
			}
			Applied(ctx, k8s, secret)
			Applied(ctx, k8s, MakeOrganization(name).In(w.namespace).At(w.upstream.BaseURL()).Obj())
			return w.connected(ctx, name)
		}
		warned := func(reason string) OmegaMatcher {
			return And(HaveCondition(v1alpha1.SCIMTokenWarningCondition, metav1.ConditionTrue, reason),
				HaveField("Status.Conditions", Not(ContainElement(HaveField("Message", ContainSubstring(shared))))))
		}

		Expect(provider("a-first", shared, "")).NotTo(warned(v1alpha1.TokenConflictReason))
		w.queuedOrganizations.taken()
		Expect(provider("b-second", shared, "")).To(warned(v1alpha1.TokenConflictReason))
		Expect(w.queuedOrganizations.taken()).To(HaveKey(requestFor(MakeOrganization("a-first").In(w.namespace).Obj())), "the other one is to say so, too")
		Expect(w.connected(ctx, "a-first")).To(warned(v1alpha1.TokenConflictReason))
		Changed(ctx, k8s, MakeSecret(w.namespace, "b-second-scim-token", ""), func(s *corev1.Secret) { s.Data["token"] = []byte(strings.Repeat("n", 40)) })
		Expect(w.connected(ctx, "b-second")).NotTo(warned(v1alpha1.TokenConflictReason))
		Expect(w.queuedOrganizations.taken()).To(HaveKey(requestFor(MakeOrganization("a-first").In(w.namespace).Obj())))
		Expect(w.connected(ctx, "a-first")).NotTo(warned(v1alpha1.TokenConflictReason))
		Expect(provider("short", "short", "")).To(warned(v1alpha1.TokenIgnoredReason))
		Expect(provider("expiring", strings.Repeat("e", 32), w.clock.Now().Add(time.Hour).Format(time.RFC3339))).To(warned(v1alpha1.TokenExpiringReason))
	})

	It("makes no call while it is suspended, and shows who is denied and may sign in", Label("suspend"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(), func(o *v1alpha1.LambdaTestOrganization) { o.Spec.Suspend = true })
		w.connected(ctx, DefaultOrganization)
		w.upstream.ResetCalls()

		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(false) })

		Expect(user).To(BeStalled(v1alpha1.DeniedButActiveReason))
		Expect(user.Status.PlannedChanges).To(ConsistOf(HaveField("Attribute", "active")))
		Expect(*w.connected(ctx, DefaultOrganization).Status.PendingDenials).To(BeEquivalentTo(1))
		Expect(measured(w, "lambdatest_pending_denials")).To(BeEquivalentTo(1))
		Expect(w.upstream.Calls()).To(BeEmpty())

		w.woken()
		Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(), func(o *v1alpha1.LambdaTestOrganization) { o.Spec.Suspend = false })
		w.connected(ctx, DefaultOrganization)
		Expect(w.woken()).To(HaveKeyWithValue(claims.KeyOf(user), BeNumerically(">=", lane.Denial)))
		w.reconciled(ctx, user)
		Expect(w.account(ada).Active).To(BeFalse())
	})

	It("has one event of its trouble; its people have it in their status", Label("suspend", "events"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		organization := MakeOrganization(DefaultOrganization).In(w.namespace).Obj()
		Changed(ctx, k8s, organization, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.Suspend = true })
		w.events()
		w.connected(ctx, DefaultOrganization)
		user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleUser).Obj())

		w.reconciled(ctx, user)
		Expect(Fetched(ctx, k8s, user)).To(BeStalled(v1alpha1.SuspendedReason))
		Expect(w.events()).To(ConsistOf(HavePrefix("Warning Suspended")))

		Changed(ctx, k8s, organization, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.Suspend = false })
		w.connected(ctx, DefaultOrganization)
		w.reconciled(ctx, user)
		Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.events()).To(ConsistOf(HavePrefix("Normal Synced LambdaTest is reached")))
	})

	It("with the token of an older one is told so, and makes no call", Label("duplicate"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-twin", upstreamToken))
		Applied(ctx, k8s, MakeOrganization("twin").In(w.namespace).At(w.upstream.BaseURL()).Obj())

		Expect(w.connected(ctx, "twin")).To(BeStalled(v1alpha1.DuplicateOrganizationReason))
		Expect(w.connected(ctx, DefaultOrganization)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("with the token of an older one is told so, however its address is spelled", Label("duplicate", "security"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-twin", upstreamToken))
		Applied(ctx, k8s, MakeOrganization("twin").In(w.namespace).At(w.upstream.BaseURL()+"/").Obj())

		Expect(w.connected(ctx, "twin")).To(BeStalled(v1alpha1.DuplicateOrganizationReason))
	})

	It("is not stopped by a status in another namespace that names its accounts", Label("duplicate", "security"), func(ctx SpecContext) {
		w := newWorld(ctx, simulator.Population(3))
		const somebody = "user-000001@example.com"
		attackers := Namespace(ctx, k8s)
		older := Applied(ctx, k8s, MakeOrganization("older").In(attackers).At(w.upstream.BaseURL()).Suspended().Obj())
		forged := Applied(ctx, k8s, MakeUser(somebody).In(attackers).Of(older.Name).Obj())
		forged.Status.AccountID, forged.Status.Account = w.account(somebody).ID, &v1alpha1.AccountState{Active: true}
		Expect(k8s.Status().Update(ctx, forged)).To(Succeed())
		_, err := w.organizations.Reconcile(ctx, requestFor(older))
		Expect(err).NotTo(HaveOccurred())
		time.Sleep(time.Second) // creation times are in seconds

		withOrganization(ctx, w)

		Expect(w.connected(ctx, DefaultOrganization)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("stays until its people are released", Label("deletion"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada))
		organization := Deleted(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj())

		remains := w.connected(ctx, organization.Name)
		Expect(remains).To(BeStalled(v1alpha1.PeopleRemainReason))
		Expect(status.ReadyCondition(remains).Message).To(HavePrefix("1 LambdaTestUser or LambdaTestGroup still needs"))
		w.reconciled(ctx, Deleted(ctx, k8s, user))

		Expect(w.account(ada).Active).To(BeFalse())
		Expect(w.connected(ctx, organization.Name)).To(BeNil())
	})
})

var _ = Describe("A sweep of the whole organization", Label("sweep"), func() {
	It("sets back what was changed at LambdaTest", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleGuest))
		_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) { a.Role = "Admin" })
		Expect(err).NotTo(HaveOccurred())

		w.swept(ctx)

		Expect(w.account(ada).Role).To(Equal("Guest"))
		Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("only reports it, once, when the policy says so; a denial is carried out all the same", Label("drift-report"), func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx), func(o *OrganizationBuilder) { o.ReportingDrift() })
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleGuest))
		_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) { a.Role = "Admin" })
		Expect(err).NotTo(HaveOccurred())
		w.swept(ctx)

		user = Fetched(ctx, k8s, user)
		Expect(user).To(BeStalled(v1alpha1.DriftedReason))
		Expect(user.Status.PlannedChanges).To(ConsistOf(v1alpha1.PlannedChange{Attribute: "role", From: "Admin", To: "Guest"}))
		Expect(w.account(ada).Role).To(Equal("Admin"))
		w.swept(ctx)
		Expect(Fetched(ctx, k8s, user).ResourceVersion).To(Equal(user.ResourceVersion))

		w.changed(ctx, user, denied)
		Expect(w.account(ada).Active).To(BeFalse())
	})

	It("switches a denied person off again under that policy, and changes nothing else", Label("drift-report", "deny-wins"), func(ctx SpecContext) {
		w := withOrganization(ctx, newWorld(ctx), func(o *OrganizationBuilder) { o.ReportingDrift() })
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleGuest))
		w.changed(ctx, user, denied)
		_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) { a.Active, a.Role = true, "Admin" })
		Expect(err).NotTo(HaveOccurred())

		w.swept(ctx)

		Expect(w.account(ada)).To(And(HaveField("Active", false), HaveField("Role", "Admin")))
		Expect(Fetched(ctx, k8s, user)).To(BeStalled(v1alpha1.DriftedReason))
	})

	It("costs list pages only when everybody is as wanted", Label("adoption", "idle"), func(ctx SpecContext) {
		w := newWorld(ctx, simulator.Population(250))
		withOrganization(ctx, w)

		Expect(w.upstream.Counts()).To(Equal(map[string]int{"GET /Users": 3}))
	})

	It("is discarded when the list is cut short, and nobody is believed gone", Label("partial-sweep"), func(ctx SpecContext) {
		w := newWorld(ctx, simulator.Population(30))
		withOrganization(ctx, w)
		w.upstream.Switch(func(s *simulator.Switches) { s.TruncateLists = 20 })
		w.clock.Advance(time.Second)

		Expect(w.connection().Sweep(ctx)).To(MatchError(ContainSubstring("an account that exists")))

		_, known := w.connection().Accounts.Get("user-000030@example.com")
		Expect(known).To(BeTrue())
	})

	It("replaces lookups once there were as many as it has pages", Label("adoption"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		users := make([]*v1alpha1.LambdaTestUser, 10)
		for i := range users {
			users[i] = w.settled(ctx, MakeUser(fmt.Sprintf("new-%d@example.com", i)))
		}
		lookUps := w.upstream.Count("GET /Users")
		Expect(lookUps).To(BeNumerically("<", 5))

		w.swept(ctx)

		Expect(w.upstream.Count("GET /Users")).To(Equal(lookUps + 1))
		Expect(w.upstream.Count("POST /Users")).To(Equal(len(users)))
	})

	It("costs nothing in ten rounds when nothing changed", Label("idle"), func(ctx SpecContext) {
		w := newWorld(ctx, simulator.Population(40), simulator.With(simulator.Switches{MaxPageSize: 20}))
		for i := range 40 {
			Applied(ctx, k8s, MakeUser(fmt.Sprintf("user-%06d@example.com", i+1)).In(w.namespace).Obj())
		}
		withOrganization(ctx, w)
		w.handleWoken(ctx)
		w.connected(ctx, DefaultOrganization)
		w.upstream.ResetCalls()
		written := writesOf(ctx, w.namespace)

		for range 10 {
			w.swept(ctx)
			w.connected(ctx, DefaultOrganization)
		}

		Expect(w.upstream.Counts()).To(Equal(map[string]int{"GET /Users": 10 * 2}))
		Expect(writesOf(ctx, w.namespace)).To(Equal(written))
	})

	It("creates anew whom LambdaTest no longer has, after a lookup by id", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.upstream.RemoveAccount(ada)
		w.upstream.ResetCalls()

		w.swept(ctx)

		Expect(w.upstream.Count("GET /Users/{id}")).To(Equal(1))
		Expect(w.account(ada).Active).To(BeTrue())
	})
})
