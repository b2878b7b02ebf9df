// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/organization"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// request names an organization of the spec's namespace.
func (w *world) request(organization string) ctrl.Request {
	return ctrl.Request{NamespacedName: client.ObjectKey{Namespace: w.namespace, Name: organization}}
}

// unreadable is an API server that fails to show one Secret.
func unreadable(secret string, err error) client.WithWatch {
	return interceptor.NewClient(k8s, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
			if _, isSecret := into.(*corev1.Secret); isSecret && key.Name == secret {
				return err
			}
			return c.Get(ctx, key, into, options...)
		},
	})
}

var _ = Describe("An organization whose API server fails", Label("faulty-api"), func() {
	It("to show the token's Secret once keeps its connection, and the refusals that it knows", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		user = w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.ConcurrencyGroup = "no-such-group" })
		Expect(user).To(BeStalled(v1alpha1.ConcurrencyGroupNotFoundReason))
		w.woken()
		w.upstream.ResetCalls()

		w.organizations.Live = unreadable("lambdatest-default", apierrors.NewServiceUnavailable("starting"))
		_, err := w.organizations.Reconcile(ctx, w.request(DefaultOrganization))

		Expect(err).To(MatchError(apierrors.IsServiceUnavailable, "IsServiceUnavailable"))
		_, obstacle := w.connection().State()
		Expect(obstacle).To(BeZero())
		Expect(w.woken()).To(BeEmpty())

		w.organizations.Live = k8s
		w.connected(ctx, DefaultOrganization)
		w.handleWoken(ctx)
		Expect(w.upstream.Writes()).To(BeZero())
		Expect(Fetched(ctx, k8s, user)).To(BeStalled(v1alpha1.ConcurrencyGroupNotFoundReason))
	})

	It("to show the SCIM token's Secret once keeps what it warned of, and the tokens that it knows", Label("security"), func(ctx SpecContext) {
		w := newWorld(ctx)
		Applied(ctx, k8s, MakeSecret(w.namespace, "default-scim-token", "short"))
		withOrganization(ctx, w)
		warned := HaveCondition(v1alpha1.SCIMTokenWarningCondition, metav1.ConditionTrue, v1alpha1.TokenIgnoredReason)
		Expect(w.connected(ctx, DefaultOrganization)).To(warned)

		w.organizations.Live = unreadable("default-scim-token", apierrors.NewServiceUnavailable("starting"))
		w.upstream.FailNext(http.StatusServiceUnavailable)
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())
		_, err := w.organizations.Reconcile(ctx, w.request(DefaultOrganization))

		Expect(err).To(MatchError(apierrors.IsServiceUnavailable, "IsServiceUnavailable"))
		Expect(Fetched(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj())).To(
			And(warned, BeProgressing(v1alpha1.UpstreamUnavailableReason)))
	})

	It("to create the SCIM token's Secret calls LambdaTest all the same, and warns", Label("deny-wins"), func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: ada, Role: "User", Active: true})
		w.organizations.Client = interceptor.NewClient(k8s, interceptor.Funcs{
			Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
				return apierrors.NewForbidden(corev1.Resource("secrets"), "default-scim-token", nil)
			},
		})

		withOrganization(ctx, w)
		w.settled(ctx, MakeUser(ada).Denied())

		Expect(w.account(ada).Active).To(BeFalse())
		Expect(w.connected(ctx, DefaultOrganization)).To(And(BeReady(v1alpha1.SyncedReason),
			HaveCondition(v1alpha1.SCIMTokenWarningCondition, metav1.ConditionTrue, v1alpha1.SecretNotFoundReason)))

		w.organizations.Client = k8s
		Expect(w.connected(ctx, DefaultOrganization)).NotTo(HaveCondition(v1alpha1.SCIMTokenWarningCondition, metav1.ConditionTrue, v1alpha1.SecretNotFoundReason))
	})
})

