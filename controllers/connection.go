// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// errNotCalled is the outcome of a call that was not made.
var errNotCalled = errors.New("the call was not made")

// connection is everything about one organization that lives in memory: how it is called, what is known of its accounts, who waits.
// The organization controller opens, changes and closes it; people are carried out through it.
type connection struct {
	organization types.NamespacedName
	registry     *connections
	options      connectionOptions
	// recalled is closed once memory has what the status of claims remembers.
	recalled chan struct{}

	lane     *lane
	accounts *accounts
	ledger   *ledger
	setbacks *setbacks
	guard    *guard
	groups   *groups
	openedAt time.Time
	// createdAt is when the organization was created, to the second.
	createdAt time.Time

	mu       sync.Mutex
	upstream Upstream
	settings settings
	obstacle situation
	// comparison is how the last sweep ended.
	comparison comparison
	sweepSoon  chan struct{}
	lookUps    int
	// suspicion, approved and recognised are about whether this still is the same organization; see suspicion.go.
	suspicion  suspicion
	approved   string
	recognised bool
	// unproven says that the client was replaced while accounts were known: until the organization is recognised nothing is created.
	unproven bool
	// requested is the last request for a resync that was acted on.
	requested string
	// identity is what may be another organization's as well; see same_organization.go.
	identity identity
	// calls counts those under way.
	calls int
	// scimTokens are the digests of the tokens that identity providers present.
	scimTokens map[[sha256.Size]byte]struct{}
}

// settings are what an organization's spec says about its connection.
type settings struct {
	// fingerprint tells whether address or token changed; it is a digest.
	fingerprint  string
	baseURL      string
	tokenSecret  string
	syncInterval time.Duration
	reportDrift  bool
	perSecond    int
	burst        int
}

// comparison is how a sweep ended.
type comparison struct {
	at    time.Time
	err   error
	pages int
	// calls counts those of the last one that failed.
	calls int
	// complete says that there was a complete one since the connection was opened.
	complete bool
	// accounts counts what it found.
	accounts int
	// baseURL is where the last complete one was answered, before the start too.
	baseURL string
	// twin names an older organization that has the same accounts.
	twin string
}

func newConnection(registry *connections, organization types.NamespacedName, createdAt time.Time) *connection {
	options := registry.options
	c := &connection{
		organization: organization,
		registry:     registry,
		options:      options,
		createdAt:    createdAt,
		accounts:     newAccounts(),
		ledger:       newLedger(),
		setbacks:     newSetbacks(),
		groups:       newGroups(),
		openedAt:     options.Now(),
		sweepSoon:    make(chan struct{}, 1),
		recalled:     make(chan struct{}),
	}
	c.guard = newGuard(registry.guards, organization, guardCalls{
		account: c.accounts.get, wake: c.wakeAskers, changed: c.changed, isOthers: c.isSuspicion,
	})
	c.lane = newLane(options.Now, options.Backoff, func(user string, priority int) { c.wake(max(priority, priorityGranted), user) }, c.circuitChanged)
	c.lane.stop(true)
	c.accounts.appeared = c.appeared
	return c
}

// changed looks again at the organization, whose status is to follow.
func (c *connection) changed() {
	c.registry.organizations.add(priorityReport, reconcile.Request{NamespacedName: c.organization})
}

// wakeAskers looks again at those who asked the guard about something of that kind.
func (c *connection) wakeAskers(kind guardKind, askers ...string) {
	switch kind {
	case guardDenial:
		c.wake(priorityDenial, askers...)
	case guardDeprovision:
		c.wake(priorityDeletion, askers...)
	case guardDemotion, guardActivation, guardKeep:
		c.wake(priorityChange, askers...)
	}
}

// isOpen tells whether memory has what status remembers. Before, nothing is decided.
func (c *connection) isOpen() bool {
	select {
	case <-c.recalled:
		return true
	default:
		return false
	}
}

