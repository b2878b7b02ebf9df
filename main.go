// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command lambdatest-operator manages the users of LambdaTest organizations from a Kubernetes cluster: identity providers talk SCIM
// to it, Git declares resources, and LambdaTest is made to agree. This file has flags and wiring; it decides nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	_ "golang.org/x/crypto/x509roots/fallback" // certificates of public authorities, for an image without any
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/cli"
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
	// garbage is how much of it is kept once the cache is filled. Go's 100 % would double a replica's memory among 100 000 people, nearly
	// all of which is cache, and collect all the time among a hundred. In percent of what is in use it is bounded on both sides.
	garbage              = 40 << 20
	minGarbage           = 20
	maxGarbage           = 400
	garbageCheckInterval = 5 * time.Second
	// drainTime is how long requests and calls under way may take once the process is asked to stop. Kubernetes waits 30 s.
	drainTime = 25 * time.Second
)

// version is set by the linker, see hack/build.sh.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(os.Args[0]).ExecuteContext(ctx)
	if err != nil && !errors.Is(err, cli.ErrDifferences) {
		fmt.Fprintln(os.Stderr, "Error:", err)
	}
	stop()
	os.Exit(cli.ExitCode(err))
}

// pluginName is what kubectl looks for when somebody types "kubectl lambdatest".
const pluginName = "kubectl-lambdatest"

// command is the operator's command line or, under the name of a kubectl plugin, that of the people who use it.
func command(calledAs string) *cobra.Command {
	root := &cobra.Command{
		Use:           "lambdatest-operator",
		Short:         "Manages the users of LambdaTest organizations from a Kubernetes cluster",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(cli.Commands()...)
	// On Windows the file has a suffix.
	if strings.TrimSuffix(filepath.Base(calledAs), ".exe") == pluginName {
		root.Use = pluginName
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl lambdatest"}
		return root
	}
	root.AddCommand(runCommand())
	return root
}

// runOptions are the flags of `lambdatest-operator run`.
type runOptions struct {
	kubeconfig     string
	namespaces     []string
	leaderElection bool
	leaseNamespace string

	scimAddress     string
	scimCertFile    string
	scimKeyFile     string
	scimExternalURL string
	scimDrainDelay  time.Duration
	scimRate        float64

	metricsAddress string
	metricsSecure  bool
	healthAddress  string

	upstreamHosts []string
	markRetention time.Duration
	concurrency   int
	backoffMin    time.Duration
	backoffMax    time.Duration

	logFormat string
	logLevel  string
}

func (o *runOptions) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "kubeconfig `file`; without one, the service account of the pod")
	flags.StringSliceVar(&o.namespaces, "namespaces", nil, "watch these `namespaces` only; default all")
	flags.BoolVar(&o.leaderElection, "leader-elect", true, "let one replica at a time call LambdaTest; all of them answer SCIM")
	flags.StringVar(&o.leaseNamespace, "leader-election-namespace", "", "`namespace` of the lease; default the pod's own")
	flags.StringVar(&o.scimAddress, "scim-bind-address", ":8082", "`address` of the SCIM endpoint, which answers under /scim/v2")
	flags.StringVar(&o.scimCertFile, "scim-tls-cert-file", "", "PEM certificate `file` of the SCIM endpoint, reloaded when it changes; without one it speaks plain HTTP, for an ingress in front")
	flags.StringVar(&o.scimKeyFile, "scim-tls-key-file", "", "PEM key `file` that belongs to --scim-tls-cert-file")
	flags.StringVar(&o.scimExternalURL, "scim-external-url", "", "`URL` that identity providers use, up to and without /scim/v2, for meta.location; default what the request says")
	flags.DurationVar(&o.scimDrainDelay, "scim-drain-delay", 5*time.Second, "how long requests are still taken once the process is asked to stop, so that load balancers notice")
	flags.Float64Var(&o.scimRate, "scim-requests-per-second", scimserver.DefaultRequestsPerSecond, "`requests` a second that one SCIM token may send on average; twice that at once. More is answered 429")
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "`address` of the Prometheus metrics, and of Go's profiles under /debug/pprof/; 0 turns them off")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", true, "serve metrics over HTTPS to clients that the API server authorizes; false is for loopback only")
	flags.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "`address` of /healthz and /readyz")
	flags.StringSliceVar(&o.upstreamHosts, "upstream-hosts", nil, "hosts, or `host:port`, that an organization's baseURL may name besides LambdaTest's own; \"http://host:port\" also allows plain HTTP to it")
	flags.DurationVar(&o.markRetention, "deleted-user-retention", controllers.DefaultMarkRetention, "how long a person whom the identity provider deleted stays denied, once the account is off")
	flags.IntVar(&o.concurrency, "concurrency", controllers.DefaultConcurrency, "`people` worked on at once, all organizations together; one organization has at most 24 calls under way")
	flags.DurationVar(&o.backoffMin, "upstream-backoff-min", controllers.DefaultBackoffMin, "shortest wait after LambdaTest failed")
	flags.DurationVar(&o.backoffMax, "upstream-backoff-max", controllers.DefaultBackoffMax, "longest wait after LambdaTest failed; a denial never waits longer than 2s")
	flags.StringVar(&o.logFormat, "log-format", "json", "`format` of log lines: json or text")
	flags.StringVar(&o.logLevel, "log-level", "info", "`level` from which lines are logged: debug, info, warn or error")
}

