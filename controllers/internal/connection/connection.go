// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/accounts"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/guard"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// ErrNotCalled is the outcome of a call that was not made.
var ErrNotCalled = errors.New("the call was not made")

// Connection is everything about one organization that lives in memory: how it is called, what is known of its accounts, who waits. The
// reconciler of organizations opens, changes and closes it; those of people and groups call LambdaTest through it.
type Connection struct {
	Organization types.NamespacedName
	registry     *Registry
	Options      Options
	// recalled is closed once memory has what the statuses of claims say.
	recalled chan struct{}

	Lane     *lane.Lane
	Accounts *accounts.Table
	SetBacks *SetBacks
	Census   *Census
	Holdoffs *Holdoffs
	Guard    *guard.Guard
	Groups   *groups.Table
	OpenedAt time.Time
	// createdAt is when the organization was created, to the second.
	createdAt time.Time

	mu        sync.Mutex
	upstream  Upstream
	settings  Settings
	obstacle  status.Outcome
	lastSweep SweepResult
	sweepSoon chan struct{}
	// lists is how the last lists of accounts were; round reads whom they do not show, and roundSoon says that it goes on.
	lists     lists
	round     round
	roundSoon chan struct{}
	// lookUps counts those of single people since the last complete sweep.
	lookUps  int
	identity identity
	// requested is the last request for a resync that was acted on.
	requested string
	// login is what another organization may have as well; see twins.go.
	login Login
	// calls counts those under way.
	calls int
	// counted are the counts of accounts after the last sweep, and unclaimedAdmins the people of active Admins whom no resource claims, by account.
	counted         AccountCounts
	unclaimedAdmins map[string]string
}

// Settings are what an organization's spec says about its connection.
type Settings struct {
	// Fingerprint tells whether address or token changed; it is a digest.
	Fingerprint  string
	BaseURL      string
	TokenSecret  string
	syncInterval time.Duration
	ReportDrift  bool
	maxRole      v1alpha1.Role
	perSecond    int
	burst        int
}

// SettingsOf reads what the spec says about the connection.
func SettingsOf(organization *v1alpha1.LambdaTestOrganization, token string) Settings {
	spec := organization.Spec
	return Settings{
		Fingerprint:  fingerprint(Address(spec.BaseURL), token),
		BaseURL:      spec.BaseURL,
		TokenSecret:  spec.TokenSecretRef.Name,
		syncInterval: max(spec.SyncInterval.Duration, time.Second),
		ReportDrift:  spec.DriftPolicy == v1alpha1.DriftReport,
		maxRole:      spec.SCIM.MaxRole,
		perSecond:    int(max(spec.RateLimit.RequestsPerSecond, 1)),
		burst:        int(max(spec.RateLimit.Burst, 1)),
	}
}

// fingerprint tells connections apart without keeping what they are made of.
func fingerprint(address, token string) string {
	sum := sha256.Sum256([]byte(address + "\x00" + token))
	return hex.EncodeToString(sum[:])
}

func newConnection(registry *Registry, organization types.NamespacedName, createdAt time.Time) *Connection {
	options := registry.Options
	c := &Connection{
		Organization: organization,
		registry:     registry,
		Options:      options,
		createdAt:    createdAt,
		Accounts:     accounts.New(),
		SetBacks:     newSetBacks(),
		Census:       newCensus(),
		Holdoffs:     newHoldoffs(),
		Groups:       groups.New(),
		OpenedAt:     options.Now(),
		sweepSoon:    make(chan struct{}, 1),
		roundSoon:    make(chan struct{}, 1),
		recalled:     make(chan struct{}),
	}
	c.Guard = guard.New(registry.guards, organization, guard.Organization{
		Account: c.Accounts.Get, Wake: c.wakeAskers, Changed: c.changed, IsOthers: c.isMismatch,
	})
	c.Lane = lane.New(options.Now, options.Backoff, func(user string, priority int) { c.Wake(max(priority, lane.Granted), user) }, c.circuitChanged)
	c.Lane.Stop(true)
	c.Accounts.Appeared = c.AccountAppeared
	return c
}

// changed requeues the organization, whose status is to follow.
func (c *Connection) changed() {
	c.registry.Organizations.Add(lane.Report, reconcile.Request{NamespacedName: c.Organization})
}

// wakeAskers requeues people who asked the guard about something of that kind.
func (c *Connection) wakeAskers(kind guard.Kind, askers ...string) {
	switch kind {
	case guard.Denial:
		c.Wake(lane.Denial, askers...)
	case guard.Deprovision:
		c.Wake(lane.Deletion, askers...)
	case guard.Demotion, guard.Activation, guard.Keep:
		c.Wake(lane.Change, askers...)
	}
}

