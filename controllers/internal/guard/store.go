// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/deletion"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// This file writes down what the guard of an organization says. Every write begins with what the API server has, so a new leader goes on
// where the former one stopped, and no budget is spent twice.

// Run writes until ctx ends. Whoever asks during a write goes into the next one, so people by the thousand cost a few
// dozen writes, and no worker of the controllers waits for any of them.
func (g *Guard) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.work:
		}
		if g.token() != "" {
			// Who is over the limit has time: a moment later there are more to take along.
			pause(ctx, gather)
		}
		if err := g.Write(ctx); err != nil && ctx.Err() == nil {
			ctrl.LoggerFrom(ctx).Error(err, "The state of the guard is written again soon", "organization", g.organization)
			pause(ctx, retryPause)
			g.poke()
		}
	}
}

func pause(ctx context.Context, length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Write carries all that there is to write, and wakes whom the answers are for. What could not be written stays queued.
func (g *Guard) Write(ctx context.Context) error {
	batch := g.batch()
	var written *v1alpha1.LambdaTestOrganization
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		var err error
		written, err = g.writeOnce(ctx, batch)
		return err
	})
	if apierrors.IsNotFound(err) {
		return nil // the organization is gone, and its connection about to be closed
	}
	if err != nil {
		return err
	}
	for _, question := range g.written(batch) {
		g.Wake(question.Kind, question.Asker)
	}
	for i, proposal := range batch.proposals {
		g.announce(written, proposal, batch.decisions[i])
	}
	return nil
}

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
	if batch.apply(state, stored.Spec.DeprovisionGuard, g.Now()); uncounted != nil {
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
	g.learn(policyOf(organization.Status.Guard), g.Now())
	return organization, nil
}

// apply decides on what the API server has: first about the set that somebody looked at, then about who asks.
func (b *batch) apply(state *policy, limits v1alpha1.DeprovisionGuard, now time.Time) {
	b.decisions, b.outcomes = nil, nil
	state.drop(b.over)
	state.status.Explicit += *status.Int32(b.denials)
	if b.denials > 0 {
		state.budget(Deprovision, limits)
	}
	for _, proposal := range b.proposals {
		b.decisions = append(b.decisions, proposal.decide(state))
	}
	for _, question := range b.questions {
		b.outcomes = append(b.outcomes, state.decide(question, limits, now))
	}
}