var _ = Describe("While the cache does not show yet what was written last of an organization", func() {
	It("its status is compared with what is stored, so that an outage that is over is not told for good", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		organization := w.connected(ctx, DefaultOrganization)
		Expect(organization).To(BeReady(v1alpha1.SyncedReason))
		w.organizations.Client = &standingStill{Client: k8s, organization: organization}
		w.upstream.FailNext(http.StatusServiceUnavailable)
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())
		Expect(w.connected(ctx, DefaultOrganization)).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))

		w.swept(ctx)

		Expect(w.connected(ctx, DefaultOrganization)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("a status that another leader wrote late is told again, and what the guard wrote is not", Label("failover"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		before := w.connected(ctx, DefaultOrganization)
		passes := status.IgnoringOwnWrites[client.Object](&w.organizations.Written, organization.Changed())
		notices := func(change func(*v1alpha1.LambdaTestOrganizationStatus)) bool {
			after := before.DeepCopy()
			change(&after.Status)
			Expect(k8s.Status().Update(ctx, after)).To(Succeed())
			defer func() { before = after }()
			return passes.Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after})
		}

		Expect(notices(func(s *v1alpha1.LambdaTestOrganizationStatus) { s.People = new(int32(77)) })).To(BeTrue())
		Expect(notices(func(s *v1alpha1.LambdaTestOrganizationStatus) { s.Guard = &v1alpha1.GuardStatus{Explicit: 1} })).To(BeFalse())
	})

	It("its own write is no reason to look again", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		before := Fetched(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj())
		after := w.connected(ctx, DefaultOrganization)
		Expect(after.ResourceVersion).NotTo(Equal(before.ResourceVersion))

		passes := status.IgnoringOwnWrites[client.Object](&w.organizations.Written, organization.Changed())
		Expect(passes.Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after})).To(BeFalse())
	})

	It("a write that meets one of the guard is made on top of it, and keeps it", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		stale := w.connected(ctx, DefaultOrganization)
		guarded := stale.DeepCopy()
		guarded.Status.Guard = &v1alpha1.GuardStatus{Explicit: 1}
		Expect(k8s.Status().Update(ctx, guarded)).To(Succeed())
		w.organizations.Client = &standingStill{Client: k8s, organization: stale}
		w.upstream.FailNext(http.StatusServiceUnavailable)
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())

		organization := w.connected(ctx, DefaultOrganization)

		Expect(organization).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))
		Expect(organization.Status.Guard.Explicit).To(BeEquivalentTo(1))
	})
})

