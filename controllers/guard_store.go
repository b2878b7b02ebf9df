// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// guardStore asks the guard and writes down what it says. Every write begins with what the API server has, so a new leader goes on
// where the former one stopped, and no budget is spent twice.
type guardStore struct {
	client   client.Client
	live     client.Reader
	recorder events.EventRecorder
	options  Options
}

// ask returns the guard's answer, which is in the organization's status by then.
func (s guardStore) ask(ctx context.Context, c *connection, request guardRequest) (guardOutcome, error) {
	if known, ok := c.guard.recall(request); ok {
		return known, nil
	}
	question := c.guard.enqueue(request)
	err := s.write(ctx, c, question, nil)
	if question.done {
		return question.outcome, question.err
	}
	return guardHolds, err
}

// write takes everybody along who waits for a write, unless somebody else's just did that for the question.
func (s guardStore) write(ctx context.Context, c *connection, question *guardQuestion, change func(*guardState)) error {
	c.guard.writing.Lock()
	defer c.guard.writing.Unlock()
	if question != nil && question.done {
		return nil
	}
	if question != nil && c.guard.token() != "" {
		// Who is over the limit has time: a moment later there are more to take along.
		select {
		case <-ctx.Done():
		case <-time.After(guardGather):
		}
	}
	questions, over := c.guard.takeQueue()
	denials := c.guard.denials()
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		return s.writeOnce(ctx, c, func(organization *v1alpha1.LambdaTestOrganization, state *guardState) {
			s.apply(organization, state, questions, over, denials)
			if change != nil {
				change(state)
			}
		})
	})
	if err == nil {
		c.guard.counted(denials)
	}
	c.guard.answer(questions, over, err)
	return err
}

// apply decides questions on what the API server has.
func (s guardStore) apply(organization *v1alpha1.LambdaTestOrganization, state *guardState, questions []*guardQuestion, over entrySet, denials int) {
	limits, now := organization.Spec.DeprovisionGuard, s.options.Now()
	state.drop(over)
	state.status.Explicit += *count(denials)
	if denials > 0 {
		state.budget(guardDeprovision, limits)
	}
	for _, question := range questions {
		question.outcome = state.decide(question.guardRequest, limits, now)
	}
}

func (s guardStore) writeOnce(ctx context.Context, c *connection, change func(*v1alpha1.LambdaTestOrganization, *guardState)) error {
	stored := &v1alpha1.LambdaTestOrganization{}
	if err := s.live.Get(ctx, c.organization, stored); err != nil {
		return fmt.Errorf("reading the guard's state: %w", err)
	}
	state := guardStateOf(stored.Status.Guard)
	var uncounted error
	state.roll(s.options.Now(), func() int {
		active, err := s.countActive(ctx, c)
		uncounted = errors.Join(uncounted, err)
		return active
	})
	if change(stored, state); uncounted != nil {
		return fmt.Errorf("counting the active people: %w", uncounted)
	}
	organization := stored.DeepCopy()
	organization.Status.Guard = state.export()
	if !equality.Semantic.DeepEqual(stored.Status.Guard, organization.Status.Guard) {
		patch := client.MergeFromWithOptions(stored, client.MergeFromWithOptimisticLock{})
		if err := s.client.Status().Patch(ctx, organization, patch); err != nil {
			return fmt.Errorf("writing the guard's state: %w", err)
		}
		c.changed()
	}
	c.guard.learn(guardStateOf(organization.Status.Guard), s.options.Now())
	return nil
}

// countActive counts the people who are claimed and active at LambdaTest, those included whose claims are being deleted.
func (s guardStore) countActive(ctx context.Context, c *connection) (int, error) {
	active := map[string]struct{}{}
	err := visitClaims(ctx, s.client, c.organization, func(claim *v1alpha1.LambdaTestUser) {
		user := personKeyOf(claim).UserName
		account, known := c.accounts.get(user)
		if isFull(claim) && (known && account.Active || !known && claim.Status.Account != nil && claim.Status.Account.Active) {
			active[user] = struct{}{}
		}
	})
	return len(active), err
}

