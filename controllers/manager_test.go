// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	controllerconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/usercache"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// running starts a manager with all controllers, for one namespace and one LambdaTest, and stops it with the spec or when it is told to.
func running(ctx context.Context, w *world) (stop func()) {
	GinkgoHelper()
	return runningWith(ctx, w, restConfig)
}

// runningWith reaches the API server in a way of its own, and has other options.
func runningWith(ctx context.Context, w *world, config *rest.Config, changes ...func(*Options)) (stop func()) {
	GinkgoHelper()
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:     scheme,
		NewCache:   usercache.New,
		Cache:      cache.Options{DefaultNamespaces: map[string]cache.Config{w.namespace: {}}},
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: controllerconfig.Controller{SkipNameValidation: new(true)},
	})
	Expect(err).NotTo(HaveOccurred())
	options := Options{UpstreamHosts: []string{w.upstream.URL()}, BackoffMin: 50 * time.Millisecond}
	for _, change := range changes {
		change(&options)
	}
	Expect(Setup(mgr, options)).To(Succeed())
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stopped := make(chan error)
	go func() { stopped <- mgr.Start(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		Eventually(stopped).Should(Receive(BeNil()))
	})
	DeferCleanup(stop)
	return stop
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// organized adds Secret and organization to a namespace.
func organized(ctx context.Context, w *world, change ...func(*OrganizationBuilder)) {
	GinkgoHelper()
	builder := MakeOrganization(DefaultOrganization).In(w.namespace).At(w.upstream.BaseURL())
	for _, apply := range change {
		apply(builder)
	}
	Applied(ctx, k8s, MakeSecret(w.namespace, builder.Obj().Spec.TokenSecretRef.Name, w.upstream.Token()))
	Applied(ctx, k8s, builder.Obj())
}

// stored reads an object again, for Eventually.
func stored[T client.Object](ctx context.Context, object T) func(Gomega) T {
	return func(g Gomega) T {
		fresh := object.DeepCopyObject().(T)
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(object), fresh)).To(Succeed())
		return fresh
	}
}