func (p proposal) decide(state *policy) decision {
	if p.annotation == v1alpha1.RejectDeprovisionAnnotation {
		return state.reject(p.token)
	}
	return state.approve(p.token)
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

// Load reads the state of a newly opened connection.
func (g *Guard) Load(ctx context.Context) error {
	stored := &v1alpha1.LambdaTestOrganization{}
	if err := g.Live.Get(ctx, g.organization, stored); err != nil {
		return client.IgnoreNotFound(err)
	}
	g.learn(policyOf(stored.Status.Guard), time.Time{})
	return nil
}

// ApplyAnnotations acts on the annotations that decide about the held set, at first sight: a GitOps tool may take them away again.
func (g *Guard) ApplyAnnotations(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) error {
	for _, annotation := range []string{v1alpha1.ApproveDeprovisionAnnotation, v1alpha1.RejectDeprovisionAnnotation} {
		proposal := proposal{annotation, organization.Annotations[annotation]}
		if proposal.token != "" && !g.handled(proposal.token) {
			g.propose(proposal)
		}
	}
	if err := g.prune(ctx); err != nil {
		return err
	}
	if g.Pending() {
		g.poke()
	}
	return nil
}

// handled tells whether a token was decided about before, by the guard or by whoever looks after sweeps.
func (g *Guard) handled(token string) bool {
	status := g.status()
	switch {
	case g.IsOthers(token):
		g.leave(token)
		return true
	case g.left(token):
		return true
	case status == nil:
		return g.refused() == token
	case status.Approved != nil && status.Approved.Token == token, status.Rejected != nil && status.Rejected.Token == token:
		return true
	}
	return g.refused() == token && (status.Held == nil || status.Held.Token != token)
}

func (g *Guard) announce(organization *v1alpha1.LambdaTestOrganization, proposal proposal, made decision) {
	if made != decided && !g.refuse(proposal.token) {
		return
	}
	g.Changed()
	switch made {
	case decided:
	case noRoom:
		g.Recorder.Eventf(organization, nil, corev1.EventTypeWarning, "NoRoom", "Decide",
			"%s: nothing was done, because status.guard lists as many people as it can for whom the same was decided before. Wait until they are carried out, or declare those again who were rejected.", proposal.annotation)
		return
	case staleToken:
		g.Recorder.Eventf(organization, nil, corev1.EventTypeWarning, "StaleToken", "Decide",
			"%s: %s names no set that is held now: nothing was done. status.guard.held has the current token.", proposal.annotation, status.Shorten(status.MaxToken, proposal.token))
		return
	}
	reason, note := "Approved", "The changes of the set %s are carried out."
	if proposal.annotation == v1alpha1.RejectDeprovisionAnnotation {
		reason, note = "Rejected", "The set %s was released, and LambdaTest left as it is."
	}
	g.Recorder.Eventf(organization, nil, corev1.EventTypeNormal, reason, "Decide", note, proposal.token)
	g.Wake(Demotion, g.takeAskers()...)
}

// prune drops entries about resources that went without being released, as after somebody removed a finalizer by hand.
func (g *Guard) prune(ctx context.Context) error {
	for _, name := range g.waiting() {
		var object client.Object = &v1alpha1.LambdaTestUser{}
		key := client.ObjectKey{Namespace: g.organization.Namespace, Name: name}
		if group, isGroup := strings.CutPrefix(name, v1alpha1.GroupKind+"/"); isGroup {
			object, key.Name = &v1alpha1.LambdaTestGroup{}, group
		}
		err := g.Client.Get(ctx, key, object, client.UnsafeDisableDeepCopy)
		if apierrors.IsNotFound(err) {
			g.Resolve([]string{name}, nil)
			continue
		}
		if err != nil {
			return fmt.Errorf("reading who is held: %w", err)
		}
	}
	return nil
}

// Describe tells the organization what is held, and returns when to look again: the token of a set that still grows is told a little
// later; and when a namespace or a definition goes, which is no news about those who are held, they may go, too.
func (g *Guard) Describe(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (time.Duration, error) {
	state := g.status()
	g.Wake(Demotion, g.takeCrowded()...)
	held := &v1alpha1.HeldSet{}
	if state != nil && state.Held != nil {
		held = state.Held
	}
	heldPeople.WithLabelValues(g.organization.Namespace, g.organization.Name).Set(float64(held.Count))
	if g.alarming() {
		g.alarm(organization, state)
	}
	if held.Count == 0 {
		meta.RemoveStatusCondition(&organization.Status.Conditions, v1alpha1.GuardHoldingCondition)
		return 0, nil
	}
	dissolving, err := g.Terminations.Any(ctx, g.Live, g.organization.Namespace, deletion.UsersCRD, deletion.GroupsCRD)
	wait := g.untold(g.Now())
	if wait == 0 || !meta.IsStatusConditionTrue(organization.Status.Conditions, v1alpha1.GuardHoldingCondition) {
		g.holding(organization, state)
	}
	if dissolving {
		g.Wake(Demotion, g.takeAskers()...)
	}
	return status.Soonest(wait, checkInterval), err
}

// holding is the condition of an organization whose guard holds somebody.
func (g *Guard) holding(organization *v1alpha1.LambdaTestOrganization, state *v1alpha1.GuardStatus) {
	message := fmt.Sprintf("%d people are held, because more would be affected within an hour than spec.deprovisionGuard allows: %s. "+
		"Those who are held wait for a decision, however much time passes. %s",
		state.Held.Count, usage(state, organization.Spec.DeprovisionGuard), waysOut(g.organization.Namespace, g.organization.Name, state.Held.Token))
	if stale := g.refused(); stale != "" {
		message += fmt.Sprintf(" (The token %s was refused: it names another set.)", status.Shorten(status.MaxToken, stale))
	}
	changed := status.SetCondition(&organization.Status.Conditions, organization, metav1.Condition{
		Type: v1alpha1.GuardHoldingCondition, Status: metav1.ConditionTrue, Reason: v1alpha1.DeprovisionHeldReason, Message: message,
		LastTransitionTime: metav1.NewTime(g.Now()),
	})
	if changed && g.firstHold() {
		alerts.WithLabelValues(g.organization.Namespace, g.organization.Name, "held").Inc()
		g.Recorder.Eventf(organization, nil, corev1.EventTypeWarning, v1alpha1.GuardHoldingCondition, "Hold", "%s", message)
	}
}

// usage is how much of the limits of an hour is used.
func usage(status *v1alpha1.GuardStatus, limits v1alpha1.DeprovisionGuard) string {
	if status.WindowStart == nil {
		return "nobody has gone"
	}
	from, until := status.WindowStart.UTC(), status.WindowStart.Add(window).UTC()
	text := fmt.Sprintf("from %s to %s UTC, %d have gone of the %d of %d active people who may", from.Format("15:04"), until.Format("15:04"),
		status.Deprovisioned+status.Demoted+status.Activated, implicitLimit(limits, int(status.Active)), status.Active)
	if limits.ExplicitPercent != nil {
		text += fmt.Sprintf(", and %d were denied of the %d who may be", status.Explicit, explicitLimit(limits, int(status.Active)))
	}
	return text
}

// alarm tells that many people were denied explicitly, which nothing stops.
func (g *Guard) alarm(organization *v1alpha1.LambdaTestOrganization, status *v1alpha1.GuardStatus) {
	alerts.WithLabelValues(organization.Namespace, organization.Name, "denials").Inc()
	g.Recorder.Eventf(organization, nil, corev1.EventTypeWarning, "ManyDenials", "Deny",
		"%d people were denied within an hour, more than the %d that may go without being denied. A denial does not wait; spec.deprovisionGuard.explicitPercent would limit them.",
		status.Explicit, status.Limit)
}

// waysOut are the two commands that decide about a held set.
func waysOut(namespace, organization, token string) string {
	command := func(annotation string) string {
		return fmt.Sprintf("kubectl annotate lambdatestorganization --namespace %s %s --overwrite %s=%s", namespace, organization, annotation, token)
	}
	return fmt.Sprintf("To let exactly these go: %s. To leave LambdaTest as it is: %s.",
		command(v1alpha1.ApproveDeprovisionAnnotation), command(v1alpha1.RejectDeprovisionAnnotation))
}