// load reads the state of a newly opened connection.
func (s guardStore) load(ctx context.Context, c *connection) error {
	stored := &v1alpha1.LambdaTestOrganization{}
	if err := s.live.Get(ctx, c.organization, stored); err != nil {
		return client.IgnoreNotFound(err)
	}
	c.guard.learn(guardStateOf(stored.Status.Guard), time.Time{})
	return nil
}

// heed acts on the annotations that decide about the held set, at first sight: a GitOps tool may take them away again.
func (s guardStore) heed(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection) error {
	for annotation, decide := range map[string]func(*guardState, string) decision{
		v1alpha1.ApproveDeprovisionAnnotation: (*guardState).approve,
		v1alpha1.RejectDeprovisionAnnotation:  (*guardState).reject,
	} {
		token := organization.Annotations[annotation]
		if token == "" || s.handled(c, token) {
			continue
		}
		var made decision
		if err := s.write(ctx, c, nil, func(state *guardState) { made = decide(state, token) }); err != nil {
			return err
		}
		s.announce(organization, c, annotation, token, made)
	}
	return s.refresh(ctx, c)
}

// handled tells whether a token was decided about before, by the guard or by whoever looks after comparisons.
func (s guardStore) handled(c *connection, token string) bool {
	status := c.guard.status()
	suspicion, suspected := c.suspected()
	switch {
	case suspected && suspicion.token == token:
		c.guard.leave(token)
		return true
	case c.guard.left(token):
		return true
	case status == nil:
		return c.guard.refused() == token
	case status.Approved != nil && status.Approved.Token == token, status.Rejected != nil && status.Rejected.Token == token:
		return true
	}
	return c.guard.refused() == token && (status.Held == nil || status.Held.Token != token)
}

func (s guardStore) announce(organization *v1alpha1.LambdaTestOrganization, c *connection, annotation, token string, made decision) {
	switch {
	case made == decided:
	case !c.guard.refuse(token):
		return
	case made == noRoom:
		s.recorder.Eventf(organization, nil, corev1.EventTypeWarning, "NoRoom", "Decide",
			"%s: nothing was done, because status.guard lists as many people as it can for whom the same was decided before. Wait until they are carried out, or declare those again who were rejected.", annotation)
		return
	default:
		s.recorder.Eventf(organization, nil, corev1.EventTypeWarning, "StaleToken", "Decide",
			"%s: %s names no set that is held now: nothing was done. status.guard.held has the current token.", annotation, shortenedTo(maxToken, token))
		return
	}
	reason, note := "Approved", "The changes of the set %s are carried out."
	if annotation == v1alpha1.RejectDeprovisionAnnotation {
		reason, note = "Rejected", "The set %s was released, and LambdaTest left as it is."
	}
	s.recorder.Eventf(organization, nil, corev1.EventTypeNormal, reason, "Decide", note, token)
	c.wake(priorityChange, c.guard.takeAskers()...)
}

// refresh writes what is over.
func (s guardStore) refresh(ctx context.Context, c *connection) error {
	if err := s.prune(ctx, c); err != nil {
		return err
	}
	if !c.guard.pending() {
		return nil
	}
	return s.write(ctx, c, nil, nil)
}

// prune drops entries about resources that went without being released, as after somebody removed a finalizer by hand.
func (s guardStore) prune(ctx context.Context, c *connection) error {
	for _, name := range c.guard.waiting() {
		var object client.Object = &v1alpha1.LambdaTestUser{}
		key := client.ObjectKey{Namespace: c.organization.Namespace, Name: name}
		if group, isGroup := strings.CutPrefix(name, v1alpha1.GroupKind+"/"); isGroup {
			object, key.Name = &v1alpha1.LambdaTestGroup{}, group
		}
		err := s.client.Get(ctx, key, object, client.UnsafeDisableDeepCopy)
		if apierrors.IsNotFound(err) {
			c.guard.settle([]string{name}, nil)
			continue
		}
		if err != nil {
			return fmt.Errorf("reading who is held: %w", err)
		}
	}
	return nil
}