// isOpen tells whether memory has what the statuses say. Before, nothing is decided.
func (c *Connection) isOpen() bool {
	select {
	case <-c.recalled:
		return true
	default:
		return false
	}
}

// Use puts settings and client into force, and lifts whatever stood in the way. An upstream of nil keeps the one in use.
func (c *Connection) Use(set Settings, upstream Upstream) {
	known := c.Accounts.Size() > 0
	c.mu.Lock()
	lifted := c.obstacle != status.Outcome{} || c.upstream == nil || upstream != nil
	replaced := c.upstream != nil && upstream != nil
	faster := set.syncInterval != c.settings.syncInterval
	allows := set.maxRole != c.settings.maxRole
	if replaced && known {
		// The token may be another organization's: create no account before that is known.
		c.Accounts.Distrust()
	}
	c.settings, c.obstacle = set, status.Outcome{}
	if upstream != nil {
		c.upstream, c.identity, c.lists = upstream, identity{unproven: replaced && known}, lists{}
	}
	c.mu.Unlock()

	c.Lane.Limit(set.perSecond, set.burst)
	if upstream != nil {
		c.Lane.Renew()
	}
	if lifted {
		c.Lane.Stop(false)
		c.Holdoffs.ClearAll()
	}
	if lifted || allows {
		c.WakeOpen(lane.Drift)
	}
	if lifted || faster {
		c.SweepNow()
	}
}

// Block stops all calls. The statuses of people and groups give the reason.
func (c *Connection) Block(because status.Outcome) {
	c.mu.Lock()
	same := c.obstacle == because
	c.obstacle = because
	c.mu.Unlock()
	c.Lane.Stop(true)
	if !same {
		// No call will be made: the statuses only have to say why.
		c.WakeOpen(lane.InitialList)
	}
}

// AnsweredAt notes where sweeps succeeded before the start.
func (c *Connection) AnsweredAt(baseURL string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastSweep.BaseURL = baseURL
}

// IsNewRequest tells whether a request for a resync was not acted on yet, and notes it.
func (c *Connection) IsNewRequest(requested string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.requested
	c.requested = requested
	return before != requested
}

// State returns the settings in force, and what stands in the way of calls; the zero outcome is nothing.
func (c *Connection) State() (Settings, status.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settings, c.obstacle
}

// Client is the one in use; nil when there is none yet.
func (c *Connection) Client() Upstream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.upstream
}

// Call makes one call for a person or a group that has acquired the lane.
func (c *Connection) Call(ctx context.Context, user, name string, do func(context.Context, Upstream) error) error {
	return c.call(ctx, user, name, do, false)
}

// Create is a call that makes something new. What was planned for one organization is not created in another one: after a change of the
// token it waits until the organization is recognised.
func (c *Connection) Create(ctx context.Context, user, name string, do func(context.Context, Upstream) error) error {
	return c.call(ctx, user, name, do, true)
}

func (c *Connection) call(ctx context.Context, user, name string, do func(context.Context, Upstream) error, creates bool) error {
	timeout, err := c.callTimeout()
	c.mu.Lock()
	upstream := c.upstream
	if upstream == nil || c.obstacle != (status.Outcome{}) || creates && c.identity.unproven {
		err = ErrNotCalled
	}
	if err == nil {
		c.calls++
	}
	c.mu.Unlock()
	if err == nil {
		bounded, cancel := context.WithTimeout(ctx, timeout)
		err = c.withRefusal(bounded, upstream, do(bounded, upstream))
		cancel()
		observeCall(c.Organization, name, err)
		err = c.ended(upstream, err)
	}
	c.Lane.Done(user, err)
	return err
}

// withRefusal turns a page that refuses a call into LambdaTest's refusal, if LambdaTest was the one who gave it: the list that is asked for right
// after it comes as only LambdaTest gives one. A proxy that answers everything with a page is not believed; one that answers a single call so
// is, and what follows from a refusal is read again before it is final.
func (c *Connection) withRefusal(ctx context.Context, upstream Upstream, err error) error {
	refusal, says := lambdatest.Refusal(err)
	if !says {
		return err
	}
	c.Lane.Charge()
	_, unanswered := upstream.ListUsers(ctx, 1, 1)
	observeCall(c.Organization, "ListUsers", unanswered)
	if unanswered != nil && !lambdatest.IsContradiction(unanswered) {
		return err
	}
	return refusal
}