// use puts settings and client into force, and lifts whatever stood in the way. An upstream of nil keeps the one in use.
func (c *connection) use(set settings, upstream Upstream) {
	known := c.accounts.size() > 0
	c.mu.Lock()
	lifted := c.obstacle != situation{} || c.upstream == nil || upstream != nil
	replaced := c.upstream != nil && upstream != nil
	faster := set.syncInterval != c.settings.syncInterval
	if replaced && known {
		// It may be another organization's token: nobody is created before that is known.
		c.accounts.distrust()
	}
	c.settings, c.obstacle = set, situation{}
	if upstream != nil {
		c.upstream, c.recognised, c.unproven = upstream, false, replaced && known
		c.suspicion, c.approved = suspicion{}, ""
	}
	c.mu.Unlock()

	c.lane.limit(set.perSecond, set.burst)
	if upstream != nil {
		c.lane.renew()
	}
	if lifted {
		c.lane.stop(false)
		c.setbacks.clearAll()
		c.wakeOpen(priorityDrift)
	}
	if lifted || faster {
		c.sweepNow()
	}
}

// block stops all calls for a reason that people are told.
func (c *connection) block(because situation) {
	c.mu.Lock()
	told := c.obstacle == because
	c.obstacle = because
	c.mu.Unlock()
	c.lane.stop(true)
	if !told {
		// Nothing will be called: all that is left is to tell people why.
		c.wakeOpen(priorityInitialList)
	}
}

// answeredAt notes where comparisons succeeded before the start.
func (c *connection) answeredAt(baseURL string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.comparison.baseURL = baseURL
}

// isNewRequest tells whether a request for a resync was not acted on yet, and notes it.
func (c *connection) isNewRequest(requested string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.requested
	c.requested = requested
	return before != requested
}

// state returns the settings in force, and what stands in the way of calls; the zero situation is nothing.
func (c *connection) state() (settings, situation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settings, c.obstacle
}

// client is the one in use; nil when there is none yet.
func (c *connection) client() Upstream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.upstream
}

// call makes one call on somebody's behalf, for whom the lane was acquired.
func (c *connection) call(ctx context.Context, user, name string, do func(context.Context, Upstream) error) error {
	return c.callIf(ctx, user, name, do, func() bool { return true })
}

// create is a call that makes something new. What was planned for one organization is not created in another one: after a change of the
// token it waits until the organization is recognised.
func (c *connection) create(ctx context.Context, user, name string, do func(context.Context, Upstream) error) error {
	return c.callIf(ctx, user, name, do, func() bool { return c.recognised || !c.unproven })
}

func (c *connection) callIf(ctx context.Context, user, name string, do func(context.Context, Upstream) error, allowed func() bool) error {
	timeout, err := c.callTimeout()
	c.mu.Lock()
	upstream := c.upstream
	if upstream == nil || c.obstacle != (situation{}) || !allowed() {
		err = errNotCalled
	}
	if err == nil {
		c.calls++
	}
	c.mu.Unlock()
	if err == nil {
		bounded, cancel := context.WithTimeout(ctx, timeout)
		err = do(bounded, upstream)
		cancel()
		observeCall(c.organization, name, err)
		err = c.ended(upstream, err)
	}
	c.lane.done(user, err)
	return err
}

// ended ignores the failure of a client that was replaced during the call: its token may be the reason.
func (c *connection) ended(used Upstream, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls--
	if err != nil && used != c.upstream && !lambdatest.IsOutcomeUnknown(err) {
		return errors.Join(errNotCalled, errors.New("the connection changed meanwhile"))
	}
	return err
}

// callTimeout is how long a call may take while we certainly lead.
func (c *connection) callTimeout() (time.Duration, error) {
	if c.options.LeadUntil == nil {
		return callTimeout, nil
	}
	// In this order: without a lease LeadUntil is the zero time, which is as far away as a Duration goes, and less would be in the future.
	left := c.options.LeadUntil().Add(-leadMargin).Sub(c.options.Now())
	if left < minCallTimeout {
		return 0, fmt.Errorf("the lease is about to end: %w", errNotCalled)
	}
	return min(left, callTimeout), nil
}

// lateUntil is until when a change that was sent now may take effect, should its answer be lost.
func (c *connection) lateUntil() time.Time { return c.options.Now().Add(callTimeout) }

// formerLeaderUntil is until when a call of a former leader may take effect.
func (c *connection) formerLeaderUntil() time.Time {
	return c.openedAt.Add(c.options.LeaseDuration + callTimeout)
}

// lastComparison returns how the last sweep ended.
func (c *connection) lastComparison() comparison {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.comparison
}

