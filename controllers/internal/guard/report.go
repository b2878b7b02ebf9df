// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/deletion"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

var (
	heldPeople = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "lambdatest_guard_held_people",
		Help: "People whom the guard holds until the held set is approved or rejected.",
	}, []string{"namespace", "organization"})
	alerts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "lambdatest_guard_alerts_total",
		Help: "How often the guard began to hold people (held), or counted more explicit denials in an hour than its implicit limit (denials).",
	}, []string{"namespace", "organization", "kind"})
)

func init() {
	metrics.Registry.MustRegister(heldPeople, alerts)
}

// ForgetMetrics drops the series of an organization that is gone.
func ForgetMetrics(labels prometheus.Labels) {
	heldPeople.DeletePartialMatch(labels)
	alerts.DeletePartialMatch(labels)
}

// Describe writes the condition of the organization about what is held, and returns when to describe it again: while the held set still
// grows, the condition names its token a little later; and people who are held may go without a call when their namespace or definition
// is deleted, which no event reports.
func (g *Guard) Describe(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (time.Duration, error) {
	now := g.describe()
	g.Wake(Demotion, now.askAgain...)
	heldPeople.WithLabelValues(g.organization.Namespace, g.organization.Name).Set(float64(now.held.people()))
	if now.alarm {
		g.alarm(organization, now.counters)
	}
	if now.token == "" {
		meta.RemoveStatusCondition(&organization.Status.Conditions, v1alpha1.GuardHoldingCondition)
		return 0, nil
	}
	dissolving, err := g.Terminations.Any(ctx, g.Live, g.organization.Namespace, deletion.UsersCRD, deletion.GroupsCRD)
	if now.wait == 0 || !meta.IsStatusConditionTrue(organization.Status.Conditions, v1alpha1.GuardHoldingCondition) {
		g.holding(organization, now)
	}
	if dissolving {
		g.Wake(Demotion, g.takeAskers()...)
	}
	return status.Soonest(now.wait, checkInterval), err
}

// description is what Describe reports.
type description struct {
	*policy
	// token names the held set, and refused was proposed in its place.
	token, refused string
	// wait is how long until the condition is to name the token.
	wait time.Duration
	// askAgain are the askers of questions for which there is room now.
	askAgain []string
	// alarm says that more people were denied in the current hour than could go implicitly; once an hour.
	alarm bool
}

func (g *Guard) describe() description {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := description{policy: g.state, token: g.state.token(), refused: g.refused}
	if left := g.changedAt.Add(quiet).Sub(g.Now()); left > 0 && g.reported != now.token {
		now.wait = left
	} else {
		g.reported = now.token
	}
	for key, question := range g.unlisted {
		if len(now.askAgain) == g.state.room() {
			break
		}
		now.askAgain = append(now.askAgain, question.Asker)
		delete(g.unlisted, key)
	}
	if hour := g.state.counters; hour.WindowStart != nil && hour.Explicit > hour.Limit && !g.alerted.Equal(hour.WindowStart.Time) {
		now.alarm, g.alerted = true, hour.WindowStart.Time
	}
	return now
}

// holding writes the condition of an organization whose guard holds people, and one event about each set.
func (g *Guard) holding(organization *v1alpha1.LambdaTestOrganization, now description) {
	message := fmt.Sprintf("%d people are held, because more would be affected within an hour than spec.deprovisionGuard allows: %s. "+
		"They are held until this set is approved or rejected, however much time passes. %s",
		now.held.people(), usage(now.counters, organization.Spec.DeprovisionGuard), waysOut(g.organization.Namespace, g.organization.Name, now.token))
	if now.refused != "" {
		message += fmt.Sprintf(" (The token %s was refused: it names another set.)", status.Shorten(status.MaxToken, now.refused))
	}
	changed := status.SetCondition(&organization.Status.Conditions, organization, metav1.Condition{
		Type: v1alpha1.GuardHoldingCondition, Status: metav1.ConditionTrue, Reason: v1alpha1.DeprovisionHeldReason, Message: message,
		LastTransitionTime: metav1.NewTime(g.Now()),
	})
	if changed && g.isFirst() {
		alerts.WithLabelValues(g.organization.Namespace, g.organization.Name, "held").Inc()
		g.Recorder.Eventf(organization, nil, corev1.EventTypeWarning, v1alpha1.GuardHoldingCondition, "Hold", "%s", message)
	}
}

// isFirst says, once, that the guard has begun to hold people.
func (g *Guard) isFirst() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := !g.announced
	g.announced = true
	return first
}

// usage is how much of the limits of an hour is used.
func usage(hour v1alpha1.GuardStatus, limits v1alpha1.DeprovisionGuard) string {
	if hour.WindowStart == nil {
		return "none has gone"
	}
	from, until := hour.WindowStart.UTC(), hour.WindowStart.Add(window).UTC()
	text := fmt.Sprintf("from %s to %s UTC, %d have gone of the %d of %d active people who may", from.Format("15:04"), until.Format("15:04"),
		implicit(&hour), implicitLimit(limits, hour.Active), hour.Active)
	if limits.ExplicitPercent != nil {
		text += fmt.Sprintf(", and %d were denied of the %d who may be", hour.Explicit, explicitLimit(limits, hour.Active))
	}
	return text
}

// waysOut are the two commands that decide about a held set.
func waysOut(namespace, organization, token string) string {
	command := func(annotation string) string {
		return fmt.Sprintf("kubectl annotate lambdatestorganization --namespace %s %s --overwrite %s=%s", namespace, organization, annotation, token)
	}
	return fmt.Sprintf("To let exactly these go: %s. To leave LambdaTest as it is: %s.",
		command(v1alpha1.ApproveDeprovisionAnnotation), command(v1alpha1.RejectDeprovisionAnnotation))
}

// alarm reports that many people were denied explicitly, which nothing stops.
func (g *Guard) alarm(organization *v1alpha1.LambdaTestOrganization, hour v1alpha1.GuardStatus) {
	alerts.WithLabelValues(organization.Namespace, organization.Name, "denials").Inc()
	g.Recorder.Eventf(organization, nil, corev1.EventTypeWarning, "ManyDenials", "Deny",
		"%d people were denied within an hour, more than the %d that may go without being denied. A denial does not wait. To limit denials, set spec.deprovisionGuard.explicitPercent.",
		hour.Explicit, hour.Limit)
}

// WhereToDecide says, to those who are held, where to find the set that they are in. The token is in the organization's status only: it
// changes with each person who is held.
func WhereToDecide(organization string) string {
	return fmt.Sprintf("To see all that is held and decide about it: kubectl lambdatest status, or status.guard of %s %s.",
		v1alpha1.OrganizationKind, organization)
}

// DeferredOutcome is for those for whom status has no room yet.
func DeferredOutcome(organization string) status.Outcome {
	return status.Progressingf(v1alpha1.ProgressingReason, "Waits until others are carried out: status.guard of %s %s lists as many people as it can. Nothing needs to be done.",
		v1alpha1.OrganizationKind, organization)
}
