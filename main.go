// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command lambdatest-operator manages the users of LambdaTest organizations from a Kubernetes cluster: identity providers talk SCIM
// to it, Git declares resources, and LambdaTest is made to agree. This file has flags and signals; it decides nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	_ "golang.org/x/crypto/x509roots/fallback" // certificates of public authorities, for an image without any
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/cli"
	"github.com/lambdatest-operator/lambdatest-operator/controllers"
	"github.com/lambdatest-operator/lambdatest-operator/replica"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver"
)

// version is set by the linker, see hack/build.sh.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(os.Args[0]).ExecuteContext(ctx)
	if err != nil && !errors.Is(err, cli.ErrDifferences) {
		cli.PrintError(os.Stderr, err)
	}
	stop()
	os.Exit(cli.ExitCode(err))
}

// pluginName is what kubectl looks for for "kubectl lambdatest".
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
	replica.Options
	kubeconfig string
	logFormat  string
	logLevel   string
	// auditAddresses puts the userNames of people into the audit trail.
	auditAddresses bool
}

func (o *runOptions) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "kubeconfig `file`; without one, the service account of the pod")
	flags.StringSliceVar(&o.Namespaces, "namespaces", nil, "watch these `namespaces` only; default all")
	flags.BoolVar(&o.LeaderElection, "leader-elect", true, "let one replica at a time call LambdaTest; all of them answer SCIM")
	flags.StringVar(&o.LeaseNamespace, "leader-election-namespace", "", "`namespace` of the lease; default the pod's own")
	flags.StringVar(&o.SCIM.Address, "scim-bind-address", ":8082", "`address` of the SCIM endpoint, which answers under /scim/v2")
	flags.StringVar(&o.SCIM.TLSCertFile, "scim-tls-cert-file", "", "PEM certificate `file` of the SCIM endpoint, reloaded when it changes; without one it speaks plain HTTP, for an ingress in front")
	flags.StringVar(&o.SCIM.TLSKeyFile, "scim-tls-key-file", "", "PEM key `file` that belongs to --scim-tls-cert-file")
	flags.StringVar(&o.SCIM.ExternalURL, "scim-external-url", "", "`URL` that identity providers use, up to and without /scim/v2, for meta.location; default what the request says")
	flags.DurationVar(&o.SCIM.DrainDelay, "scim-drain-delay", 5*time.Second, "how long requests are still taken once the process is asked to stop, so that load balancers notice")
	flags.Float64Var(&o.SCIM.Limits.RequestsPerSecond, "scim-requests-per-second", scimserver.DefaultRequestsPerSecond, "`requests` a second that one SCIM token may send on average; twice that at once. More is answered 429")
	flags.StringVar(&o.MetricsAddress, "metrics-bind-address", ":8443", "`address` of the Prometheus metrics, and of Go's profiles under /debug/pprof/; 0 turns them off")
	flags.BoolVar(&o.MetricsSecure, "metrics-secure", true, "serve metrics over HTTPS to clients that the API server authorizes; false is for loopback only")
	flags.StringVar(&o.HealthAddress, "health-probe-bind-address", ":8081", "`address` of /healthz and /readyz")
	flags.StringSliceVar(&o.Controllers.UpstreamHosts, "upstream-hosts", nil, "hosts, or `host:port`, that an organization's baseURL may name besides LambdaTest's own; \"http://host:port\" also allows plain HTTP to it")
	flags.DurationVar(&o.Controllers.MarkRetention, "deleted-user-retention", controllers.DefaultMarkRetention, "how long a person whom the identity provider deleted stays denied, once the account is off")
	flags.IntVar(&o.Controllers.Concurrency, "concurrency", controllers.DefaultConcurrency, "`people` worked on at once, all organizations together; one organization has at most 24 calls under way")
	flags.DurationVar(&o.Controllers.BackoffMin, "upstream-backoff-min", controllers.DefaultBackoffMin, "shortest wait after LambdaTest failed")
	flags.DurationVar(&o.Controllers.BackoffMax, "upstream-backoff-max", controllers.DefaultBackoffMax, "longest wait after LambdaTest failed; a denial never waits longer than 2s")
	flags.StringVar(&o.logFormat, "log-format", "json", "`format` of log lines: json or text")
	flags.BoolVar(&o.auditAddresses, "audit-addresses", false, "write the userNames of people into the lines of the audit trail, beside their digests")
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

// run runs a replica until ctx ends, with what concerns the whole process set: memory, loggers, and how to reach the cluster.
func run(ctx context.Context, options *runOptions) error {
	if err := followMemoryLimit(); err != nil {
		return err
	}
	log, trail, err := options.loggers()
	if err != nil {
		return err
	}
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	options.Log, options.Audit = log, trail
	restConfig, err := clientcmd.BuildConfigFromFlags("", options.kubeconfig)
	if err != nil {
		return fmt.Errorf("finding the cluster, with --kubeconfig or as a pod: %w", err)
	}
	return replica.Run(ctx, restConfig, options.Options)
}

// loggers are the log and the audit trail, which go to the same place. The trail is complete whatever the level of the log.
func (o *runOptions) loggers() (logr.Logger, audit.Log, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return logr.Logger{}, audit.Log{}, fmt.Errorf("--log-level is debug, info, warn or error, not %q", o.logLevel)
	}
	var handler slog.Handler
	all := &slog.HandlerOptions{Level: slog.LevelDebug}
	switch o.logFormat {
	case "json":
		handler = slog.NewJSONHandler(os.Stderr, all)
	case "text":
		handler = slog.NewTextHandler(os.Stderr, all)
	default:
		return logr.Logger{}, audit.Log{}, fmt.Errorf("--log-format is json or text, not %q", o.logFormat)
	}
	return logr.FromSlogHandler(expectedProbes{fromLevel{handler, level}}), audit.New(logr.FromSlogHandler(handler), o.auditAddresses), nil
}

// fromLevel drops the lines below a level.
type fromLevel struct {
	slog.Handler
	level slog.Level
}

// Enabled implements slog.Handler.
func (f fromLevel) Enabled(_ context.Context, level slog.Level) bool { return level >= f.level }

// WithAttrs implements slog.Handler.
func (f fromLevel) WithAttrs(attributes []slog.Attr) slog.Handler {
	return fromLevel{f.Handler.WithAttrs(attributes), f.level}
}

// WithGroup implements slog.Handler.
func (f fromLevel) WithGroup(name string) slog.Handler {
	return fromLevel{f.Handler.WithGroup(name), f.level}
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
