// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/group"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/organization"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/person"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/hosts"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// patience is how long a spec waits for what does not have to be soon: the machine may be busy.
const patience = 20 * time.Second

// guardQuiet is how long the held set must stay the same before the organization names a new token.
const guardQuiet = 2 * time.Second

// One API server for the package; every spec has a namespace and a LambdaTest of its own.
var (
	restConfig *rest.Config
	k8s        client.WithWatch
	scheme     = runtime.NewScheme()
)

func TestControllers(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	RunSpecs(t, "Controllers")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(GinkgoLogr)
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())

	plane, err := controlplane.Start(ctx, controlplane.Options{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(plane.Stop)
	restConfig = plane.Config()
	_, err = envtest.InstallCRDs(restConfig, envtest.CRDInstallOptions{Paths: []string{"../config/crd/bases"}, ErrorIfPathMissing: true})
	Expect(err).NotTo(HaveOccurred())
	direct, err := client.NewWithWatch(restConfig, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	all := claims.Indexers()
	maps.Copy(all, claims.GroupIndexers())
	k8s = Indexed(direct, all)
})

// world is everything a spec that calls Reconcile works with.
type world struct {
	namespace string
	upstream  *simulator.Server
	// cached and live are how the controllers reach the API server; a spec may replace what is behind them.
	cached, live  *switchable
	clock         *Clock
	recorder      *events.FakeRecorder
	connections   *connection.Registry
	people        *person.Reconciler
	organizations *organization.Reconciler
	groups        *group.Reconciler
	// queues are what the controllers would work on.
	wokenPeople                       *recorded[claims.PersonKey]
	queuedGroups, queuedOrganizations *recorded[ctrl.Request]
	// told are all events that events has drained.
	told []string
}

const upstreamToken = "a-token-of-lambdatest"

// newWorld starts a LambdaTest and makes the controllers, without an organization.
func newWorld(ctx context.Context, options ...simulator.Option) *world {
	GinkgoHelper()
	w := &world{
		namespace: Namespace(ctx, k8s),
		upstream:  simulator.Start(append([]simulator.Option{simulator.Token(upstreamToken)}, options...)...),
		cached:    &switchable{k8s},
		live:      &switchable{k8s},
		clock:     NewClock(time.Now()),
		recorder:  events.NewFakeRecorder(1000),
	}
	DeferCleanup(w.upstream.Close)
	DeferCleanup(func() {
		Expect(w.told).NotTo(ContainElement(ContainSubstring("token-of-")), "an event shows a token")
		Expect(w.told).NotTo(ContainElement(ContainSubstring(upstreamToken)), "an event shows a token")
	})
	w.restart()
	return w
}

// restart makes the controllers anew: what they had in memory is gone.
func (w *world) restart() {
	GinkgoHelper()
	w.restartWith(Options{})
}

func (w *world) restartWith(options Options) {
	GinkgoHelper()
	options.UpstreamHosts = []string{w.upstream.URL()}
	options.Now = w.clock.Now
	options = options.withDefaults()
	hosts, err := hosts.Parse(options.UpstreamHosts)
	Expect(err).NotTo(HaveOccurred())
	w.connections = connection.NewRegistry(options.connections(), w.cached, w.live, w.recorder)
	w.people = &person.Reconciler{Client: w.cached, Live: w.live, Recorder: w.recorder, Registry: w.connections, Concurrency: options.Concurrency, MarkRetention: options.MarkRetention}
	w.groups = &group.Reconciler{Client: w.cached, Live: w.live, Recorder: w.recorder, Registry: w.connections, Concurrency: options.Concurrency}
	w.organizations = &organization.Reconciler{
		Client: w.cached, Live: w.live, Recorder: w.recorder, Registry: w.connections,
		Hosts: hosts, Dial: organization.Dialer(hosts, options.Now, nil),
	}
	w.wokenPeople = record(w.connections.People)
	w.queuedGroups, w.queuedOrganizations = record(w.connections.Groups), record(w.connections.Organizations)
}

// switchable is a client that can be exchanged for another one.
type switchable struct{ client.WithWatch }

// recorded is the queue of a controller that does not run: it remembers what is to be reconciled, with the highest priority asked for.
type recorded[K comparable] struct {
	priorityqueue.PriorityQueue[K] // nil: the other methods are the controller's
	mu                             sync.Mutex
	woken                          map[K]int
}

// record stands in for the controller that works on an inbox.
func record[K comparable](inbox *connection.Inbox[K]) *recorded[K] {
	GinkgoHelper()
	queue := &recorded[K]{woken: map[K]int{}}
	Expect(inbox.Source().Start(context.Background(), queue)).To(Succeed()) //nolint:forbidigo // it only hands the queue over
	return queue
}

// AddWithOpts implements priorityqueue.PriorityQueue.
func (r *recorded[K]) AddWithOpts(options priorityqueue.AddOpts, keys ...K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		if before, waits := r.woken[key]; !waits || before < *options.Priority {
			r.woken[key] = *options.Priority
		}
	}
}