var _ = Describe("Two organizations that are one at LambdaTest", Label("duplicate"), func() {
	// both applies an older and a younger organization with the same token, and looks at neither.
	both := func(ctx context.Context, w *world, change ...func(*OrganizationBuilder)) {
		GinkgoHelper()
		for _, name := range []string{"a-older", "b-younger"} {
			Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-"+name, upstreamToken))
			builder := MakeOrganization(name).In(w.namespace).At(w.upstream.BaseURL())
			for _, apply := range change {
				apply(builder)
			}
			Applied(ctx, k8s, builder.Obj())
		}
	}
	suspend := func(ctx context.Context, w *world, name string, suspended bool) {
		GinkgoHelper()
		Changed(ctx, k8s, MakeOrganization(name).In(w.namespace).Obj(), func(o *v1alpha1.LambdaTestOrganization) { o.Spec.Suspend = suspended })
	}
	called := func(w *world, name string) bool {
		GinkgoHelper()
		_, obstacle := w.connectionOf(name).State()
		return w.connectionOf(name).Client() != nil && obstacle == status.Outcome{}
	}

	It("leave the calls to the older one, while it is suspended and afterwards", Label("suspend"), func(ctx SpecContext) {
		w := newWorld(ctx)
		both(ctx, w)
		w.connected(ctx, "a-older")
		suspend(ctx, w, "a-older", true)
		w.connected(ctx, "a-older")

		Expect(w.connected(ctx, "b-younger")).To(BeStalled(v1alpha1.DuplicateOrganizationReason))

		suspend(ctx, w, "a-older", false)
		w.connected(ctx, "a-older")
		Expect(called(w, "a-older")).To(BeTrue())
		Expect(called(w, "b-younger")).To(BeFalse())
	})

	It("leave the calls to the older one when it was suspended before anybody looked at it", Label("suspend"), func(ctx SpecContext) {
		w := newWorld(ctx)
		both(ctx, w)
		suspend(ctx, w, "a-older", true)
		w.connected(ctx, "b-younger")
		Expect(called(w, "b-younger")).To(BeTrue(), "nothing is known of the older one yet")

		w.connected(ctx, "a-older")

		Expect(called(w, "b-younger")).To(BeFalse())
		Expect(w.queuedOrganizations.taken()).To(HaveKey(w.request("b-younger")))
		Expect(w.connected(ctx, "b-younger")).To(BeStalled(v1alpha1.DuplicateOrganizationReason))
	})

	It("never call at once when the younger one was opened first: the older one waits for its last call", func(ctx SpecContext) {
		w := newWorld(ctx)
		both(ctx, w)
		w.connected(ctx, "b-younger")
		page := w.upstream.HoldNext(simulator.On("GET /Users"))
		ended := make(chan error)
		go func() { ended <- w.connectionOf("b-younger").Sweep(ctx) }()
		Eventually(page.Arrived()).Should(Receive())

		result, err := w.organizations.Reconcile(ctx, w.request("a-older"))
		Expect(err).NotTo(HaveOccurred())
		Expect(called(w, "a-older")).To(BeFalse())
		Expect(result.RequeueAfter).To(Equal(organization.TakeOverRetry))

		page.Release()
		Eventually(ended).Should(Receive())
		w.connected(ctx, "a-older")
		Expect(called(w, "a-older")).To(BeTrue())
		Expect(called(w, "b-younger")).To(BeFalse())
		Expect(w.connected(ctx, "b-younger")).To(BeStalled(v1alpha1.DuplicateOrganizationReason))
	})

	It("never call at once when the older one gets the token of the younger one", Label("rotation"), func(ctx SpecContext) {
		w := newWorld(ctx)
		both(ctx, w)
		token := secretNamed(w.namespace, "lambdatest-a-older")
		Changed(ctx, k8s, token, func(s *corev1.Secret) { s.Data = map[string][]byte{"token": []byte("another-token")} })
		w.connected(ctx, "a-older")
		w.connected(ctx, "b-younger")
		Expect(called(w, "b-younger")).To(BeTrue())

		Changed(ctx, k8s, token, func(s *corev1.Secret) { s.Data = map[string][]byte{"token": []byte(upstreamToken)} })
		w.connected(ctx, "a-older")

		Expect(called(w, "a-older")).To(BeTrue())
		Expect(called(w, "b-younger")).To(BeFalse())
	})

	It("are known after a restart: the younger one makes no call before the older one was looked at", Label("failover"), func(ctx SpecContext) {
		w := newWorld(ctx)
		both(ctx, w)
		w.connected(ctx, "a-older")
		before := w.connected(ctx, "b-younger")
		Expect(before).To(BeStalled(v1alpha1.DuplicateOrganizationReason))
		w.restart()

		Expect(w.connected(ctx, "b-younger").ResourceVersion).To(Equal(before.ResourceVersion))
		Expect(called(w, "b-younger")).To(BeFalse())

		w.connected(ctx, "a-older")
		Expect(w.connected(ctx, "b-younger").ResourceVersion).To(Equal(before.ResourceVersion))
		Expect(called(w, "b-younger")).To(BeFalse())
	})

	It("do not wait for ever for an older one that cannot be looked at", Label("failover", "fairness"), func(ctx SpecContext) {
		w := newWorld(ctx)
		both(ctx, w)
		w.connected(ctx, "a-older")
		w.connected(ctx, "b-younger")
		w.restart()
		w.connected(ctx, "b-younger")

		w.clock.Advance(organization.OlderOnesPatience + time.Second)
		w.connected(ctx, "b-younger")

		Expect(called(w, "b-younger")).To(BeTrue())
	})

	It("that have no people: the younger one takes over as soon as the older one is gone", Label("deletion"), func(ctx SpecContext) {
		w := newWorld(ctx)
		both(ctx, w)
		older := w.connected(ctx, "a-older")
		result, err := w.organizations.Reconcile(ctx, w.request("b-younger"))
		Expect(err).NotTo(HaveOccurred())
		Expect(result.RequeueAfter).To(BeNumerically("<=", 30*time.Second))

		Deleted(ctx, k8s, older)
		w.queuedOrganizations.taken()
		w.connected(ctx, "a-older")

		Expect(w.queuedOrganizations.taken()).To(HaveKey(w.request("b-younger")))
		w.connected(ctx, "b-younger")
		Expect(called(w, "b-younger")).To(BeTrue())
	})

	It("by their accounts leave the calls to the older one, even while it is suspended", Label("suspend"), func(ctx SpecContext) {
		w := connectedWorld(ctx, simulator.Population(5))
		suspend(ctx, w, DefaultOrganization, true)
		w.connected(ctx, DefaultOrganization)
		w.upstream.RotateToken("the-next-token")
		Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-twin", "the-next-token"))
		Applied(ctx, k8s, MakeOrganization("twin").In(w.namespace).At(w.upstream.BaseURL()).Obj())
		w.connected(ctx, "twin")

		Expect(w.connectionOf("twin").Sweep(ctx)).To(Succeed())

		Expect(called(w, "twin")).To(BeFalse(), "from the moment on that it is known")
		Expect(w.connected(ctx, "twin")).To(BeStalled(v1alpha1.DuplicateOrganizationReason))
	})

	It("by their accounts are two again when the younger one gets the token of another one", Label("rotation"), func(ctx SpecContext) {
		w := connectedWorld(ctx, simulator.Population(5))
		suspend(ctx, w, DefaultOrganization, true)
		w.connected(ctx, DefaultOrganization)
		w.upstream.RotateToken("the-next-token")
		w.upstream.AddOrg("other", "the-token-of-other")
		Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-twin", "the-next-token"))
		Applied(ctx, k8s, MakeOrganization("twin").In(w.namespace).At(w.upstream.BaseURL()).Obj())
		w.connected(ctx, "twin")
		Expect(w.connectionOf("twin").Sweep(ctx)).To(Succeed())
		Expect(w.connected(ctx, "twin")).To(BeStalled(v1alpha1.DuplicateOrganizationReason))

		Changed(ctx, k8s, secretNamed(w.namespace, "lambdatest-twin"),
			func(s *corev1.Secret) { s.Data = map[string][]byte{"token": []byte("the-token-of-other")} })
		w.connected(ctx, "twin")

		Expect(called(w, "twin")).To(BeTrue())
	})
})