// sweepEarly asks for a comparison because what the last one showed is too old. After one that failed the next comes as soon as it may.
func (c *connection) sweepEarly() {
	if c.lastComparison().err == nil {
		c.sweepNow()
	}
}

// sweepNow asks for a comparison before its time.
func (c *connection) sweepNow() {
	select {
	case c.sweepSoon <- struct{}{}:
	default:
	}
}

// lookedUp counts lookups: once there were as many as a comparison has pages, a comparison is the cheaper way to know.
func (c *connection) lookedUp() {
	c.mu.Lock()
	c.lookUps++
	many := c.comparison.complete && c.comparison.err == nil && c.lookUps > c.comparison.pages+1
	if many {
		c.lookUps = 0
	}
	c.mu.Unlock()
	if many {
		c.accounts.expect()
		c.sweepNow()
	}
}

// mayLookUpEarly tells whether people may be looked up before the first comparison has ended: few of them, and only where it is sure
// that the organization is the one that it was.
func (c *connection) mayLookUpEarly() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.comparison.complete && c.lookUps < earlyLookUps && (c.recognised || c.accounts.size() == 0)
}

// circuitChanged tells those who wait, so that their status says why, and the organization. Once LambdaTest is back, failures of the
// outage delay no call: the lane has forgiven those who wait there already.
func (c *connection) circuitChanged() {
	if state, _ := c.lane.state(); state == "closed" {
		c.setbacks.forgiveOutage()
		c.wakeIdle()
	} else {
		c.wake(priorityInitialList, c.lane.waiting()...)
	}
	c.changed()
}

// forgiveAll follows a success for a person whose calls kept failing. The reason was LambdaTest, as when it answers reads and fails
// writes, so it is over for the others as well.
func (c *connection) forgiveAll() {
	c.setbacks.forgiveAll()
	c.lane.forgiveAll()
	c.wakeIdle()
}

// wakeOpen requeues every person with unfinished work. Denials go first; the others get the given priority, low enough not to hold up
// changes of other organizations.
func (c *connection) wakeOpen(others int) {
	for _, user := range c.ledger.open() {
		c.wake(c.ledger.urgency(user, others), user)
	}
	c.wake(others, c.groups.listOpen()...)
}

// wakeIdle requeues people with unfinished work who are not queued in the lane, such as those who wait for the comparison that has just
// ended.
func (c *connection) wakeIdle() {
	waiting := map[string]struct{}{}
	for _, user := range c.lane.waiting() {
		waiting[user] = struct{}{}
	}
	for _, user := range c.ledger.open() {
		if _, ok := waiting[user]; !ok {
			c.wake(c.ledger.urgency(user, priorityCreation), user)
		}
	}
	c.wake(priorityCreation, c.groups.listOpen()...)
}

func (c *connection) wake(priority int, users ...string) {
	keys := make([]PersonKey, 0, len(users))
	for _, user := range users {
		if group, isGroup := groupAt(user); isGroup {
			c.registry.groups.add(priority, reconcile.Request{NamespacedName: c.groupNamed(group)})
			continue
		}
		keys = append(keys, PersonKey{Namespace: c.organization.Namespace, Organization: c.organization.Name, UserName: user})
	}
	c.registry.people.add(priority, keys...)
}

// run keeps the connection going until ctx ends.
func (c *connection) run(ctx context.Context) {
	go c.lane.run(ctx)
	go c.guard.run(ctx)
	go c.reportCounts(ctx)
	go c.retryRefusals(ctx)
	go c.review(ctx)
	c.sweepLoop(ctx)
}

// reportCounts lets the organization's status follow its people, at most every countsInterval.
func (c *connection) reportCounts(ctx context.Context) {
	ticker := time.NewTicker(countsInterval)
	defer ticker.Stop()
	var reported uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, version := c.ledger.counts(); version != reported {
			reported = version
			c.changed()
		}
	}
}

// notReady tells people that their organization has a problem of its own.
func notReady(organization, problem string) situation {
	return situation{
		readiness: stalled,
		reason:    v1alpha1.OrganizationNotReadyReason,
		message:   fmt.Sprintf("%s %s cannot be called: %s", v1alpha1.OrganizationKind, organization, problem),
	}
}