// ended ignores the failure of a client that was replaced during the call: its token may be the reason.
func (c *Connection) ended(used Upstream, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls--
	if err != nil && used != c.upstream && !lambdatest.IsOutcomeUnknown(err) {
		return errors.Join(ErrNotCalled, errors.New("the connection changed meanwhile"))
	}
	return err
}

// callTimeout is how long a call may take while this process certainly leads.
func (c *Connection) callTimeout() (time.Duration, error) {
	if c.Options.LeadUntil == nil {
		return CallTimeout, nil
	}
	// Subtract the margin first: zero time minus now saturates at the smallest Duration, and subtracting from that would overflow to a
	// positive one.
	left := c.Options.LeadUntil().Add(-leadMargin).Sub(c.Options.Now())
	if left < MinCallTimeout {
		return 0, fmt.Errorf("the lease is about to end: %w", ErrNotCalled)
	}
	return min(left, CallTimeout), nil
}

// LateUntil is until when a change that is sent now may take effect if its answer is lost.
func (c *Connection) LateUntil() time.Time { return c.Options.Now().Add(CallTimeout) }

// FormerLeaderUntil is until when a call of a former leader may take effect.
func (c *Connection) FormerLeaderUntil() time.Time {
	return c.OpenedAt.Add(c.Options.LeaseDuration + CallTimeout)
}

// circuitChanged requeues those who wait, whose status is to give the reason, and the organization. Once LambdaTest is back, failures of the
// outage delay no call: the lane has already forgiven those who wait there.
func (c *Connection) circuitChanged() {
	if state, _ := c.Lane.State(); state == "closed" {
		c.Holdoffs.forgiveOutage()
		c.wakeIdle()
	} else {
		c.Wake(lane.InitialList, c.Lane.Waiting()...)
	}
	c.changed()
}

// ForgiveAll follows a success for a person whose calls kept failing. The reason was LambdaTest, as when it answers reads and fails
// writes, so it is over for the others as well.
func (c *Connection) ForgiveAll() {
	c.Holdoffs.forgiveAll()
	c.Lane.ForgiveAll()
	c.wakeIdle()
}

// WakeOpen requeues all people and groups with unfinished work. Denials go first; the others get the given priority, low enough not to hold
// up changes of other organizations.
func (c *Connection) WakeOpen(others int) { c.wakeOpen(others, nil) }

// wakeIdle requeues those with unfinished work who do not wait in the lane, such as people who wait for the sweep that has just ended.
func (c *Connection) wakeIdle() { c.wakeOpen(lane.Creation, sets.New(c.Lane.Waiting()...)) }

func (c *Connection) wakeOpen(others int, except sets.Set[string]) {
	for _, user := range c.Census.open() {
		if !except.Has(user) {
			c.Wake(c.Census.urgency(user, others), user)
		}
	}
	c.Wake(others, c.Groups.ListOpen()...)
}

// Wake requeues people, by folded userName, and groups, by groups.Place, with a priority.
func (c *Connection) Wake(priority int, users ...string) {
	keys := make([]claims.PersonKey, 0, len(users))
	for _, user := range users {
		if group, isGroup := groups.ResourceAt(user); isGroup {
			c.registry.Groups.Add(priority, reconcile.Request{NamespacedName: c.GroupKey(group)})
			continue
		}
		keys = append(keys, claims.PersonKey{Namespace: c.Organization.Namespace, Organization: c.Organization.Name, UserName: user})
	}
	c.registry.People.Add(priority, keys...)
}

// run keeps the connection going until ctx ends.
func (c *Connection) run(ctx context.Context) {
	go c.Lane.Run(ctx)
	go c.Guard.Run(ctx)
	go c.reportCounts(ctx)
	go c.retryRefusals(ctx)
	go c.review(ctx)
	go c.roundLoop(ctx)
	c.sweepLoop(ctx)
}

// reportCounts lets the organization's status follow its people, at most every CountsInterval.
func (c *Connection) reportCounts(ctx context.Context) {
	var reported uint64
	wait.UntilWithContext(ctx, func(context.Context) {
		if _, version := c.Census.Counts(); version != reported {
			reported = version
			c.changed()
		}
	}, CountsInterval)
}

// NotReady is the outcome of people and groups while their organization has a problem of its own.
func NotReady(organization, problem string) status.Outcome {
	return status.Stalledf(v1alpha1.OrganizationNotReadyReason, "%s %s cannot be called: %s", v1alpha1.OrganizationKind, organization, problem)
}
