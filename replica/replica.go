// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/controllers"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/usercache"
	"github.com/lambdatest-operator/lambdatest-operator/lease"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver"
)

// The lease by which replicas agree on a leader. A leader that cannot renew within renewDeadline stops; another takes over after
// leaseDuration. Promises about denials are made in terms of it.
const (
	leaseName     = "lambdatest-operator"
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
	// drainTime is how long requests and calls under way may take once the replica is asked to stop. Kubernetes waits 30 s.
	drainTime = 25 * time.Second
)

// Options are what a replica is started with.
type Options struct {
	Log logr.Logger
	// Audit takes the audit trail of controllers and endpoint. The zero value drops it.
	Audit audit.Log
	// Inspect, unless nil, gets the manager before it starts: all that the replica has in memory can be reached from there. A test counts it.
	Inspect func(ctrl.Manager)
	// Namespaces are those that are watched; none means all.
	Namespaces []string
	// LeaderElection lets one replica at a time call LambdaTest. LeaseNamespace is where the lease is; empty means the pod's own.
	LeaderElection bool
	LeaseNamespace string
	// Controllers are the options of the controllers. With LeaderElection, LeadUntil is the replica's.
	Controllers controllers.Options
	// SCIM are the options of the endpoint. What belongs to the manager (Client, Reader, Cache, Recorder, Elected, Log) is the replica's.
	// Without a Registerer the metrics go to controller-runtime's, which takes those of one replica only.
	SCIM scimserver.Options
	// MetricsAddress serves the metrics of controller-runtime's registry, and Go's profiles; "0" turns them off. With MetricsSecure it
	// speaks HTTPS to clients that the API server authorizes.
	MetricsAddress string
	MetricsSecure  bool
	// HealthAddress serves the probes; "0" turns them off.
	HealthAddress string
	// RESTMapper knows the paths of the kinds. Nil means that the API server is asked for them.
	RESTMapper meta.RESTMapper
}

// Run runs a replica until ctx ends. controller-runtime neither creates a manager nor ends one while it waits for the API server
// (decision 0023), so the manager is asked to stop only once its caches are filled. Before that Run just returns, and the process may end:
// the replica has no lease, serves no SCIM and makes no call. In a process that goes on, the manager is stopped when its caches are filled.
func Run(ctx context.Context, restConfig *rest.Config, options Options) error {
	managed, stop := context.WithCancel(context.WithoutCancel(ctx))
	filled, ended := make(cachesFilled), make(chan error, 1)
	go func() {
		defer stop()
		ended <- manage(managed, restConfig, options, filled)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case <-filled:
		stop()
		return <-ended
	default:
		options.Log.Info("stopped before the caches were filled")
		go func() {
			select {
			case <-filled:
				stop()
			case <-managed.Done():
			}
		}()
		return nil
	}
}

// manage builds a manager of everything and runs it until ctx ends. It closes filled when the caches are.
func manage(ctx context.Context, restConfig *rest.Config, options Options, filled cachesFilled) error {
	restConfig = rest.CopyConfig(restConfig)
	// client-go's own rate limit is off: the API server has priority and fairness, and a denial must not queue here.
	restConfig.QPS = -1
	restConfig.UserAgent = "lambdatest-operator"
	managerOptions := options.manager()
	options.Controllers.LeaseDuration = leaseDuration
	options.Controllers.Audit, options.SCIM.Audit = options.Audit, options.Audit
	if options.LeaderElection {
		lock, err := lease.New(restConfig, options.LeaseNamespace, leaseName, leaseDuration, renewDeadline)
		if err != nil {
			return fmt.Errorf("preparing the leader election: %w", err)
		}
		managerOptions.LeaderElectionResourceLockInterface = lock
		options.Controllers.LeadUntil = lock.Until
	}
	mgr, err := ctrl.NewManager(restConfig, managerOptions)
	if err != nil {
		return fmt.Errorf("creating the manager: %w", err)
	}
	if err := mgr.Add(filled); err != nil {
		return fmt.Errorf("watching the caches: %w", err)
	}
	if err := controllers.Setup(mgr, options.Controllers); err != nil { //nolint:contextcheck // it registers; what runs later gets the contexts of the manager
		return fmt.Errorf("setting up the controllers: %w", err)
	}
	if err := addSCIM(mgr, options.SCIM, options.Log.WithName("scim")); err != nil {
		return fmt.Errorf("setting up the SCIM endpoint: %w", err)
	}
	if err := mgr.Add(usercache.GarbageLimit{}); err != nil {
		return fmt.Errorf("setting up the garbage collection: %w", err)
	}
	if err := mgr.AddHealthzCheck("alive", healthz.Ping); err != nil {
		return fmt.Errorf("adding the health check: %w", err)
	}
	if options.Inspect != nil {
		options.Inspect(mgr)
	}
	return mgr.Start(ctx)
}

// cachesFilled is closed when the caches are filled, which is what the manager waits for before it starts a runnable.
type cachesFilled chan struct{}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica has the caches.
func (cachesFilled) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable.
func (c cachesFilled) Start(context.Context) error {
	close(c)
	return nil
}

// addSCIM lets every replica serve SCIM, whether it leads or not.
func addSCIM(mgr ctrl.Manager, options scimserver.Options, log logr.Logger) error {
	options.Client, options.Reader, options.Cache = mgr.GetClient(), mgr.GetAPIReader(), mgr.GetCache()
	options.Recorder, options.Elected, options.Log = mgr.GetEventRecorder("lambdatest-operator"), mgr.Elected(), log
	if options.Registerer == nil {
		options.Registerer = ctrlmetrics.Registry
	}
	server, err := scimserver.New(options)
	if err != nil {
		return err
	}
	if err := mgr.Add(server); err != nil {
		return err
	}
	return mgr.AddReadyzCheck("scim", server.Ready)
}

func (o Options) manager() ctrl.Options {
	options := ctrl.Options{
		Scheme:                        newScheme(),
		Logger:                        o.Log,
		Cache:                         o.cache(),
		NewCache:                      usercache.New,
		Controller:                    config.Controller{SkipNameValidation: new(true)}, // replicas of one process have the same controllers
		LeaderElection:                o.LeaderElection,
		LeaderElectionID:              leaseName,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 new(leaseDuration),
		RenewDeadline:                 new(renewDeadline),
		RetryPeriod:                   new(retryPeriod),
		GracefulShutdownTimeout:       new(drainTime),
		HealthProbeBindAddress:        o.HealthAddress,
		Metrics:                       o.metrics(),
	}
	if o.RESTMapper != nil {
		options.MapperProvider = func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return o.RESTMapper, nil }
	}
	return options
}

func (o Options) cache() cache.Options {
	secrets := &metav1.PartialObjectMetadata{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	options := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			secrets: {Transform: scimserver.TransformSecret},
		},
	}
	if len(o.Namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range o.Namespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options
}

// metrics serves Go's profiles beside the metrics: each path needs a right of its own (nonResourceURLs).
func (o Options) metrics() metricsserver.Options {
	options := metricsserver.Options{
		BindAddress:   o.MetricsAddress,
		SecureServing: o.MetricsSecure,
		ExtraHandlers: map[string]http.Handler{
			"/debug/pprof/":        http.HandlerFunc(pprof.Index),
			"/debug/pprof/profile": http.HandlerFunc(pprof.Profile),
			"/debug/pprof/symbol":  http.HandlerFunc(pprof.Symbol),
			"/debug/pprof/trace":   http.HandlerFunc(pprof.Trace),
		},
	}
	if o.MetricsSecure {
		options.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return options
}

// newScheme knows the kinds that are watched, read or written.
func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}