var _ = Describe("With a manager running", func() {
	It("people follow their claims, drift is set back within one interval, and a new token is used within seconds", Label("rotation", "sweep"), func(ctx SpecContext) {
		w := newWorld(ctx)
		running(ctx, w)
		organized(ctx, w, func(o *OrganizationBuilder) { o.Every(time.Second) })

		user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleAdmin).Obj())
		Eventually(stored(ctx, user)).Should(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Count("POST /Users")).To(Equal(1))

		_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) { a.Role = "Guest" })
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() string { return w.account(ada).Role }).WithTimeout(3 * time.Second).Should(Equal("Admin"))

		w.upstream.RotateToken("the-next-token")
		Changed(ctx, k8s, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Role = v1alpha1.RoleUser })
		Eventually(stored(ctx, user)).WithTimeout(5 * time.Second).Should(BeStalled(v1alpha1.UnauthorizedReason))
		Changed(ctx, k8s, secretNamed(w.namespace, "lambdatest-default"),
			func(s *corev1.Secret) { s.Data = map[string][]byte{"token": []byte("the-next-token")} })
		Eventually(stored(ctx, user)).WithTimeout(5 * time.Second).Should(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada).Role).To(Equal("User"))

		Deleted(ctx, k8s, user)
		Eventually(func() bool { return w.account(ada).Active }).WithTimeout(5 * time.Second).Should(BeFalse())
		Eventually(func() bool { return Exists(ctx, k8s, user) }).WithTimeout(5 * time.Second).Should(BeFalse())
	})

	It("whoever was settled before the start is looked at again", Label("restart"), func(ctx SpecContext) {
		w := newWorld(ctx)
		stop := running(ctx, w)
		organized(ctx, w)
		user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleAdmin).Obj())
		Eventually(stored(ctx, user)).Should(BeReady(v1alpha1.SyncedReason))
		stop()

		Changed(ctx, k8s, user, func(u *v1alpha1.LambdaTestUser) {
			u.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "while nobody led"}
		})
		running(ctx, w)

		Eventually(func(g Gomega) string { return stored(ctx, user)(g).Status.LastHandledReconcileAt }).Should(Equal("while nobody led"))
	})

	It("a denial overtakes a backlog of creations", Label("order"), func(ctx SpecContext) {
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true})
		organized(ctx, w, func(o *OrganizationBuilder) { o.Limited(5, 1).Every(time.Hour) })
		user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleUser).Obj())
		for i := range 200 {
			Applied(ctx, k8s, MakeUser(fmt.Sprintf("new-%03d@example.com", i)).In(w.namespace).Role(v1alpha1.RoleUser).Obj())
		}
		running(ctx, w)
		Eventually(func() int { return w.upstream.Count("POST /Users") }).Should(BeNumerically(">", 5))

		before := len(w.upstream.Calls())
		Changed(ctx, k8s, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(false) })
		Eventually(func() bool { return w.account(ada).Active }).WithTimeout(5 * time.Second).WithPolling(10 * time.Millisecond).Should(BeFalse())

		calls := w.upstream.Calls()
		denial := slices.IndexFunc(calls, func(c simulator.Call) bool { return strings.HasPrefix(c.Route, "PATCH") })
		AddReportEntry("calls between the denial and its execution", denial-before)
		Expect(denial - before).To(BeNumerically("<=", 3))
	})

	It("a denial overtakes people whose turn it is, where an API server that is slow keeps all workers busy", Label("order"), func(ctx SpecContext) {
		const newcomers, workers = 200, 4
		w := newWorld(ctx)
		w.upstream.AddAccount(simulator.Account{UserName: ada, Active: true})
		organized(ctx, w, func(o *OrganizationBuilder) { o.Limited(100, 1).Every(time.Hour) })
		user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleUser).Obj())
		for i := range newcomers {
			Applied(ctx, k8s, MakeUser(fmt.Sprintf("new-%03d@example.com", i)).In(w.namespace).Role(v1alpha1.RoleUser).Obj())
		}
		slow := rest.CopyConfig(restConfig)
		slow.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(request *http.Request) (*http.Response, error) {
				if strings.HasSuffix(request.URL.Path, "/status") {
					time.Sleep(200 * time.Millisecond)
				}
				return next.RoundTrip(request)
			})
		})
		runningWith(ctx, w, slow, func(options *Options) { options.Concurrency = workers })
		Eventually(func() int { return w.upstream.Count("POST /Users") }).Should(BeNumerically(">", lane.MaxInFlight))

		before := w.upstream.Count("POST /Users")
		Changed(ctx, k8s, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(false) })
		Eventually(func() bool { return w.account(ada).Active }).WithPolling(10 * time.Millisecond).Should(BeFalse())

		overtaken := w.upstream.Count("POST /Users") - before
		AddReportEntry("accounts that were created between the denial and its execution", overtaken)
		Expect(overtaken).To(BeNumerically("<=", 5*workers))
	})

	It("an organization that fails and one that is limited delay no other", Label("fairness"), func(ctx SpecContext) {
		w := newWorld(ctx)
		organized(ctx, w)
		for name, trouble := range map[string]func(*simulator.Org){
			"failing": func(o *simulator.Org) { o.Fail(http.StatusServiceUnavailable) },
			"limited": func(o *simulator.Org) { o.Switch(func(s *simulator.Switches) { s.RateLimit = 1 }) },
		} {
			org := w.upstream.AddOrg(name, "the-token-of-"+name)
			trouble(org)
			Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-"+name, "the-token-of-"+name))
			Applied(ctx, k8s, MakeOrganization(name).In(w.namespace).At(w.upstream.BaseURL()).Obj())
			for i := range 50 {
				Applied(ctx, k8s, MakeUser(fmt.Sprintf("%s-%03d@example.com", name, i)).Of(name).In(w.namespace).Role(v1alpha1.RoleUser).Obj())
			}
		}
		running(ctx, w)
		Eventually(stored(ctx, MakeOrganization(DefaultOrganization).In(w.namespace).Obj())).Should(BeReady(v1alpha1.SyncedReason))

		user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleUser).Obj())

		Eventually(stored(ctx, user)).WithTimeout(2 * time.Second).WithPolling(10 * time.Millisecond).Should(BeReady(v1alpha1.SyncedReason))
	})

	It("an organization whose Secret the API server is slow to show delays no other", Label("fairness", "failover"), func(ctx SpecContext) {
		w := newWorld(ctx)
		asked := make(chan struct{}, 1)
		slow := rest.CopyConfig(restConfig)
		slow.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(request *http.Request) (*http.Response, error) {
				if strings.HasSuffix(request.URL.Path, "/secrets/lambdatest-first") {
					select {
					case asked <- struct{}{}:
					default:
					}
					<-request.Context().Done()
				}
				return next.RoundTrip(request)
			})
		})
		Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-first", "the-token-of-first"))
		Applied(ctx, k8s, MakeOrganization("first").In(w.namespace).At(w.upstream.BaseURL()).Obj())
		runningWith(ctx, w, slow)
		Eventually(asked).Should(Receive())

		organized(ctx, w)
		user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleUser).Obj())

		Eventually(stored(ctx, user)).WithTimeout(10 * time.Second).Should(BeReady(v1alpha1.SyncedReason))
	})

	It("a mass deletion in an organization whose guard is written slowly delays no denial in another", Label("fairness", "guard", "deny-wins"), func(ctx SpecContext) {
		const size, workers = 100, 8
		w := newWorld(ctx)
		organized(ctx, w)
		w.upstream.AddOrg("slow", "the-token-of-slow")
		Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-slow", "the-token-of-slow"))
		slow := Applied(ctx, k8s, MakeOrganization("slow").In(w.namespace).At(w.upstream.BaseURL()).Limited(1000, 1000).Obj())
		people := make([]*v1alpha1.LambdaTestUser, size)
		for i := range people {
			people[i] = Applied(ctx, k8s, MakeUser(fmt.Sprintf("slow-%03d@example.com", i)).Of("slow").In(w.namespace).Role(v1alpha1.RoleUser).Obj())
		}
		delayed := rest.CopyConfig(restConfig)
		delayed.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(request *http.Request) (*http.Response, error) {
				if strings.HasSuffix(request.URL.Path, "/lambdatestorganizations/slow/status") {
					time.Sleep(time.Second)
				}
				return next.RoundTrip(request)
			})
		})
		runningWith(ctx, w, delayed, func(options *Options) { options.Concurrency = workers })
		user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleUser).Obj())
		Eventually(stored(ctx, user)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(stored(ctx, slow)).WithTimeout(3 * patience).Should(HaveField("Status.Synced", HaveValue(BeEquivalentTo(size))))

		for _, person := range people {
			Deleted(ctx, k8s, person)
		}
		Changed(ctx, k8s, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(false) })
		begun := time.Now()
		Eventually(func() bool { return w.account(ada).Active }).WithPolling(10 * time.Millisecond).Should(BeFalse())

		AddReportEntry("from the denial until it was carried out", time.Since(begun))
		Expect(time.Since(begun)).To(BeNumerically("<", 5*time.Second))
		Eventually(stored(ctx, slow)).WithTimeout(3 * patience).Should(HaveField("Status.Guard.Held.Count", BeEquivalentTo(size*4/5)))
	})

	It("an organization whose calls hang delays no other", Label("fairness"), func(ctx SpecContext) {
		w := newWorld(ctx)
		slow := w.upstream.AddOrg("slow", "the-token-of-slow")
		organized(ctx, w)
		Applied(ctx, k8s, MakeSecret(w.namespace, "lambdatest-slow", "the-token-of-slow"))
		Applied(ctx, k8s, MakeOrganization("slow").In(w.namespace).At(w.upstream.BaseURL()).Obj())
		running(ctx, w)
		Eventually(func() int { return slow.Count("GET /Users") }).Should(Equal(1))
		Eventually(stored(ctx, MakeOrganization("slow").In(w.namespace).Obj())).WithTimeout(5 * time.Second).Should(BeReady(v1alpha1.SyncedReason))
		slow.Latency(7 * time.Second)
		for i := range 100 {
			Applied(ctx, k8s, MakeUser(fmt.Sprintf("slow-%03d@example.com", i)).Of("slow").In(w.namespace).Role(v1alpha1.RoleUser).Obj())
		}

		begun := time.Now()
		user := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleUser).Obj())
		Eventually(stored(ctx, user)).WithTimeout(5 * time.Second).WithPolling(10 * time.Millisecond).Should(BeReady(v1alpha1.SyncedReason))

		AddReportEntry("time of the other organization's person", time.Since(begun))
		Expect(time.Since(begun)).To(BeNumerically("<", 5*time.Second))
	})
})