func runCommand() *cobra.Command {
	options := &runOptions{}
	command := &cobra.Command{
		Use:   "run",
		Short: "Run the operator: the SCIM endpoint, and the controllers when this replica leads",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), options) },
	}
	options.bind(command.Flags())
	return command
}

// run runs the operator until ctx ends. controller-runtime neither creates a manager nor ends one while it waits for the API server
// (decision 0023), so the manager is told to stop only when its caches are filled. Before that the process can just end: it has no lease,
// serves no SCIM and calls nobody.
func run(ctx context.Context, options *runOptions) error {
	log, err := options.logger()
	if err != nil {
		return err
	}
	managed, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	filled, ended := make(cachesFilled), make(chan error, 1)
	go func() { ended <- manage(managed, options, log, filled) }()
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
		log.Info("stopped before the caches were filled")
		return nil
	}
}

// manage builds a manager of everything and runs it until ctx ends. It closes filled when the caches are.
func manage(ctx context.Context, options *runOptions, log logr.Logger, filled cachesFilled) error {
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	restConfig, err := options.restConfig()
	if err != nil {
		return err
	}
	managerOptions := options.manager(log)
	controllerOptions := options.controllers()
	if options.leaderElection {
		lock, err := lease.New(restConfig, options.leaseNamespace, leaseName, leaseDuration, renewDeadline)
		if err != nil {
			return fmt.Errorf("preparing the leader election: %w", err)
		}
		managerOptions.LeaderElectionResourceLockInterface = lock
		controllerOptions.LeadUntil = lock.Until
	}
	mgr, err := ctrl.NewManager(restConfig, managerOptions)
	if err != nil {
		return fmt.Errorf("creating the manager: %w", err)
	}
	if err := mgr.Add(filled); err != nil {
		return fmt.Errorf("watching the caches: %w", err)
	}
	if err := controllers.Setup(mgr, controllerOptions); err != nil { //nolint:contextcheck // it registers; what runs later gets the contexts of the manager
		return fmt.Errorf("setting up the controllers: %w", err)
	}
	if err := addSCIM(mgr, options, log.WithName("scim")); err != nil {
		return fmt.Errorf("setting up the SCIM endpoint: %w", err)
	}
	if err := mgr.Add(thrift{}); err != nil {
		return fmt.Errorf("setting up the garbage collection: %w", err)
	}
	if err := mgr.AddHealthzCheck("alive", healthz.Ping); err != nil {
		return fmt.Errorf("adding the health check: %w", err)
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

// thrift bounds the garbage that the process keeps once the caches are filled, which is what the manager waits for before it starts
// anything. Before, collecting seldom makes the start faster. GOGC in the environment comes first.
type thrift struct{}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica has the caches.
func (thrift) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable.
func (thrift) Start(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.FreeOSMemory()
	ticker := time.NewTicker(garbageCheckInterval)
	defer ticker.Stop()
	inUse, set := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}, 0
	for {
		metrics.Read(inUse)
		if percent := garbagePercent(inUse[0].Value.Uint64()); percent != set {
			debug.SetGCPercent(percent)
			set = percent
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// garbagePercent is how much garbage to keep, as a part of the bytes in use.
func garbagePercent(inUse uint64) int {
	return int(min(max(garbage*100/max(inUse, 1), minGarbage), maxGarbage))
}

// addSCIM lets every replica serve SCIM, whoever leads.
func addSCIM(mgr ctrl.Manager, options *runOptions, log logr.Logger) error {
	server, err := scimserver.New(scimserver.Options{
		Client:      mgr.GetClient(),
		Reader:      mgr.GetAPIReader(),
		Cache:       mgr.GetCache(),
		Address:     options.scimAddress,
		TLSCertFile: options.scimCertFile,
		TLSKeyFile:  options.scimKeyFile,
		ExternalURL: options.scimExternalURL,
		DrainDelay:  options.scimDrainDelay,
		Recorder:    mgr.GetEventRecorder("lambdatest-operator"),
		Elected:     mgr.Elected(),
		Log:         log,
		Registerer:  ctrlmetrics.Registry,
		Limits:      scimserver.Limits{RequestsPerSecond: options.scimRate},
	})
	if err != nil {
		return err
	}
	if err := mgr.Add(server); err != nil {
		return err
	}
	return mgr.AddReadyzCheck("scim", server.Ready)
}

func (o *runOptions) logger() (logr.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return logr.Logger{}, fmt.Errorf("--log-level is debug, info, warn or error, not %q", o.logLevel)
	}
	handlerOptions := &slog.HandlerOptions{Level: level}
	switch o.logFormat {
	case "json":
		return logr.FromSlogHandler(expectedProbes{slog.NewJSONHandler(os.Stderr, handlerOptions)}), nil
	case "text":
		return logr.FromSlogHandler(expectedProbes{slog.NewTextHandler(os.Stderr, handlerOptions)}), nil
	default:
		return logr.Logger{}, fmt.Errorf("--log-format is json or text, not %q", o.logFormat)
	}
}

// expectedProbes logs at debug that a replica is not ready: while it starts and while it stops that is expected, and controller-runtime
// says so at info with every probe.
type expectedProbes struct{ slog.Handler }

// Handle implements slog.Handler.
func (e expectedProbes) Handle(ctx context.Context, record slog.Record) error {
	if record.Message != "healthz check failed" {
		return e.Handler.Handle(ctx, record)
	}
	if !e.Enabled(ctx, slog.LevelDebug) {
		return nil
	}
	record.Level = slog.LevelDebug
	return e.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (e expectedProbes) WithAttrs(attributes []slog.Attr) slog.Handler {
	return expectedProbes{e.Handler.WithAttrs(attributes)}
}

// WithGroup implements slog.Handler.
func (e expectedProbes) WithGroup(name string) slog.Handler {
	return expectedProbes{e.Handler.WithGroup(name)}
}

// restConfig turns client-go's own rate limit off: the API server has priority and fairness, and a denial must not queue here.
func (o *runOptions) restConfig() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("finding the cluster, with --kubeconfig or as a pod: %w", err)
	}
	config.QPS = -1
	config.UserAgent = "lambdatest-operator"
	return config, nil
}

func (o *runOptions) manager(log logr.Logger) ctrl.Options {
	lease, renew, retry, drain := leaseDuration, renewDeadline, retryPeriod, drainTime
	return ctrl.Options{
		Scheme:                        scheme(),
		Logger:                        log,
		Cache:                         o.cache(),
		NewCache:                      usercache.New,
		LeaderElection:                o.leaderElection,
		LeaderElectionID:              leaseName,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &lease,
		RenewDeadline:                 &renew,
		RetryPeriod:                   &retry,
		GracefulShutdownTimeout:       &drain,
		HealthProbeBindAddress:        o.healthAddress,
		Metrics:                       o.metrics(),
	}
}

func (o *runOptions) cache() cache.Options {
	secrets := &metav1.PartialObjectMetadata{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	options := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			secrets: {Transform: scimserver.TransformSecret},
		},
	}
	if len(o.namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range o.namespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options
}

// metrics serves Go's profiles beside the metrics: each path needs a right of its own (nonResourceURLs).
func (o *runOptions) metrics() metricsserver.Options {
	options := metricsserver.Options{
		BindAddress:   o.metricsAddress,
		SecureServing: o.metricsSecure,
		ExtraHandlers: map[string]http.Handler{
			"/debug/pprof/":        http.HandlerFunc(pprof.Index),
			"/debug/pprof/profile": http.HandlerFunc(pprof.Profile),
			"/debug/pprof/symbol":  http.HandlerFunc(pprof.Symbol),
			"/debug/pprof/trace":   http.HandlerFunc(pprof.Trace),
		},
	}
	if o.metricsSecure {
		options.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return options
}

func (o *runOptions) controllers() controllers.Options {
	return controllers.Options{
		UpstreamHosts: o.upstreamHosts,
		MarkRetention: o.markRetention,
		Concurrency:   o.concurrency,
		BackoffMin:    o.backoffMin,
		BackoffMax:    o.backoffMax,
		LeaseDuration: leaseDuration,
	}
}

// scheme knows the kinds that are watched, read or written.
func scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}