// AddAfter implements workqueue.TypedDelayingInterface: the delay is left to the clock of the spec.
func (r *recorded[K]) AddAfter(key K, _ time.Duration) {
	r.AddWithOpts(priorityqueue.AddOpts{Priority: new(lane.InitialList)}, key)
}

// taken returns what was added since the last time.
func (r *recorded[K]) taken() map[K]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	woken := r.woken
	r.woken = map[K]int{}
	return woken
}

// withOrganization adds Secret and organization, connects and compares once.
func withOrganization(ctx context.Context, w *world, change ...func(*OrganizationBuilder)) *world {
	GinkgoHelper()
	builder := MakeOrganization(DefaultOrganization).In(w.namespace).At(w.upstream.BaseURL())
	for _, apply := range change {
		apply(builder)
	}
	Applied(ctx, k8s, MakeSecret(w.namespace, builder.Obj().Spec.TokenSecretRef.Name, upstreamToken))
	organization := Applied(ctx, k8s, builder.Obj())
	w.connected(ctx, organization.Name)
	Expect(w.connection().Sweep(ctx)).To(Succeed())
	w.clock.Advance(time.Second)
	return w
}

// connectedWorld is what most specs start from: a LambdaTest, an organization, one sweep done.
func connectedWorld(ctx context.Context, options ...simulator.Option) *world {
	GinkgoHelper()
	w := withOrganization(ctx, newWorld(ctx, options...))
	w.upstream.ResetCalls()
	return w
}

// connected reconciles an organization and returns it.
func (w *world) connected(ctx context.Context, name string) *v1alpha1.LambdaTestOrganization {
	GinkgoHelper()
	organization := MakeOrganization(name).In(w.namespace).Obj()
	_, err := w.organizations.Reconcile(ctx, requestFor(organization))
	Expect(err).NotTo(HaveOccurred())
	for w.asked() {
		Expect(w.guarded(ctx)).To(Succeed())
		_, err := w.organizations.Reconcile(ctx, requestFor(organization))
		Expect(err).NotTo(HaveOccurred())
	}
	if !Exists(ctx, k8s, organization) {
		return nil
	}
	return Fetched(ctx, k8s, organization)
}

func (w *world) connection() *connection.Connection {
	GinkgoHelper()
	return w.connectionOf(DefaultOrganization)
}

func (w *world) connectionOf(organization string) *connection.Connection {
	GinkgoHelper()
	connection, ok := w.connections.Find(client.ObjectKey{Namespace: w.namespace, Name: organization})
	Expect(ok).To(BeTrue(), "there is no connection for %s", organization)
	return connection
}

// reconciled reconciles the person whom a claim is about.
func (w *world) reconciled(ctx context.Context, user *v1alpha1.LambdaTestUser) ctrl.Result {
	GinkgoHelper()
	result, err := w.people.Reconcile(ctx, claims.KeyOf(user))
	Expect(err).NotTo(HaveOccurred())
	w.answered(ctx)
	return result
}

