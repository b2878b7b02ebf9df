// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"context"
	"fmt"
	"strings"
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
	// token names the held set.
	token string
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
	now := description{policy: g.state, token: g.state.token()}
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
	reason, what := now.summary()
	message := fmt.Sprintf("The guard holds %s until you decide, however much time passes: %s. To decide: %s.",
		what, usage(now.counters, organization.Spec.DeprovisionGuard), waysOut(g.organization.Namespace, g.organization.Name))
	changed := status.SetCondition(&organization.Status.Conditions, organization, metav1.Condition{
		Type: v1alpha1.GuardHoldingCondition, Status: metav1.ConditionTrue, Reason: reason, Message: message,
		LastTransitionTime: metav1.NewTime(g.Now()),
	})
	if changed && g.isFirst() {
		alerts.WithLabelValues(g.organization.Namespace, g.organization.Name, "held").Inc()
		g.Recorder.Eventf(organization, nil, corev1.EventTypeWarning, v1alpha1.GuardHoldingCondition, "Hold", "%s", message)
	}
}

// summary says how many people are held and what would happen to them, and under which reason.
func (d description) summary() (reason, what string) {
	count := map[string]int{}
	for entry := range d.held.Set {
		count[wouldOf(entry)] += PeopleIn(entry)
	}
	var parts []string
	for _, would := range []string{loseAccess, loseRole, regainAccess, beDenied} {
		if count[would] > 0 {
			parts = append(parts, people(*status.Int32(count[would]))+" who would "+would)
		}
	}
	switch {
	case len(parts) == 1 && count[regainAccess] > 0:
		reason = v1alpha1.ActivationHeldReason
	case len(parts) == 1 && count[loseRole] > 0:
		reason = v1alpha1.DemotionHeldReason
	default:
		reason = v1alpha1.DeprovisionHeldReason
	}
	return reason, strings.Join(parts, ", ")
}

// What would happen to the people of an entry.
const (
	loseAccess   = "lose access because resources were deleted"
	loseRole     = "lose a role because resources were deleted"
	regainAccess = "get access back because resources that deny them were deleted"
	beDenied     = "lose access because they are denied"
)

func wouldOf(entry string) string {
	switch {
	case strings.HasSuffix(entry, ActivatedSuffix):
		return regainAccess
	case strings.HasSuffix(entry, DeniedSuffix):
		return beDenied
	case entry == NameIn(entry):
		return loseAccess
	}
	return loseRole
}

// people is a number of people, for people to read.
func people(count int32) string {
	if count == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", count)
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
		return "nobody has gone"
	}
	from, until := hour.WindowStart.UTC(), hour.WindowStart.Add(window).UTC()
	text := fmt.Sprintf("between %s and %s UTC, %d of %d active people may go without being denied, and %d have gone", from.Format("15:04"), until.Format("15:04"),
		implicitLimit(limits, hour.Active), hour.Active, implicit(&hour))
	if limits.ExplicitPercent != nil {
		text += fmt.Sprintf("; %d may be denied, and %d were", explicitLimit(limits, hour.Active), hour.Explicit)
	}
	return text
}

// waysOut are the two commands that decide about a held set, and what they do. They name no token: an event outlives it.
func waysOut(namespace, organization string) string {
	return fmt.Sprintf("kubectl lambdatest approve --organization %[2]s -n %[1]s carries it out, kubectl lambdatest reject --organization %[2]s -n %[1]s leaves LambdaTest as it is. "+
		"Without the command line, annotate the organization with %[3]s or %[4]s and the token in status.guard.held",
		namespace, organization, v1alpha1.ApproveDeprovisionAnnotation, v1alpha1.RejectDeprovisionAnnotation)
}

// alarm reports that many people were denied explicitly, which nothing stops.
func (g *Guard) alarm(organization *v1alpha1.LambdaTestOrganization, hour v1alpha1.GuardStatus) {
	alerts.WithLabelValues(organization.Namespace, organization.Name, "denials").Inc()
	g.Recorder.Eventf(organization, nil, corev1.EventTypeWarning, "ManyDenials", "Deny",
		"%d people were denied within an hour, more than the %d that may go without being denied. A denial does not wait. To limit denials, set spec.deprovisionGuard.explicitPercent.",
		hour.Explicit, hour.Limit)
}

// HeldMessage is the message of a resource about which something is held: what would happen without the guard, and how to decide. The token is in the
// organization's status only: it changes with each person who is held.
func HeldMessage(namespace, organization, would string) string {
	return fmt.Sprintf("Held by the guard of %s %s: %s. All that is held: kubectl lambdatest status -n %s. To decide: kubectl lambdatest approve or reject --organization %s -n %s.",
		v1alpha1.OrganizationKind, organization, would, namespace, organization, namespace)
}

// Would is what would happen to the person of an entry without the guard.
func Would(entry string) string {
	name, change, _ := strings.Cut(entry, ": ")
	if !strings.Contains(name, "/") {
		name = v1alpha1.UserKind + "/" + name
	}
	switch wouldOf(entry) {
	case regainAccess:
		return fmt.Sprintf("deleting %s would let this person sign in again", name)
	case beDenied:
		return "the person is denied and can still sign in, because more people were denied within the hour than spec.deprovisionGuard.explicitPercent allows"
	case loseRole:
		return fmt.Sprintf("deleting %s would change the role of this person from %s", name, change)
	}
	return fmt.Sprintf("deleting %s would deactivate this person, whom nobody denied. Declaring the person again in a resource of another name ends this", name)
}

// DeferredOutcome is for those for whom status has no room yet.
func DeferredOutcome(organization string) status.Outcome {
	return status.Progressingf(v1alpha1.ProgressingReason, "Waits until others are carried out: status.guard of %s %s lists as many people as it can. Nothing needs to be done.",
		v1alpha1.OrganizationKind, organization)
}
