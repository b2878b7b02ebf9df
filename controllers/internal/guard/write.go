// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// batch is what one write carries: all that there was to do when it began.
type batch struct {
	questions []answered
	proposals map[proposal]settlement
	over      []string
	denials   int32
	vanished  int32
}

// Load reads the state of a newly opened connection.
func (g *Guard) Load(ctx context.Context) error {
	stored := &v1alpha1.LambdaTestOrganization{}
	if err := g.Live.Get(ctx, g.organization, stored); err != nil {
		return client.IgnoreNotFound(err)
	}
	g.learn(stored.Status.Guard, time.Time{})
	return nil
}

// Run writes until ctx ends. Requests that come during a write go into the next one, so thousands of people cost a few dozen writes, and
// no worker of the controllers waits for any of them.
func (g *Guard) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.work:
		}
		if g.known().held.Len() > 0 {
			// More requests over the limit are about to come, and none of them is urgent: write them together.
			pause(ctx, gather)
		}
		if err := g.Write(ctx); err != nil && ctx.Err() == nil {
			ctrl.LoggerFrom(ctx).Error(err, "The state of the guard is written again soon", "organization", g.organization)
			pause(ctx, retryPause)
			g.poke()
		}
	}
}

// poke tells Run that there is work.
func (g *Guard) poke() {
	select {
	case g.work <- struct{}{}:
	default:
	}
}

func pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}

// Write carries all that there is to write, and wakes the askers of what it answers. What could not be written stays queued.
func (g *Guard) Write(ctx context.Context) error {
	batch := g.batch()
	var written *v1alpha1.LambdaTestOrganization
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		var err error
		written, err = g.writeOnce(ctx, batch)
		return err
	})
	if err != nil {
		return client.IgnoreNotFound(err) // the organization is gone, and its connection about to be closed
	}
	g.written(batch)
	for _, question := range batch.questions {
		g.auditVerdict(question)
		g.Wake(question.Kind, question.Asker)
	}
	for proposal, made := range batch.proposals {
		g.announce(written, proposal, made)
	}
	return nil
}

// batch is all that there is to write. It stays queued until it is written. Questions are in order, so that of many that come at once it
// does not depend on chance which are admitted.
func (g *Guard) batch() *batch {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := &batch{proposals: maps.Clone(g.proposed), denials: g.uncounted, vanished: g.vanished}
	for _, key := range slices.Sorted(maps.Keys(g.queue)) {
		all.questions = append(all.questions, answered{Request: g.queue[key]})
		g.over.Delete(g.queue[key].Entries...)
	}
	all.over = g.over.UnsortedList()
	return all
}

// writeOnce begins with what the API server has, so a new leader goes on where the former one stopped, and no budget is spent twice.
func (g *Guard) writeOnce(ctx context.Context, batch *batch) (*v1alpha1.LambdaTestOrganization, error) {
	stored := &v1alpha1.LambdaTestOrganization{}
	if err := g.Live.Get(ctx, g.organization, stored); err != nil {
		return nil, fmt.Errorf("reading the guard's state: %w", err)
	}
	state := policyOf(stored.Status.Guard)
	var uncounted error
	state.roll(g.Now(), sync.OnceValue(func() (active int) {
		active, uncounted = g.countActive(ctx)
		return active
	}))
	if batch.apply(state, stored, g.Now()); uncounted != nil {
		return nil, fmt.Errorf("counting the active people: %w", uncounted)
	}
	organization := stored.DeepCopy()
	organization.Status.Guard = state.export()
	if !equality.Semantic.DeepEqual(stored.Status.Guard, organization.Status.Guard) {
		patch := client.MergeFromWithOptions(stored, client.MergeFromWithOptimisticLock{})
		if err := g.Client.Status().Patch(ctx, organization, patch); err != nil {
			return nil, fmt.Errorf("writing the guard's state: %w", err)
		}
		g.Changed()
	}
	g.learn(organization.Status.Guard, g.Now())
	return organization, nil
}

// apply decides by what the API server has. Proposals come first: they are about the set that is held before any question adds to it.
func (b *batch) apply(state *policy, organization *v1alpha1.LambdaTestOrganization, now time.Time) {
	limits := organization.Spec.DeprovisionGuard
	state.drop(b.over...)
	if b.denials > 0 {
		state.counters.Explicit += b.denials
		state.budget(Deprovision, limits) // whose limit many denials are compared with
	}
	if b.vanished > 0 {
		counter, _ := state.budget(Deprovision, limits)
		*counter += b.vanished
	}
	approvalsFirst := func(one, other proposal) int { return strings.Compare(one.annotation, other.annotation) }
	for _, proposal := range slices.SortedFunc(maps.Keys(b.proposals), approvalsFirst) {
		b.proposals[proposal] = state.settle(proposal, cmp.Or(proposal.by, fieldManager(organization, proposal.annotation)), now)
	}
	for i := range b.questions {
		b.questions[i].verdict = state.decide(b.questions[i].Request, limits, now)
	}
}

