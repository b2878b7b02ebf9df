// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/parties"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
	"github.com/lambdatest-operator/lambdatest-operator/test/simulation/apiserver"
	"github.com/lambdatest-operator/lambdatest-operator/test/simulation/network"
)

const (
	// apiHost and lambdaTestHost are the names of hosts; replicas have names of their own.
	apiHost, lambdaTestHost = "api", "lambdatest"
	webPort, scimPort       = 80, 8082
	// operatorNamespace has the lease, and operatorAccount is whom the admission policy knows.
	operatorNamespace = "lambdatest-operator-system"
	operatorAccount   = "system:serviceaccount:lambdatest-operator-system:lambdatest-operator"
	// clusterHost is where those work who have the rights of an administrator, providerHost where the identity providers are.
	clusterHost, clusterAccount, providerHost = "cluster", "system:admin", "provider"
	// latency of every link, in one direction.
	latency = time.Millisecond
	// startTime is how long the first start may take, until all organizations are ready.
	startTime = 2 * time.Minute
	// closeTime is how long what still runs at the end has, to end.
	closeTime = 5 * time.Minute
)

// Options say what a world has.
type Options struct {
	Seed     uint64
	Replicas int
	// Organizations have an identity provider each, and share a LambdaTest.
	Organizations []string
	// SyncInterval is that of the sweeps; zero means the default.
	SyncInterval time.Duration
	// Log gets the log lines of the replicas; nil means that there are none.
	Log func(replica, line string)
}

// World is everything that runs in one bubble.
type World struct {
	options    Options
	began      time.Time
	ctx        context.Context // ends the actors
	cancel     context.CancelFunc
	background sync.WaitGroup // actors and faults

	network    *network.Network
	api        *apiserver.Server
	lambdaTest *simulator.Server
	mapper     meta.RESTMapper
	scheme     *kruntime.Scheme
	cluster    client.Client // as cluster administrator
	parties    *parties.World
	tenants    []*tenant
	editor     *parties.Editor
	intruder   *parties.Intruder
	hooks      hooks
	faulty     faulty

	mu       sync.Mutex
	slots    []*replica // the present replica of each, or the last one
	all      []*replica
	closing  bool
	terms    terms
	versions []apiserver.Write

	numbers atomic.Int64
	trouble promises.Timeline
	prunes  []prune
	// approvedAt is when a person first approved what the guard held; zero before.
	approvedAt promises.Moment
	trace      trace
	servers    []*http.Server
}

// Open starts a world, in a bubble, and closes it at the end of the test. It returns when every organization is ready.
func Open(t *testing.T, options Options) *World {
	t.Helper()
	w := &World{
		options: options, began: time.Now(), network: network.New(latency), slots: make([]*replica, options.Replicas),
		scheme: newScheme(),
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.trace.began, w.terms.world = w.began, w
	t.Cleanup(w.close)
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *World) open() error {
	root, err := repository()
	if err != nil {
		return err
	}
	namespaces := append([]string{operatorNamespace}, w.options.Organizations...)
	w.api, err = apiserver.New(apiserver.Options{
		CRDDir: filepath.Join(root, "config/crd/bases"), PolicyFile: filepath.Join(root, "config/policy/operator_owned.yaml"),
		Namespaces: namespaces, Rand: rand.New(rand.NewPCG(w.options.Seed, 1)),
	})
	if err != nil {
		return fmt.Errorf("starting the API server: %w", err)
	}
	w.api.Subscribe(w.observe)
	w.mapper = w.api.Mapper() // one that asks the API server holds a lock meanwhile, which stops the clock of a bubble
	w.background.Go(func() { w.api.RunControllers(w.ctx) })
	w.lambdaTest = simulator.New(simulator.Seed(w.options.Seed))
	if err := w.serve(apiHost, w.hooks.around(w, apiServer, w.api)); err != nil {
		return err
	}
	if err := w.serve(lambdaTestHost, w.hooks.around(w, atLambdaTest, w.lambdaTest)); err != nil {
		return err
	}
	if w.cluster, err = w.client(clusterHost, clusterAccount); err != nil {
		return err
	}
	if err := w.invite(); err != nil {
		return err
	}
	for slot := range w.slots {
		w.boot(slot)
	}
	return w.awaitReady(startTime)
}

// awaitReady waits until every organization is ready.
func (w *World) awaitReady(patience time.Duration) error {
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Second) {
		if err = w.allReady(); err == nil {
			return nil
		}
	}
	return err
}

func (w *World) allReady() error {
	for _, t := range w.tenants {
		organization := &v1alpha1.LambdaTestOrganization{}
		if err := w.cluster.Get(w.ctx, client.ObjectKey{Namespace: t.Namespace, Name: t.Name}, organization); err != nil {
			return err
		}
		if !meta.IsStatusConditionTrue(organization.Status.Conditions, v1alpha1.ReadyCondition) {
			return fmt.Errorf("organization %s is not ready: %+v", t.Name, organization.Status.Conditions)
		}
	}
	return nil
}

// serve serves HTTP on a host.
func (w *World) serve(host string, handler http.Handler) error {
	listener, err := w.network.Host(host).Listen(webPort)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ErrorLog: silence(), ReadHeaderTimeout: time.Minute}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(listener) }()
	return nil
}

// restConfig is how a host reaches the API server.
func (w *World) restConfig(host, account string) *rest.Config {
	return &rest.Config{
		Host: "http://" + apiHost, Dial: w.network.Host(host).DialContext, BearerToken: account, QPS: -1, UserAgent: account,
		ContentConfig: rest.ContentConfig{ContentType: kruntime.ContentTypeJSON, AcceptContentTypes: kruntime.ContentTypeJSON},
	}
}

// client is one of a person or a program beside the operator.
func (w *World) client(host, account string) (client.Client, error) {
	config := w.restConfig(host, account)
	config.Timeout = 10 * time.Second
	return client.New(config, client.Options{Scheme: w.scheme, Mapper: w.mapper})
}

// Now is the time since the world began.
func (w *World) Now() promises.Moment { return time.Since(w.began) }

// close ends everything. What runs on hosts that are dead can end only when it hears the API server once more.
func (w *World) close() {
	w.cancel()
	w.background.Wait()
	w.mu.Lock()
	w.closing = true
	replicas := slices.Clone(w.all)
	w.mu.Unlock()
	w.network.Host(apiHost).Rejoin()
	w.network.Host(lambdaTestHost).Rejoin()
	for _, r := range replicas {
		w.network.Link(r.host.Name(), apiHost).Heal()
		w.network.Link(r.host.Name(), lambdaTestHost).Heal()
		r.host.Revive()
		r.cancel()
	}
	for _, r := range replicas {
		<-r.ended
	}
	time.Sleep(closeTime)
	for _, r := range replicas {
		r.host.Kill()
	}
	for _, server := range w.servers {
		_ = server.Close()
	}
	for _, host := range []string{apiHost, lambdaTestHost, clusterHost, providerHost} {
		w.network.Host(host).Kill()
	}
	time.Sleep(closeTime)
}

// observe notes a write of the API server. It must not wait.
func (w *World) observe(write apiserver.Write) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch write.Key.Resource.Resource {
	case "leases":
		w.terms.leaseWritten(write)
	case "lambdatestusers", "lambdatestgroups":
		w.versions = append(w.versions, write)
	}
}

// repository is the root of the source code.
func repository() (string, error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("this binary does not know where its source is")
	}
	return filepath.Join(filepath.Dir(file), "..", ".."), nil
}

func newScheme() *kruntime.Scheme {
	scheme := kruntime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}