// describe tells the organization what is held, and returns when to look again: the token of a set that still grows is told a little
// later; and when a namespace or a definition goes, which is no news about those who are held, they may go, too.
func (s guardStore) describe(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection) (time.Duration, error) {
	status := c.guard.status()
	c.wake(priorityChange, c.guard.takeCrowded()...)
	held := &v1alpha1.HeldSet{}
	if status != nil && status.Held != nil {
		held = status.Held
	}
	guardHeld.WithLabelValues(c.organization.Namespace, c.organization.Name).Set(float64(held.Count))
	if c.guard.alarming() {
		s.alarm(organization, status)
	}
	if held.Count == 0 {
		meta.RemoveStatusCondition(&organization.Status.Conditions, v1alpha1.GuardHoldingCondition)
		return 0, nil
	}
	dissolving, err := s.dissolving(ctx, c.organization.Namespace)
	wait := c.guard.untold(s.options.Now())
	if wait == 0 || !meta.IsStatusConditionTrue(organization.Status.Conditions, v1alpha1.GuardHoldingCondition) {
		s.holding(organization, c, status)
	}
	if dissolving {
		c.wake(priorityDrift, c.guard.takeAskers()...)
	}
	return soonest(wait, guardCheck), err
}

// dissolving tells whether the namespace, or the definition of users or groups, is being deleted.
func (s guardStore) dissolving(ctx context.Context, namespace string) (bool, error) {
	for name, kind := range map[string]schema.GroupVersionKind{namespace: namespaceKind, usersCRD: crdKind, groupsCRD: crdKind} {
		if terminating, err := isTerminating(ctx, s.live, name, kind); err != nil || terminating {
			return terminating, err
		}
	}
	return false, nil
}

// holding is the condition of an organization whose guard holds somebody.
func (s guardStore) holding(organization *v1alpha1.LambdaTestOrganization, c *connection, status *v1alpha1.GuardStatus) {
	message := fmt.Sprintf("%d people are held, because more would be affected within an hour than spec.deprovisionGuard allows: %s. "+
		"Those who are held wait for a decision, however much time passes. %s",
		status.Held.Count, usage(status, organization.Spec.DeprovisionGuard), waysOut(c.organization.Namespace, c.organization.Name, status.Held.Token))
	if stale := c.guard.refused(); stale != "" {
		message += fmt.Sprintf(" (The token %s was refused: it names another set.)", shortenedTo(maxToken, stale))
	}
	changed := putCondition(&organization.Status.Conditions, organization, metav1.Condition{
		Type: v1alpha1.GuardHoldingCondition, Status: metav1.ConditionTrue, Reason: v1alpha1.DeprovisionHeldReason, Message: message,
		LastTransitionTime: metav1.NewTime(s.options.Now()),
	})
	if changed && c.guard.firstHold() {
		guardAlerts.WithLabelValues(c.organization.Namespace, c.organization.Name, "held").Inc()
		s.recorder.Eventf(organization, nil, corev1.EventTypeWarning, v1alpha1.GuardHoldingCondition, "Hold", "%s", message)
	}
}

// usage is how much of the limits of an hour is used.
func usage(status *v1alpha1.GuardStatus, limits v1alpha1.DeprovisionGuard) string {
	if status.WindowStart == nil {
		return "nobody has gone"
	}
	from, until := status.WindowStart.UTC(), status.WindowStart.Add(guardWindow).UTC()
	text := fmt.Sprintf("from %s to %s UTC, %d have gone of the %d of %d active people who may", from.Format("15:04"), until.Format("15:04"),
		status.Deprovisioned+status.Demoted+status.Activated, implicitLimit(limits, int(status.Active)), status.Active)
	if limits.ExplicitPercent != nil {
		text += fmt.Sprintf(", and %d were denied of the %d who may be", status.Explicit, explicitLimit(limits, int(status.Active)))
	}
	return text
}

// alarm tells that many people were denied explicitly, which nothing stops.
func (s guardStore) alarm(organization *v1alpha1.LambdaTestOrganization, status *v1alpha1.GuardStatus) {
	guardAlerts.WithLabelValues(organization.Namespace, organization.Name, "denials").Inc()
	s.recorder.Eventf(organization, nil, corev1.EventTypeWarning, "ManyDenials", "Deny",
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