// countActive counts the people who are claimed and active at LambdaTest, those included whose claims are being deleted.
func (g *Guard) countActive(ctx context.Context) (int, error) {
	active := map[string]struct{}{}
	err := claims.Visit(ctx, g.Client, g.organization, func(claim *v1alpha1.LambdaTestUser) {
		user := claims.KeyOf(claim).UserName
		account, known := g.Account(user)
		if claims.IsFull(claim) && (known && account.Active || !known && claim.Status.Account != nil && claim.Status.Account.Active) {
			active[user] = struct{}{}
		}
	})
	return len(active), err
}

// written takes what a write has carried out of the queue.
func (g *Guard) written(done *batch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over.Delete(done.over...)
	for proposal := range done.proposals {
		delete(g.proposed, proposal)
	}
	g.uncounted -= done.denials
	g.vanished -= done.vanished
	for _, question := range done.questions {
		delete(g.queue, question.key())
		if !allIn(question.Entries, g.state.lists()...) {
			g.unlisted[question.key()] = question
		}
	}
}

// announce records what became of a proposal; of a refusal once. Events name no token: it soon is another one.
func (g *Guard) announce(organization *v1alpha1.LambdaTestOrganization, proposal proposal, made settlement) {
	if made.decision != decided && !g.refuse(proposal, made.decision) {
		return
	}
	g.Changed()
	g.auditDecision(proposal, made)
	event := func(kind, reason, note string, args ...any) {
		g.Recorder.Eventf(organization, nil, kind, reason, "Decide", note, args...)
	}
	switch {
	case made.decision != decided:
		event(corev1.EventTypeWarning, made.reason(), "%s: nothing was done, %s", proposal.annotation, made.why(g.organization.Namespace, g.organization.Name))
		return
	case proposal.annotation == v1alpha1.RejectDeprovisionAnnotation:
		event(corev1.EventTypeNormal, "Rejected", "What was held about %s does not happen: LambdaTest stays as it is. Decided by %s.", people(made.people), made.by)
	default:
		event(corev1.EventTypeNormal, "Approved", "What was held about %s is carried out. Decided by %s.", people(made.people), made.by)
	}
	g.Wake(Demotion, g.takeAskers()...)
}

// refuse notes a token that was refused, and says whether that is news.
func (g *Guard) refuse(proposal proposal, made decision) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	token := proposal.asked().Token
	news := g.refused != token
	g.refused = token
	if made == notHeld {
		news = g.refusedPart != proposal.value
		g.refusedPart = proposal.value
	}
	return news
}

// ApplyAnnotations acts on the annotations that decide about the held set, at first sight: a GitOps tool may take them away again.
func (g *Guard) ApplyAnnotations(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) error {
	for _, annotation := range []string{v1alpha1.ApproveDeprovisionAnnotation, v1alpha1.RejectDeprovisionAnnotation} {
		if value := organization.Annotations[annotation]; value != "" {
			by := v1alpha1.DecidedByIn(organization.Annotations[v1alpha1.DecidedByAnnotation], v1alpha1.DecisionOf(value).Token)
			g.propose(annotation, value, status.Shorten(maxBy, by))
		}
	}
	err := g.prune(ctx)
	if g.Pending() {
		g.poke()
	}
	return err
}

// prune drops entries about resources that are gone without having been released; see CountVanished. Rejected entries outlive their
// resources.
func (g *Guard) prune(ctx context.Context) error {
	state := g.known()
	for _, list := range []*entryList{state.held, state.admitted, state.approved} {
		for entry := range list.Set {
			name := NameIn(entry)
			var object client.Object = &v1alpha1.LambdaTestUser{}
			key := client.ObjectKey{Namespace: g.organization.Namespace, Name: name}
			if group, isGroup := strings.CutPrefix(name, v1alpha1.GroupKind+"/"); isGroup {
				object, key.Name = &v1alpha1.LambdaTestGroup{}, group
			}
			switch err := g.Client.Get(ctx, key, object, client.UnsafeDisableDeepCopy); {
			case apierrors.IsNotFound(err):
				g.Resolve([]string{name}, nil)
			case err != nil:
				return fmt.Errorf("reading who is held: %w", err)
			}
		}
	}
	return nil
}