// answered lets the guards write their answers, and reconciles the people whom that wakes; in an operator that runs, a goroutine for each
// organization does.
func (w *world) answered(ctx context.Context) {
	GinkgoHelper()
	for w.asked() {
		before := w.woken()
		Expect(w.guarded(ctx)).To(Succeed())
		w.reconcileWoken(ctx)
		for key, priority := range before {
			w.connections.People.Add(priority, key)
		}
	}
}

// asked tells whether a guard has something to write.
func (w *world) asked() bool {
	return slices.ContainsFunc(w.connections.All(), func(c *connection.Connection) bool { return c.Guard.Pending() })
}

// guarded lets the guards write what there is to write.
func (w *world) guarded(ctx context.Context) error {
	for _, connection := range w.connections.All() {
		if connection.Guard.Pending() {
			if err := connection.Guard.Write(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// settled applies a claim, reconciles its person and returns it.
func (w *world) settled(ctx context.Context, builder *UserBuilder) *v1alpha1.LambdaTestUser {
	GinkgoHelper()
	user := Applied(ctx, k8s, builder.In(w.namespace).Obj())
	w.reconciled(ctx, user)
	return Fetched(ctx, k8s, user)
}

// changed changes a claim, reconciles its person and returns it.
func (w *world) changed(ctx context.Context, user *v1alpha1.LambdaTestUser, change func(*v1alpha1.LambdaTestUser)) *v1alpha1.LambdaTestUser {
	GinkgoHelper()
	changed := Changed(ctx, k8s, user, change)
	w.reconciled(ctx, changed)
	return Fetched(ctx, k8s, changed)
}

// again reconciles the person of a claim and returns the claim.
func (w *world) again(ctx context.Context, user *v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
	GinkgoHelper()
	w.reconciled(ctx, user)
	return Fetched(ctx, k8s, user)
}

// swept compares the organization and reconciles everybody whom that woke.
func (w *world) swept(ctx context.Context) {
	GinkgoHelper()
	w.clock.Advance(time.Second)
	Expect(w.connection().Sweep(ctx)).To(Succeed())
	w.handleWoken(ctx)
}

// sweepHeld begins a sweep, whose first page LambdaTest does not answer before end is called.
func (w *world) sweepHeld(ctx context.Context) (end func()) {
	GinkgoHelper()
	page := w.upstream.HoldNext(simulator.On("GET /Users"))
	ended := make(chan error)
	go func() { ended <- w.connection().Sweep(ctx) }()
	Eventually(page.Arrived()).Should(Receive())
	return func() {
		GinkgoHelper()
		page.Release()
		Eventually(ended).Should(Receive())
	}
}

// woken returns who was woken since the last time, with the priority asked for.
func (w *world) woken() map[claims.PersonKey]int {
	return w.wokenPeople.taken()
}

func (w *world) handleWoken(ctx context.Context) {
	GinkgoHelper()
	w.reconcileWoken(ctx)
	w.answered(ctx)
}

func (w *world) reconcileWoken(ctx context.Context) {
	GinkgoHelper()
	for key := range w.woken() {
		_, err := w.people.Reconcile(ctx, key)
		Expect(err).NotTo(HaveOccurred())
	}
}

// account returns the account of somebody at LambdaTest; the spec fails without.
func (w *world) account(userName string) simulator.Account {
	GinkgoHelper()
	account, ok := w.upstream.Account(userName)
	Expect(ok).To(BeTrue(), "there is no account of %s", userName)
	return account
}

// events drains the events so far.
func (w *world) events() []string {
	var seen []string
	for {
		select {
		case event := <-w.recorder.Events:
			seen = append(seen, event)
			w.told = append(w.told, event)
		default:
			return seen
		}
	}
}

func requestFor(object client.Object) ctrl.Request {
	return ctrl.Request{NamespacedName: client.ObjectKeyFromObject(object)}
}

func secretNamed(namespace, name string) *corev1.Secret {
	return MakeSecret(namespace, name, "")
}
