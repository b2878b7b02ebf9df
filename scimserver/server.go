// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"errors"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestorganizations,verbs=get;list;watch
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestorganizations/status,verbs=patch
// +kubebuilder:rbac:groups=iam.lambdatest.io,resources=lambdatestusers;lambdatestgroups,verbs=get;list;watch;create;update;patch;delete
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// BasePath is where the endpoint lives on its listener; a provider's base URL ends in it.
const BasePath = "/scim/v2"

// Options say what a Server works with. Client, Reader, Cache, Recorder and a Listener or an Address are required.
type Options struct {
	// Client writes. Its reads are not used.
	Client client.Client
	// Reader reads from the API server itself (mgr.GetAPIReader()), so that every replica sees what another one wrote.
	Reader client.Reader
	// Cache feeds the index that lists are answered from, and the table of tokens. Of Secrets only the metadata is watched; the
	// tokens are read with Reader.
	Cache cache.Cache

	// Listener to serve on; it is closed when the server stops. Without it the server listens on Address.
	Listener net.Listener
	// Address to listen on, such as ":8443".
	Address string
	// TLSCertFile and TLSKeyFile are read again when they change. Both empty: plain HTTP, for use behind an ingress.
	TLSCertFile, TLSKeyFile string
	// ExternalURL, when set, is what providers use as base URL, up to and without BasePath, such as "https://scim.example.com".
	// meta.location begins with it. Empty: taken from the request.
	ExternalURL string
	// DrainDelay is how long requests are still served after the stop was asked for, while Ready already says no, so that load
	// balancers notice.
	DrainDelay time.Duration

	// Recorder writes events about resources (mgr.GetEventRecorder).
	Recorder events.EventRecorder
	// Elected is closed once this replica leads (mgr.Elected()): the leader alone writes events about tokens, which every replica sees.
	// Nil means that there is no other replica.
	Elected <-chan struct{}
	// Log gets one line per write, and the causes of errors that clients are not told.
	Log logr.Logger
	// Audit takes the lines of the audit trail. The zero value drops them.
	Audit audit.Log
	// Registerer gets the metrics; nil means that they are kept and not exposed.
	Registerer prometheus.Registerer
	// Limits are the guard rails; zero fields mean their defaults.
	Limits Limits
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Server is the SCIM endpoint: an http.Handler, and a Runnable of a manager that every replica runs, leader or not.
type Server struct {
	options Options
	client  client.Client
	reader  client.Reader
	log     logr.Logger
	now     func() time.Time
	limits  Limits

	index   *index.Index
	tokens  *token.Loader
	uses    *token.Uses
	gate    *gate
	router  *router
	metrics *metrics
	batches *groupBatches
	// bodies is the memory of bodies, reading the large ones that are being read, turns the batches of changes of groups that are applied at once.
	bodies, reading, turns *shares
	answers                answers
	// connections are those of the listener.
	connections *connections
	// leftOut bounds the events about denials of which a part was left out; the log and the metric have all.
	leftOut *limiters
	// refusals and reads are how often the log tells of requests like one: that were refused, and that read.
	refusals, reads *limiters
	// logged and told are the token notices that are in the log, and in an event, already. The token loader alone uses them.
	logged, told map[string]bool
	// refusedTokens are the refusals of tokens that the audit trail has, by organization, key and reason.
	refusedTokens sync.Map

	started  atomic.Bool
	draining atomic.Bool
}

// New returns a server that serves once Start runs.
func New(options Options) (*Server, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	options.ExternalURL = strings.TrimSuffix(options.ExternalURL, "/")
	metrics, err := newMetrics(options.Registerer)
	if err != nil {
		return nil, err
	}
	s := &Server{
		options: options,
		client:  options.Client,
		reader:  options.Reader,
		log:     options.Log,
		now:     options.Now,
		limits:  options.Limits.withDefaults(),
		metrics: metrics,
		batches: newGroupBatches(),
		bodies:  newShares(maxBodiesBytes, maxBodiesBytes/2),
		reading: newShares(math.MaxInt64, 1),
		turns:   newShares(math.MaxInt64, batchTurns),
		answers: newAnswers(),
		index:   index.New(),
		leftOut: newLimiters(leftOutPerSecond, leftOutBurst, leftOutOrganizations),

		refusals: newLimiters(refusalsPerSecond, refusalsBurst, refusalKinds),
		reads:    newLimiters(readsPerSecond, 1, failedAddresses),
	}
	s.connections = newConnections(s.limits.Connections)
	s.tokens = token.NewLoader(options.Reader, options.Now, s.tokensChanged)
	s.uses = token.NewUses(options.Client, options.Now, func(err error) { s.log.Info("SCIM token use not recorded", "cause", err.Error()) })
	s.gate = newGate(s.tokens, s.now, s.limits)
	s.router = newRouter(s.routes())
	return s, nil
}

func (o Options) validate() error {
	switch {
	case o.Client == nil || o.Reader == nil || o.Cache == nil:
		return errors.New("scimserver needs a client, a reader and a cache")
	case o.Recorder == nil:
		return errors.New("scimserver needs an event recorder")
	case (o.TLSCertFile == "") != (o.TLSKeyFile == ""):
		return errors.New("TLS needs both a certificate file and a key file")
	case o.Limits.RequestsPerSecond < 0 || math.IsNaN(o.Limits.RequestsPerSecond):
		return errors.New("the requests per second must be positive")
	case o.DrainDelay < 0:
		return errors.New("the drain delay must not be negative")
	case o.ExternalURL != "" && !isHTTPURL(o.ExternalURL):
		return errors.New("the external URL must be an absolute http or https URL")
	}
	return nil
}

func isHTTPURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// NeedLeaderElection tells the manager that every replica serves.
func (s *Server) NeedLeaderElection() bool { return false }

var _ http.Handler = (*Server)(nil)