var _ = Describe("A request for a resync", func() {
	It("is acted on once while the first sweep is under way, and acknowledged", Label("failover"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		Expect(w.connected(ctx, DefaultOrganization)).To(BeReady(v1alpha1.SyncedReason))
		w.restart()
		Changed(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).Obj(), func(o *v1alpha1.LambdaTestOrganization) {
			o.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
		})
		w.connected(ctx, DefaultOrganization)
		w.upstream.FailNext(http.StatusTooManyRequests, simulator.RetryAfter(time.Minute))
		Expect(w.connection().Lane.Wait(ctx, "a spec", lane.Sweep)).To(Succeed())
		Expect(w.connection().Call(ctx, "a spec", "ListUsers", func(ctx context.Context, upstream connection.Upstream) error {
			_, err := upstream.ListUsers(ctx, 1, 1)
			return err
		})).To(MatchError(lambdatest.IsRateLimited, "IsRateLimited"))
		_, pausedUntil := w.connection().Lane.State()
		Expect(pausedUntil).To(BeTemporally(">", w.clock.Now()))

		organization := w.connected(ctx, DefaultOrganization)

		_, after := w.connection().Lane.State()
		Expect(after).To(Equal(pausedUntil))
		Expect(organization.Status.LastHandledReconcileAt).To(Equal("now"))
		Expect(organization).To(BeReady(v1alpha1.SyncedReason))
	})
})

var _ = Describe("An organization whose baseURL leads elsewhere", func() {
	elsewhere := simulator.Body("<html>not found</html>")
	misdirected := And(BeStalled(v1alpha1.InvalidBaseURLReason), HaveField("Status.Conditions", ContainElement(HaveField("Message", And(
		HavePrefix("Something other than LambdaTest's SCIM API answered at http"), ContainSubstring("(404)"), ContainSubstring("spec.baseURL"))))))

	It("says so, and goes on by itself once LambdaTest answers", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.Fail(http.StatusNotFound, elsewhere)
		Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-default", upstreamToken))
		Applied(ctx, k8s, MakeOrganization(DefaultOrganization).In(w.namespace).At(w.upstream.BaseURL()).Obj())
		w.connected(ctx, DefaultOrganization)
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())
		Expect(w.connected(ctx, DefaultOrganization)).To(misdirected)

		w.upstream.ClearFaults()
		w.swept(ctx)

		Expect(w.connected(ctx, DefaultOrganization)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("has an outage when LambdaTest answered there before, after a restart too", Label("failover"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		w.connected(ctx, DefaultOrganization)
		w.upstream.Fail(http.StatusNotFound, elsewhere)
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())
		Expect(w.connected(ctx, DefaultOrganization)).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))

		w.restart()
		w.connected(ctx, DefaultOrganization)
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())
		Expect(w.connected(ctx, DefaultOrganization)).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))
	})
})
